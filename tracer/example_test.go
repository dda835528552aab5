package tracer_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"os/signal"

	"github.com/verialloc/verialloc/tracer"
	"github.com/verialloc/verialloc/tracer/record"
)

// costly is a sink that prints each load for which the verifier allocated more than a
// megabyte. Of all else it takes nothing.
type costly struct{ record.NopSink }

func (costly) Verification(v *record.Verification) error {
	if v.BytesAllocated > 1<<20 {
		fmt.Printf("%s by %s: %d states, %d bytes, %s\n", v.ProgName, v.Comm, v.TotalStates, v.BytesAllocated, v.Verdict)
	}
	return nil
}

// Trace every load on the machine until Ctrl-C. It takes root.
func Example() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := tracer.Run(ctx, tracer.Config{}, costly{}); err != nil {
		log.Print(err) // errors.Is distinguishes tracer.ErrPermission and tracer.ErrUnsupported
	}
}

// Trace one program's next load, by a loop.
func ExampleTracer_Verifications() {
	t, err := tracer.Open(tracer.Config{Select: tracer.Select{Prog: "my_prog"}})
	if err != nil {
		log.Fatal(err)
	}
	defer t.Close()
	for v, err := range t.Verifications(context.Background()) {
		if err != nil {
			log.Print(err)
			break
		}
		fmt.Println(v.ProgName, v.TotalStates, v.Exact)
		break
	}
}
