package guest

import "io/fs"

// SpecPath is where the init finds the [Spec], as JSON.
const SpecPath = "/vm.json"

// ResultDevice is the serial line on which the frames leave the guest. A
// virtio console would be faster, but Debian's 6.1 has it as a module only.
const ResultDevice = "/dev/ttyS1"

// Quit is the byte that the runner sends on that line to order the command to quit.
const Quit byte = 'Q'

// Path is the PATH of the guest.
const Path = "/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

// Spec tells the init what to run and how.
type Spec struct {
	Hostname string
	Args     []string // the command and its arguments; a name without a slash is looked up in Path
	Env      []string // K=V, over the defaults of the init
	Dir      string   // working directory, made when missing
	Dirs     []string // further directories to make
	Mounts   []string // names of [Mounts]
	Fetch    []string // files and directories to send after the command; missing ones are skipped
}

// File describes a file that comes to the host.
type File struct {
	Fetch int         // index in Spec.Fetch
	Name  string      // path below Spec.Fetch[Fetch]; "." when that is itself the file
	Mode  fs.FileMode // permission bits
}

// Mounts are the file systems that a run mounts on demand, by name, with the
// place of each.
var Mounts = map[string]string{
	"tracefs": "/sys/kernel/tracing",
	"bpffs":   "/sys/fs/bpf",
}
