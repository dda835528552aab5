package kernel

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestFindCgroup(t *testing.T) {
	const other = "1 1 0:1 / / rw - ext4 /dev/vda rw\n"
	for _, tt := range []struct {
		name, mountinfo, groups string
		want                    Cgroup // empty: absent
	}{
		{
			"root", "25 1 0:22 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n", "0::/\n",
			Cgroup{"/sys/fs/cgroup", "/sys/fs/cgroup"},
		},
		{
			"systemd's", other + "25 1 0:22 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n", "4:memory:/x\n0::/user.slice/a b\n",
			Cgroup{"/sys/fs/cgroup", "/sys/fs/cgroup/user.slice/a b"},
		},
		{
			"part of a hierarchy", other + "25 1 0:22 /a/b /my\\040cgroup rw - cgroup2 none rw\n", "0::/a/b/c\n",
			Cgroup{"/my cgroup", "/my cgroup/c"},
		},
		{
			"mounted twice, once without it", "25 1 0:22 /a/b /part rw - cgroup2 none rw\n26 1 0:22 / /all rw - cgroup2 none rw\n", "0::/c\n",
			Cgroup{"/all", "/all/c"},
		},
		{"a name with dots", "25 1 0:22 / /cg rw - cgroup2 none rw\n", "0::/..a\n", Cgroup{"/cg", "/cg/..a"}},
		{"beyond the mount", "25 1 0:22 /a/b /cg rw - cgroup2 none rw\n", "0::/a\n", Cgroup{}},
		{"version 1", "25 1 0:22 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n", "4:memory:/x\n", Cgroup{}},
		{"version 1 for the process", "25 1 0:22 / /cg rw - cgroup2 none rw\n", "4:memory:/x\n", Cgroup{}},
		{"nothing mounted", "", "0::/\n", Cgroup{}},
	} {
		fact := findCgroup(strings.NewReader(tt.mountinfo), tt.groups)
		if c, ok := fact.Get(); c != tt.want || ok != (tt.want != Cgroup{}) || fact.IsUnknown() {
			t.Errorf("%s: %+v, %v", tt.name, c, fact.Why())
		}
	}
	if fact := findCgroup(strings.NewReader("25 1 0:22 / /x rw"), "0::/\n"); !fact.IsUnknown() {
		t.Errorf("of half a line: %+v, want unknown", fact)
	}
}

func TestDelegates(t *testing.T) {
	c := Cgroup{Mount: t.TempDir()}
	if _, err := c.Delegates("memory"); err == nil {
		t.Error("no error without the file")
	}
	if err := os.WriteFile(filepath.Join(c.Mount, "cgroup.subtree_control"), []byte("cpu memory_not pids\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for controller, want := range map[string]bool{"cpu": true, "pids": true, "memory": false} {
		if got, err := c.Delegates(controller); got != want || err != nil {
			t.Errorf("%s: %v, error %v", controller, got, err)
		}
	}
}

func FuzzFindCgroup(f *testing.F) {
	f.Add("25 1 0:22 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw\n", "0::/\n")
	f.Add("25 1 0:22 /a/b /my\\040cgroup rw - cgroup2 none rw\n", "4:memory:/x\n0::/a/b/c\n")
	f.Fuzz(func(t *testing.T, mounts, groups string) {
		fact := findCgroup(strings.NewReader(mounts), groups)
		c, ok := fact.Get()
		if ok && !filepath.IsLocal(strings.TrimPrefix(strings.TrimPrefix(c.Own, filepath.Clean(c.Mount)), "/")) && c.Own != filepath.Clean(c.Mount) {
			t.Errorf("%q is not below %q", c.Own, c.Mount)
		}
		if !ok && fact.Why() == nil {
			t.Error("no reason")
		}
	})
}
