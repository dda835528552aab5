package kernel

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

func TestContainerID(t *testing.T) {
	id := strings.Repeat("0123456789abcdef", 4)
	other := strings.Repeat("f", 64)
	for path, want := range map[string]string{
		"":                                       "",
		"/":                                      "",
		"/user.slice/user-0.slice":               "",
		"/docker/" + id:                          id,
		"/docker/" + id + "/init.scope":          id,
		"/docker/" + other + "/docker/" + id:     id,
		"/system.slice/docker-" + id + ".scope":  id,
		"/system.slice/nerdctl-" + id + ".scope": id,
		"/machine.slice/libpod-" + id + ".scope/container":                                               id,
		"/machine.slice/libpod-conmon-" + id + ".scope":                                                  "",
		"/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod1_2.slice/crio-" + id + ".scope": id,
		"/kubepods.slice/kubepods-pod1.slice/crio-conmon-" + id + ".scope":                               "",
		"/kubepods.slice/kubepods-pod1.slice/cri-containerd-" + id + ".scope":                            id,
		"/system.slice/containerd.service/kubepods-pod1.slice:cri-containerd:" + id:                      id,
		"/kubepods/besteffort/pod0a-1b/" + id:                                                            id,
		"/kubepods/besteffort/pod0a-1b":                                                                  "",
		"/docker/" + id[1:]:                                                                              "",
		"/docker/" + id + "0":                                                                            "",
		"/docker/" + strings.ToUpper(id):                                                                 "",
	} {
		if got := ContainerID(path); got != want {
			t.Errorf("%s: %q, want %q", path, got, want)
		}
	}
}

// A group is found by its id, which is the inode of its directory, and by a process in it.
func TestCgroupPath(t *testing.T) {
	own, ok := FindCgroup().Get()
	if !ok {
		t.Skip(FindCgroup().Why())
	}
	groups, ok := OpenCgroups().Get()
	if !ok {
		t.Fatal(OpenCgroups().Why())
	}
	defer groups.Close()
	info, err := os.Stat(own.Own)
	if err != nil {
		t.Fatal(err)
	}
	id := info.Sys().(*syscall.Stat_t).Ino
	find := map[string]func(uint64, uint32) (string, error){"by a process": groups.pathOf}
	if os.Geteuid() == 0 {
		find["by its id"] = groups.Path
	}
	for name, path := range find {
		got, err := path(id, uint32(os.Getpid()))
		if err != nil || filepath.Join(own.Mount, got) != own.Own {
			t.Errorf("%s: %q, %v; want that of %s", name, got, err, own.Own)
		}
		if got, err := path(1<<50, uint32(os.Getpid())); err == nil {
			t.Errorf("%s: a group that is none is %q", name, got)
		}
	}
	// Where a part is mounted ahead of the whole.
	part, whole := t.TempDir(), t.TempDir()
	mount := func(root, point string) string { return "1 0 0:1 " + root + " " + point + " rw - cgroup2 cgroup2 rw\n" }
	for text, want := range map[string]string{
		mount("/part", part) + mount("/", whole): whole,
		mount("/", whole) + mount("/part", part): whole,
		mount("/part", part):                     part,
	} {
		groups, ok := openCgroups(strings.NewReader(text)).Get()
		if !ok || groups.point != want {
			t.Errorf("of %q: %+v", text, groups)
			continue
		}
		if err := groups.Close(); err != nil {
			t.Error(err)
		}
	}
	if groups := openCgroups(strings.NewReader("1 0 0:1 / / rw - tmpfs tmpfs rw\n")); !groups.IsAbsent() {
		t.Errorf("where none is mounted: %v", groups.Why())
	}
}
