package kernels

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// apt is a private root of apt: its own sources, indices and downloads, so that
// the machine's stay as they are, while apt still checks every signature.
type apt struct {
	dir  string            // the root
	etc  string            // the machine's /etc/apt, whose archives are used
	warn func(line string) // called with what apt complains about

	progress io.Writer // shows how far a download is; nil: nothing does
}

// indexAge is how long an index is good: archives change a few times a day.
const indexAge = 6 * time.Hour

// options returns the options that make apt use the private root. The
// machine's own configuration, such as a proxy, still holds.
func (a apt) options() []string {
	var args []string
	for _, o := range [][2]string{
		{"Dir::State", a.path("state")},
		{"Dir::State::status", a.path("status")},
		{"Dir::State::lists", a.path("lists")},
		{"Dir::Cache", a.path("cache")},
		// Some images turn apt's own cache off, and each call then takes seconds.
		{"Dir::Cache::pkgcache", "pkgcache.bin"},
		{"Dir::Cache::srcpkgcache", "srcpkgcache.bin"},
		{"Dir::Etc::sourcelist", a.path("sources.list")},
		{"Dir::Etc::sourceparts", a.path("empty")},
		{"Dir::Etc::preferences", "/dev/null"},
		{"Dir::Etc::preferencesparts", a.path("empty")},
		{"APT::Architecture", "amd64"},
		// Root's apt would download as another user, who may not write here.
		{"APT::Sandbox::User", ""},
		{"Acquire::Languages", "none"},
		{"Acquire::Retries", "3"},
		{"Acquire::IndexTargets::deb::DEP-11::DefaultEnabled", "false"},
	} {
		args = append(args, "-o", o[0]+"="+o[1])
	}
	return args
}

func (a apt) path(name string) string { return filepath.Join(a.dir, name) }

// run runs a program of apt in the private root, with dir as its working
// directory, and returns its standard output. Its complaints are in the error,
// or go to a.warn when it succeeds all the same.
func (a apt) run(ctx context.Context, dir, program string, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, program, append(a.options(), args...)...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "LC_ALL=C")
	var complaints bytes.Buffer
	cmd.Stderr = &complaints
	out, err := cmd.Output()
	if errors.Is(err, exec.ErrNotFound) {
		return nil, fmt.Errorf("%s is missing: kernels come from Debian's archive, install the package apt", program)
	}
	if err != nil {
		return out, fmt.Errorf("%s %s: %w: %s", program, args[0], err, oneLine(complaints.String()))
	}
	for line := range strings.Lines(complaints.String()) {
		a.warn(strings.TrimSpace(line))
	}
	return out, nil
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

// update brings the indices when they are older than [indexAge], or in any case
// with refresh.
func (a apt) update(ctx context.Context, refresh bool) error {
	stamp := a.path("updated")
	if info, err := os.Stat(stamp); err == nil && !refresh && time.Since(info.ModTime()) < indexAge {
		return nil
	}
	found, err := findArchives(a.etc)
	if err != nil {
		return err
	}
	for _, dir := range []string{"state", "lists/partial", "cache/archives/partial", "empty"} {
		if err := os.MkdirAll(a.path(dir), 0o755); err != nil {
			return err
		}
	}
	for name, content := range map[string]string{"status": "", "sources.list": found.list()} {
		if err := os.WriteFile(a.path(name), []byte(content), 0o644); err != nil {
			return err
		}
	}
	// One suite that is not served or not signed by a known key fails the whole
	// command, and the others are there all the same.
	a.say("reading the index of Debian's archive, some 50 MB the first time")
	_, updateErr := a.fetch(ctx, a.path("lists"), -1, a.dir, "update")
	if updateErr != nil {
		a.warn(updateErr.Error())
	}
	all, err := a.candidates(ctx)
	if err != nil {
		return err
	}
	if len(all) == 0 {
		return errors.New("no kernels in the index: the archive was not reached, or serves none: see apt's warnings, and try apt-get update")
	}
	if updateErr != nil {
		return nil // and the next call tries again
	}
	return os.WriteFile(stamp, nil, 0o644)
}

// candidates returns the packages with kernels in the indices.
func (a apt) candidates(ctx context.Context) ([]Candidate, error) {
	out, err := a.run(ctx, a.dir, "apt-cache", "pkgnames", "linux-")
	if err != nil {
		return nil, err
	}
	args := []string{"madison"}
	for name := range strings.FieldsSeq(string(out)) {
		if releaseOf(name) != "" {
			args = append(args, name)
		}
	}
	if len(args) == 1 {
		return nil, nil
	}
	if out, err = a.run(ctx, a.dir, "apt-cache", args...); err != nil {
		return nil, err
	}
	return parseMadison(out), nil
}

// download brings the package of c into dir and returns its path.
func (a apt) download(ctx context.Context, c Candidate, dir string) (string, error) {
	spec := c.Package + "=" + c.Version
	uris, err := a.run(ctx, dir, "apt-get", "download", "--print-uris", spec)
	if err != nil {
		return "", err
	}
	var total int64 = -1
	if files := parseURIs(uris); len(files) == 1 {
		total = files[0].bytes
		a.say("fetching %s, %s", c.Package, megabytes(total))
	}
	if _, err := a.fetch(ctx, dir, total, dir, "download", spec); err != nil {
		return "", err
	}
	debs, err := filepath.Glob(filepath.Join(dir, "*.deb"))
	if err != nil || len(debs) != 1 {
		return "", fmt.Errorf("apt-get download %s: got %d packages, want 1", c.Package, len(debs))
	}
	return debs[0], nil
}
