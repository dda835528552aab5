package load

import (
	"testing"

	"github.com/cilium/ebpf/btf"

	"github.com/verialloc/verialloc/load/internal/loadtest"
)

// TestAttrLayout compares the attributes with the kernel's own, by its BTF.
func TestAttrLayout(t *testing.T) {
	types := loadtest.KernelBTF(t)
	loadtest.CheckLayout(t, loadtest.AttrWith(t, types, "prog_type"), progLoadAttr{}, map[string]string{
		"progType": "prog_type", "insnCount": "insn_cnt", "insns": "insns", "license": "license",
		"logLevel": "log_level", "logSize": "log_size", "log": "log_buf", "kernVersion": "kern_version",
		"progFlags": "prog_flags", "progName": "prog_name", "progIfindex": "prog_ifindex",
		"expectedAttachType": "expected_attach_type", "progBTF": "prog_btf_fd",
		"funcInfoSize": "func_info_rec_size", "funcInfo": "func_info", "funcInfoCount": "func_info_cnt",
		"lineInfoSize": "line_info_rec_size", "lineInfo": "line_info", "lineInfoCount": "line_info_cnt",
		"attachBTFID": "attach_btf_id", "attachBTFObjFD": "attach_btf_obj_fd", "fdArray": "fd_array",
	})
	var info *btf.Struct
	if err := types.TypeByName("bpf_prog_info", &info); err != nil {
		t.Fatal(err)
	}
	loadtest.CheckLayout(t, info, progInfo{}, map[string]string{"jitedLen": "jited_prog_len"})
}
