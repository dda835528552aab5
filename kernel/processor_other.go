//go:build !amd64

package kernel

func thisProcessor() processor { return processor{} }
