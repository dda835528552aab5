package tracer_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// consumerVersion is that of the module which imports verialloc.
const consumerVersion = "v1.9.9"

// A module outside of this one builds against it, with a go.mod that names verialloc
// alone and nothing from a network, and verialloc's version is not the module's own.
func TestConsumer(t *testing.T) {
	for _, tool := range []string{"go", "git"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("no %s to build a module with", tool) // as in a guest
		}
	}
	tree, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	copyFile := func(from, to string) {
		t.Helper()
		text, err := os.ReadFile(from)
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, to), text, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	run := func(name string, arguments ...string) string {
		t.Helper()
		cmd := exec.Command(name, arguments...)
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "GOFLAGS=-mod=mod", "GOPROXY=off", "GOWORK=off", "GOTOOLCHAIN=local", "GIT_CONFIG_GLOBAL=/dev/null")
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%s: %v\n%s", cmd, err, out)
		}
		return string(out)
	}
	copyFile("testdata/consumer/main.go", "main.go")
	copyFile("../go.sum", "go.sum")
	mod := fmt.Sprintf("module example.com/consumer\n\ngo 1.26.0\n\nrequire github.com/verialloc/verialloc v0.0.0\n\nreplace github.com/verialloc/verialloc => %s\n", tree)
	if err := os.WriteFile(filepath.Join(dir, "go.mod"), []byte(mod), 0o600); err != nil {
		t.Fatal(err)
	}
	run("go", "vet", ".") // completes go.mod, which a version takes to be committed
	run("git", "init", "-q")
	run("git", "add", ".")
	run("git", "-c", "user.name=test", "-c", "user.email=test@example.com", "commit", "-q", "-m", "consumer")
	run("git", "tag", consumerVersion)
	binary := filepath.Join(t.TempDir(), "consumer")
	run("go", "build", "-buildvcs=true", "-o", binary, ".")

	if own := run("go", "version", "-m", binary); !strings.Contains(own, "mod\texample.com/consumer\t"+consumerVersion) {
		t.Fatalf("the module has another version than its tag, so this test shows nothing:\n%s", own)
	}
	if got := strings.TrimSpace(run(binary, "version")); got != "(devel)" {
		t.Errorf("Version is %q, want that of verialloc, which is a directory", got)
	}
}
