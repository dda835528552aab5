package files

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// nobody is another user.
const nobody = 65534

// tree makes directories (a slash at the end), links (name -> target) and files.
func tree(t *testing.T, entries ...string) string {
	t.Helper()
	dir := t.TempDir()
	for _, e := range entries {
		var err error
		name, target, isLink := strings.Cut(e, " -> ")
		path := filepath.Join(dir, name)
		switch {
		case isLink:
			err = os.Symlink(strings.ReplaceAll(target, "DIR", dir), path)
		case strings.HasSuffix(name, "/"):
			err = os.MkdirAll(path, 0o700)
		default:
			err = os.WriteFile(path, []byte(name), 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// A name leads where the kernel says it does.
func TestFindAsKernel(t *testing.T) {
	dir := tree(t, "a/", "a/b/", "a/file", "file", "to-file -> file", "to-a -> a", "a/up -> ../file", "absolute -> DIR/a/file",
		"to-link -> to-a/up", "dangling -> a/new", "loop -> loop", "a/b/out -> ../../a/../to-a/./file", "slash -> a/", "long -> DIR//a///b/../file")
	for _, name := range []string{
		"file", "./file", "a/../file", "to-file", "to-a/file", "to-a/up", "absolute", "to-link", "a/b/out", "long", "slash/file",
		"to-a/../file", "to-a/b/../file", "a", "a/", "to-a/", "slash", "a/b/..", ".", "",
		"missing", "a/missing", "missing/file", "file/", "file/x", "to-file/", "loop", "loop/x", "dangling/x",
	} {
		path := dir + "/" + name
		want, wantErr := os.Stat(path)
		p, err := Find(path)
		var got fs.FileInfo
		if err == nil {
			got, err = p.Stat()
			p.Close()
		}
		var wantErrno, errno unix.Errno
		errors.As(wantErr, &wantErrno)
		errors.As(err, &errno)
		if wantErrno != errno || wantErr == nil && !os.SameFile(want, got) {
			t.Errorf("%s: %v, %v: want %v, %v", name, got, err, want, wantErr)
		}
	}
	t.Chdir(dir)
	for _, name := range []string{"to-link", "a/../to-a/up", "to-a/new", "dangling"} {
		p, err := Find(name)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		file, err := p.Open(name, os.O_WRONLY|os.O_CREATE, 0o600)
		if err != nil || file.Name() != name {
			t.Errorf("open %s: %v", name, err)
		}
		file.Close()
		p.Close()
	}
	if _, err := os.Stat("a/new"); err != nil {
		t.Errorf("beyond a link that led nowhere: %v", err)
	}
}

func TestFindRefusesLinks(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("to give a link to another user takes root")
	}
	dir := tree(t, "victims/", "victims/file", "link -> victims/file", "dir -> victims", "nowhere -> victims/new", "ours -> link")
	for _, link := range []string{"link", "dir", "nowhere"} {
		if err := os.Lchown(filepath.Join(dir, link), nobody, nobody); err != nil {
			t.Fatal(err)
		}
	}
	for name, link := range map[string]string{"link": "link", "dir/file": "dir", "dir/x/y": "dir", "nowhere": "nowhere", "ours": "link", "ours/x": "link"} {
		p, err := Find(filepath.Join(dir, name))
		if refused, ok := errors.AsType[*LinkError](err); !ok || refused.Link != link || refused.UID != nobody {
			t.Errorf("%s: %v, %v: want %s refused", name, p, err, link)
		}
	}
}

// findEnv names what a process of this test is to find, in place of the tests.
const findEnv = "VERIALLOC_TEST_FIND"

func TestMain(m *testing.M) {
	name := os.Getenv(findEnv)
	if name == "" {
		os.Exit(m.Run())
	}
	p, err := Find(name)
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	p.Close()
}

// Root's links are followed also where root is nobody: in a user namespace of another user.
func TestFindUnmappedRoot(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("to make root's link, and be another user, takes root")
	}
	// Not t.TempDir, in which another user finds nothing.
	dir, err := os.MkdirTemp("", "links")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	link := filepath.Join(dir, "link")
	if err := errors.Join(os.Chmod(dir, 0o755), os.Symlink("nothing", link)); err != nil {
		t.Fatal(err)
	}
	self, err := os.Open("/proc/self/exe")
	if err != nil {
		t.Fatal(err)
	}
	defer self.Close()
	cmd := exec.CommandContext(t.Context(), "/proc/self/fd/3")
	cmd.ExtraFiles = []*os.File{self}
	cmd.Env = append(os.Environ(), findEnv+"="+link)
	cmd.Dir = "/"
	mapping := []syscall.SysProcIDMap{{ContainerID: 0, HostID: nobody, Size: 1}}
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags: unix.CLONE_NEWUSER, UidMappings: mapping, GidMappings: mapping, Credential: &syscall.Credential{},
	}
	output, err := cmd.CombinedOutput()
	for _, refusal := range []error{syscall.EINVAL, syscall.EPERM, syscall.ENOSPC} {
		if errors.Is(err, refusal) { // of clone: the exit of what ran is no errno
			t.Skipf("no user namespaces here: %v", err)
		}
	}
	if err != nil {
		t.Errorf("%v: %s", err, output)
	}
}

// What takes the place of an entry that was looked at is not followed.
func TestOpenFollowsNoNewLink(t *testing.T) {
	dir := tree(t, "victim", "file")
	p, err := Find(filepath.Join(dir, "file"))
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	if err := errors.Join(os.Remove(filepath.Join(dir, "file")), os.Symlink("victim", filepath.Join(dir, "file"))); err != nil {
		t.Fatal(err)
	}
	for _, flags := range []int{os.O_WRONLY, os.O_WRONLY | os.O_CREATE} {
		if file, err := p.Open("file", flags, 0o600); !errors.Is(err, unix.ELOOP) {
			t.Errorf("%v, %v", file, err)
		}
	}
}

// The kernel's own links to open files are followed, as of /dev/stdout.
func TestFindOpenFile(t *testing.T) {
	reader, writer, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	fd := strconv.Itoa(int(writer.Fd()))
	for _, path := range []string{"/proc/self/fd/" + fd, "/dev/fd/" + fd} {
		if _, err := os.Stat(path); err != nil {
			continue // no /dev/fd: not in every guest
		}
		p, err := Find(path)
		if err != nil {
			t.Fatal(err)
		}
		info, err := p.Stat()
		if err != nil || info.Mode()&fs.ModeNamedPipe == 0 {
			t.Errorf("%s: %v, %v", path, info, err)
		}
		file, err := p.Open(path, os.O_WRONLY, 0)
		if err != nil {
			t.Fatal(err)
		}
		file.Close()
		p.Close()
	}
	writer.Close()
}

// A pending file has no name, and then the mode asked for.
func TestPending(t *testing.T) {
	defer unix.Umask(unix.Umask(0o077))
	for _, nameless := range []bool{true, false} {
		for _, there := range []bool{false, true} {
			dir := t.TempDir()
			path := filepath.Join(dir, "file")
			p, err := Find(path)
			if err != nil {
				t.Fatal(err)
			}
			pending, err := p.Pending(0o644)
			if err != nil {
				t.Fatal(err)
			}
			if !nameless { // as on a file system without such
				pending.Discard()
				pending.file = nil
			}
			if there {
				if err := os.WriteFile(path, []byte("another's"), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			if entries, _ := os.ReadDir(dir); len(entries) != map[bool]int{true: 1}[there] {
				t.Errorf("ahead of Put: %v", entries)
			}
			err = pending.Put("text")
			text, readErr := os.ReadFile(path)
			info, statErr := os.Stat(path)
			entries, _ := os.ReadDir(dir)
			if err = errors.Join(err, readErr, statErr); err != nil || string(text) != "text" || info.Mode() != 0o644 || len(entries) != 1 {
				t.Errorf("nameless %v, there %v: %q, %v, %v: %v", nameless, there, text, info, entries, err)
			}
			p.Close()
		}
	}
}
