// Command consumer traces as a library from a module of its own: it counts loads and
// what the verifier allocated for them until it is interrupted, beside a feed. With an
// argument it only prints which verialloc it was built with.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"

	"github.com/verialloc/verialloc/exporter/feed"
	"github.com/verialloc/verialloc/exporter/feed/jsonl"
	"github.com/verialloc/verialloc/tracer"
	"github.com/verialloc/verialloc/tracer/record"
)

type counter struct {
	record.NopSink
	loads, bytes uint64
}

func (c *counter) Verification(v *record.Verification) error {
	c.loads, c.bytes = c.loads+1, c.bytes+v.BytesAllocated
	return nil
}

func main() {
	if len(os.Args) > 1 {
		fmt.Println(tracer.Version())
		return
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	var sum counter
	sinks := feed.Fan{{Name: "sum", Sink: &sum}, {Name: "feed", Sink: jsonl.New(os.Stdout)}}
	err := tracer.Run(ctx, tracer.Config{}, sinks)
	fmt.Fprintln(os.Stderr, sum.loads, "loads,", sum.bytes, "bytes:", err)
}
