package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/verialloc/verialloc/lab/internal/guest"
	"github.com/verialloc/verialloc/lab/internal/kernels"
	"github.com/verialloc/verialloc/lab/internal/qemu"
)

// options are the flags of run.
type options struct {
	kernel     string
	cpus       int
	memoryMB   int
	icount     bool
	append     string
	files      []string
	fetchFiles []string
	env        []string
	mounts     []string
	timeout    time.Duration
	idle       time.Duration
	console    string
	noProgram  bool
	verbose    bool
	qemu       string
}

func runCommand() *cobra.Command {
	var o options
	cmd := &cobra.Command{
		Use:   "run --kernel KERNEL [flags] -- CMD [ARG]...",
		Short: "Boot a kernel and run a command on it",
		Args:  cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return o.run(cmd.Context(), args, cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	f := cmd.Flags()
	f.SetInterspersed(false) // what follows CMD is CMD's
	f.StringVarP(&o.kernel, "kernel", "k", "", "series (6.12), release, or path of a bzImage (with a slash)")
	f.IntVar(&o.cpus, "smp", 1, "number of CPUs; more than one takes QEMU 11 or newer")
	f.IntVar(&o.memoryMB, "mem", 1024, "memory in MB")
	f.BoolVar(&o.icount, "icount", false, "let guest time follow the count of instructions: slower, about the same time in every run")
	f.StringVar(&o.append, "append", "", "further kernel arguments")
	f.StringArrayVar(&o.files, "file", nil, "copy a file or directory into the guest, as HOST:GUEST")
	f.StringArrayVar(&o.fetchFiles, "fetch-file", nil, "copy a file or directory back after the command, as GUEST:HOST")
	f.StringArrayVar(&o.env, "env", nil, "environment variable K=V, or K for the host's value")
	f.StringArrayVar(&o.mounts, "mount", nil, "mount tracefs or bpffs")
	f.DurationVar(&o.timeout, "timeout", 10*time.Minute, "end the guest after this time of its own, boot included, or four times that by the wall clock; 0 for never")
	f.DurationVar(&o.idle, "idle", 40*time.Second, "end the guest when it does nothing for this time; 0 for never")
	f.BoolVar(&o.noProgram, "no-verialloc", false, "do not build verialloc into the guest")
	f.StringVar(&o.console, "console", "", "save the kernel's console to this file")
	f.StringVar(&o.qemu, "qemu", qemuAuto, qemuUsage)
	f.BoolVarP(&o.verbose, "verbose", "v", false, "stream the kernel's console to stderr")
	cobra.CheckErr(cmd.MarkFlagRequired("kernel"))
	return cmd
}

func (o options) run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	plan, err := o.plan(args)
	if err != nil {
		return err
	}
	cache, err := openCache(stderr)
	if err != nil {
		return err
	}
	kernel, err := findKernel(ctx, cache, o.kernel)
	if err != nil {
		return err
	}
	plan.addConfig(kernel)
	emulator, err := findEmulator(ctx, cache, o.qemu, false, stderr)
	if err != nil {
		return err
	}
	if o.cpus > 1 && !emulator.TwoCPUs() {
		return fmt.Errorf("--smp %d: guests with more than one CPU die at boot under %s: they need QEMU 11 or newer", o.cpus, emulator)
	}
	fmt.Fprintln(stderr, "vm:", emulator)
	initrd, err := buildImage(ctx, plan)
	if err != nil {
		return err
	}
	defer initrd.Close()
	s := session{plan: plan, stdout: stdout, stderr: stderr}
	s.machine = qemu.Machine{
		Emulator: emulator,
		Kernel:   kernel, Initrd: initrd,
		CPUs: o.cpus, MemoryMB: o.memoryMB, ICount: o.icount, Append: o.append,
		Limits: plan.limits, Quit: guest.Quit,
	}
	if o.console != "" {
		f, err := os.Create(o.console)
		if err != nil {
			return err
		}
		defer f.Close()
		s.logs = append(s.logs, f)
	}
	if o.verbose {
		s.logs = append(s.logs, stderr)
	}
	return s.run(ctx)
}

// findKernel returns the path of the image of a kernel, fetched when the cache
// does not have it.
func findKernel(ctx context.Context, cache *kernels.Cache, name string) (string, error) {
	if strings.Contains(name, "/") {
		_, err := os.Stat(name)
		return name, err
	}
	release, err := cache.Find(name)
	if err == nil {
		return cache.Image(release), nil
	}
	if release, err = cache.Fetch(ctx, name, false); err != nil {
		return "", err
	}
	return cache.Image(release), nil
}

// plan is what a run puts into the guest and takes from it.
type plan struct {
	spec  guest.Spec
	files []hostFile // to copy in
	fetch []string   // where on the host the files of spec.Fetch go

	verialloc bool // build verialloc into the guest
	limits    qemu.Limits
}

// hostFile is a file or directory of the host and its place in the guest.
type hostFile struct{ host, guest string }

// plan turns the flags and the command into a plan.
func (o options) plan(args []string) (plan, error) {
	dir, err := os.Getwd()
	if err != nil {
		return plan{}, err
	}
	p := plan{
		spec:      guest.Spec{Hostname: "verialloc-vm", Dir: dir, Mounts: o.mounts},
		verialloc: !o.noProgram,
		limits:    qemu.Limits{Timeout: o.timeout, Idle: o.idle},
	}
	for _, name := range o.mounts {
		if _, known := guest.Mounts[name]; !known {
			return plan{}, fmt.Errorf("--mount %s: can only mount tracefs and bpffs", name)
		}
	}
	for _, kv := range o.env {
		name, _, hasValue := strings.Cut(kv, "=")
		if value, set := os.LookupEnv(name); !hasValue && set {
			kv += "=" + value
		} else if !hasValue {
			continue
		}
		p.spec.Env = append(p.spec.Env, kv)
	}
	for _, arg := range o.files {
		host, guestPath, err := splitPair("--file", arg)
		if err != nil {
			return plan{}, err
		}
		p.files = append(p.files, hostFile{host, guestPath})
	}
	for _, arg := range o.fetchFiles {
		guestPath, host, err := splitPair("--fetch-file", arg)
		if err != nil {
			return plan{}, err
		}
		p.fetchFile(guestPath, host)
	}
	p.spec.Args = slices.Clone(args)
	return p, p.addCommand()
}

// addConfig gives the guest the configuration of a cached kernel where Debian has it.
func (p *plan) addConfig(image string) {
	dir := filepath.Dir(image)
	config := filepath.Join(dir, "config")
	if _, err := os.Stat(config); err == nil {
		p.files = append(p.files, hostFile{config, "/boot/config-" + filepath.Base(dir)})
	}
}

func (p *plan) fetchFile(guestPath, host string) {
	if !filepath.IsAbs(guestPath) {
		guestPath = filepath.Join(p.spec.Dir, guestPath)
	}
	p.spec.Fetch = append(p.spec.Fetch, guestPath)
	p.fetch = append(p.fetch, host)
}

// addCommand adds the command, when it is a file of the host, and what comes
// with it.
func (p *plan) addCommand() error {
	name := p.spec.Args[0]
	if !strings.Contains(name, "/") {
		return nil
	}
	info, err := os.Stat(name)
	if os.IsNotExist(err) {
		return nil // the guest may have it
	} else if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return fmt.Errorf("%s is not a program", name)
	}
	path, err := filepath.Abs(name)
	if err != nil {
		return err
	}
	p.spec.Args[0] = path
	p.files = append(p.files, hostFile{path, path})
	const testdata = "testdata"
	if info, err := os.Stat(testdata); err == nil && info.IsDir() {
		p.files = append(p.files, hostFile{testdata, filepath.Join(p.spec.Dir, testdata)})
	}
	p.addTestOutputs()
	p.limitTest()
	return nil
}

// splitPair splits the value of a flag at its first colon.
func splitPair(flag, value string) (from, to string, err error) {
	from, to, found := strings.Cut(value, ":")
	if !found || from == "" || to == "" {
		return "", "", fmt.Errorf("%s %s: want two paths with a colon between them", flag, value)
	}
	return from, to, nil
}
