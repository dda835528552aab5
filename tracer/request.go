package tracer

import (
	"github.com/verialloc/verialloc/bpf"
	"github.com/verialloc/verialloc/tracer/assemble"
	"github.com/verialloc/verialloc/tracer/record"
)

// tokenFlag is BPF_F_TOKEN_FD: prog_token_fd counts.
const tokenFlag = 1 << 16

// request reads a loader's bpf_attr.
func request(r *bpf.VeriallocLoadRequest) assemble.Request {
	a := &r.Attr
	return assemble.Request{
		Name: text(a.ProgName[:]), ProgType: a.ProgType, AttachType: a.ExpectedAttachType, InsnCount: a.InsnCnt,
		Inputs: record.Inputs{
			From:           inputsFrom(bpf.VeriallocRequestSource(r.Source)),
			LogLevel:       a.LogLevel,
			LogBytes:       a.LogSize,
			ProgFlags:      a.ProgFlags,
			KernelVersion:  a.KernVersion,
			Ifindex:        a.ProgIfindex,
			Token:          a.ProgFlags&tokenFlag != 0,
			SignatureBytes: a.SignatureSize,
			FDArray:        a.FdArray != 0,
			FDArrayCount:   a.FdArrayCnt,
			BTF:            a.ProgBtfFd != 0,
			FuncInfoCount:  a.FuncInfoCnt,
			FuncInfoBytes:  uint64(a.FuncInfoCnt) * uint64(a.FuncInfoRecSize),
			LineInfoCount:  a.LineInfoCnt,
			LineInfoBytes:  uint64(a.LineInfoCnt) * uint64(a.LineInfoRecSize),
			CoreRelocCount: a.CoreReloCnt,
			CoreRelocBytes: uint64(a.CoreReloCnt) * uint64(a.CoreReloRecSize),
			AttachBTFID:    a.AttachBtfId,
			AttachFD:       a.AttachFd != 0,
		},
	}
}

func inputsFrom(source bpf.VeriallocRequestSource) record.InputsFrom {
	switch source {
	case bpf.VeriallocRequestSourceREQUEST_KERNEL:
		return record.InputsFromKernel
	case bpf.VeriallocRequestSourceREQUEST_LOADER:
		return record.InputsFromLoader
	default:
		return ""
	}
}
