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

// Parallel loads the program on several threads at the same time. Each of the loaders makes
// loads one after the other. Each load has a name of its own: the program's, cut if
// necessary, and the numbers of loader and load, as in stress_0_12.
//
// It returns the Stats of all completed loads by name. Those are loaders*loads, unless ctx
// ended, after which Parallel begins no load, or a load failed, which ends its loader. The
// error joins those of ctx and of the loaders.
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

// parallelName returns base_thread_load, with base cut so that the kernel accepts the name.
func parallelName(base string, thread, load int) string {
	suffix := fmt.Sprintf("_%d_%d", thread, load)
	room := max(0, unix.BPF_OBJ_NAME_LEN-1-len(suffix))
	return base[:min(len(base), room)] + suffix
}
