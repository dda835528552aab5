package generate

import "github.com/cilium/ebpf/btf"

var (
	typeInt  = &btf.Int{Name: "int", Size: 4, Encoding: btf.Signed}
	typeU32  = &btf.Int{Name: "u32", Size: 4}
	typeLong = &btf.Int{Name: "long", Size: 8, Encoding: btf.Signed}
	typeSkb  = &btf.Pointer{Target: &btf.Fwd{Name: "__sk_buff", Kind: btf.FwdStruct}}
	typeVoid = &btf.Pointer{Target: (*btf.Void)(nil)}
)

// entryFunc returns the type of a socket filter.
func entryFunc(name string) *btf.Func {
	return function(name, btf.GlobalFunc, typeInt, btf.FuncParam{Name: "skb", Type: typeSkb})
}

// globalFunc returns the type of a global function of one number.
func globalFunc(name string) *btf.Func {
	return function(name, btf.GlobalFunc, typeU32, btf.FuncParam{Name: "x", Type: typeU32})
}

// callbackFunc returns the type of a callback of bpf_loop(), which must be static.
func callbackFunc(name string) *btf.Func {
	return function(name, btf.StaticFunc, typeLong,
		btf.FuncParam{Name: "index", Type: typeU32}, btf.FuncParam{Name: "ctx", Type: typeVoid})
}

func function(name string, linkage btf.FuncLinkage, result btf.Type, params ...btf.FuncParam) *btf.Func {
	return &btf.Func{Name: name, Linkage: linkage, Type: &btf.FuncProto{Return: result, Params: params}}
}
