package load

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"

	"github.com/cilium/ebpf"
	"golang.org/x/sys/unix"
)

// Parallel loads the program on that many threads at once, each of them loads
// times one after the other. Each load has its own name: the program's, shortened
// where it has to be, with the numbers of thread and load, as in stress_0_12.
//
// It returns the Stats of all completed loads by name: loaders*loads of them,
// unless ctx ended, after which no load is begun, or a load failed, which ends
// its thread. The error joins that of ctx and those of the threads.
func Parallel(ctx context.Context, loaders, loads int, spec *ebpf.ProgramSpec, options Options) (map[string]Stats, error) {
	p, err := Prepare(spec)
	if err != nil {
		return nil, err
	}
	defer p.Close()

	var (
		wg     sync.WaitGroup
		mu     sync.Mutex
		result = make(map[string]Stats, loaders*loads)
		errs   = make([]error, loaders)
	)
	for thread := range loaders {
		wg.Go(func() {
			runtime.LockOSThread()
			defer runtime.UnlockOSThread()
			for load := 0; load < loads && ctx.Err() == nil; load++ {
				name := parallelName(spec.Name, thread, load)
				options := options
				options.Name = name
				stats, err := p.Load(options)
				if err != nil {
					errs[thread] = err
					return
				}
				mu.Lock()
				result[name] = stats
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	return result, errors.Join(append(errs, ctx.Err())...)
}

// parallelName is base_thread_load in the bytes that a program's name may have.
func parallelName(base string, thread, load int) string {
	suffix := fmt.Sprintf("_%d_%d", thread, load)
	room := max(0, unix.BPF_OBJ_NAME_LEN-1-len(suffix))
	return base[:min(len(base), room)] + suffix
}
