package object

import (
	"os"
	"testing"

	"github.com/verialloc/verialloc/load/internal/loadtest"
)

// TestMapAttrLayout compares the attributes of a map with the kernel's own, by its BTF.
func TestMapAttrLayout(t *testing.T) {
	kernel := loadtest.AttrWith(t, loadtest.KernelBTF(t), "map_type")
	// Before 6.9 they end earlier, and the kernel takes the rest if it is zero.
	if loadtest.MemberNamed(kernel, "value_type_btf_obj_fd") == nil {
		return
	}
	loadtest.CheckLayout(t, kernel, mapAttr{}, map[string]string{
		"mapType": "map_type", "keySize": "key_size", "valueSize": "value_size", "maxEntries": "max_entries",
		"mapFlags": "map_flags", "innerMapFD": "inner_map_fd", "numaNode": "numa_node", "mapName": "map_name",
		"btfFD": "btf_fd", "btfKeyTypeID": "btf_key_type_id", "btfValueTypeID": "btf_value_type_id",
		"vmlinuxValueTypeID": "btf_vmlinux_value_type_id", "mapExtra": "map_extra",
		"valueTypeBTFObjFD": "value_type_btf_obj_fd",
	})
}

func TestRingSize(t *testing.T) {
	page := uint32(os.Getpagesize())
	for bytes, want := range map[uint32]uint32{
		0: page, 1: page, page: page, page + 1: 2 * page, 3 * page: 4 * page, 1 << 31: 1 << 31, 1<<31 + 1: 1<<31 + 1,
	} {
		if got := ringSize(bytes); got != want {
			t.Errorf("%d: %d, want %d", bytes, got, want)
		}
	}
}
