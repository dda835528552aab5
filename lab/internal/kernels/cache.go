package kernels

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
)

// Cache is the directory in which kernels are kept, each in
// kernels/RELEASE/vmlinuz, with its config where the package has one, and the
// version of the package in "version". Several processes may use it at once.
type Cache struct {
	dir string
	apt apt
}

// Open returns the cache at dir, made when missing. warn is called with one
// line for each thing that failed and was not needed.
func Open(dir string, warn func(line string)) (*Cache, error) {
	c := &Cache{dir: dir, apt: apt{dir: filepath.Join(dir, "apt"), etc: "/etc/apt", warn: warn}}
	for _, d := range []string{c.kernels(), c.apt.dir} {
		if err := os.MkdirAll(d, 0o755); err != nil {
			return nil, err
		}
	}
	return c, nil
}

func (c *Cache) kernels() string { return filepath.Join(c.dir, "kernels") }

// Image returns the path of a cached kernel's image.
func (c *Cache) Image(release string) string {
	return filepath.Join(c.kernels(), release, "vmlinuz")
}

// Cached returns the releases in the cache, oldest first.
func (c *Cache) Cached() ([]string, error) {
	images, err := filepath.Glob(c.Image("[0-9]*"))
	if err != nil {
		return nil, err
	}
	releases := make([]string, len(images))
	for i, image := range images {
		releases[i] = filepath.Base(filepath.Dir(image))
	}
	slices.SortFunc(releases, Compare)
	return releases, nil
}

// Find returns the newest cached release of a series, or the release of that
// name. It returns fs.ErrNotExist when there is none.
func (c *Cache) Find(name string) (string, error) {
	releases, err := c.Cached()
	if err != nil {
		return "", err
	}
	for _, release := range slices.Backward(releases) {
		if release == name || IsSeries(name) && Series(release) == name {
			return release, nil
		}
	}
	return "", fs.ErrNotExist
}

// Served returns the newest candidate of every series that the archive serves,
// oldest series first. The index is some hours old at most, and new with
// refresh.
func (c *Cache) Served(ctx context.Context, refresh bool) ([]Candidate, error) {
	unlock, err := c.Lock()
	if err != nil {
		return nil, err
	}
	defer unlock()
	all, err := c.index(ctx, refresh)
	if err != nil {
		return nil, err
	}
	best := newest(all)
	var list []Candidate
	for _, series := range seriesNames(best) {
		list = append(list, best[series])
	}
	return list, nil
}

// Fetch brings the newest kernel of a series into the cache, or the one of a
// release, and returns its release. What the cache has already is not brought
// again.
func (c *Cache) Fetch(ctx context.Context, name string, refresh bool) (string, error) {
	unlock, err := c.Lock()
	if err != nil {
		return "", err
	}
	defer unlock()
	all, err := c.index(ctx, refresh)
	if err != nil {
		return "", err
	}
	chosen, err := choose(all, name)
	if err != nil {
		return "", err
	}
	place := filepath.Join(c.kernels(), chosen.Release)
	if have, err := os.ReadFile(filepath.Join(place, "version")); err == nil && string(have) == chosen.Version {
		return chosen.Release, nil
	}
	if err := c.install(ctx, chosen, place); err != nil {
		return "", fmt.Errorf("kernel %s: %w", chosen.Release, err)
	}
	return chosen.Release, nil
}

// choose returns the candidate for a series or a release.
func choose(all []Candidate, name string) (Candidate, error) {
	best := newest(all)
	if c, ok := best[name]; ok {
		return c, nil
	}
	var matching []Candidate
	for _, c := range all {
		if c.Release == name {
			matching = append(matching, c)
		}
	}
	if c, ok := newest(matching)[Series(name)]; ok {
		return c, nil
	}
	return Candidate{}, fmt.Errorf("the archive serves no kernel %s; it serves %s", name, strings.Join(seriesNames(best), ", "))
}

func (c *Cache) index(ctx context.Context, refresh bool) ([]Candidate, error) {
	if err := c.apt.update(ctx, refresh); err != nil {
		return nil, err
	}
	return c.apt.candidates(ctx)
}

// install downloads the package of a candidate and puts its kernel at place, in
// one step: who looks there finds the whole or nothing.
func (c *Cache) install(ctx context.Context, chosen Candidate, place string) error {
	temp, err := os.MkdirTemp(c.dir, "fetch-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(temp)
	deb, err := c.apt.download(ctx, chosen, temp)
	if err != nil {
		return err
	}
	c.apt.say("unpacking")
	tree := filepath.Join(temp, "tree")
	if err := unpack(ctx, deb, tree); err != nil {
		return err
	}
	fresh := filepath.Join(temp, "fresh")
	if err := os.Mkdir(fresh, 0o755); err != nil {
		return err
	}
	if err := pick(tree, chosen.Release, fresh); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(fresh, "version"), []byte(chosen.Version), 0o644); err != nil {
		return err
	}
	// An older build of the same release makes way: a directory is not renamed
	// over one that has files.
	if err := os.Rename(place, filepath.Join(temp, "old")); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return os.Rename(fresh, place)
}

// unpack unpacks a package into dir.
func unpack(ctx context.Context, deb, dir string) error {
	out, err := exec.CommandContext(ctx, "dpkg-deb", "--extract", deb, dir).CombinedOutput()
	if errors.Is(err, exec.ErrNotFound) {
		return errors.New("dpkg-deb is missing: install the Debian package dpkg")
	}
	if err != nil {
		return fmt.Errorf("dpkg-deb --extract: %w: %s", err, oneLine(string(out)))
	}
	return nil
}

// pick moves the kernel of an unpacked package, and its configuration if it is
// there, into dir.
func pick(tree, release, dir string) error {
	move := func(name string, places ...string) error {
		for _, place := range places {
			err := os.Rename(filepath.Join(tree, place), filepath.Join(dir, name))
			if !errors.Is(err, fs.ErrNotExist) {
				return err
			}
		}
		return fmt.Errorf("the package has none of %s", strings.Join(places, ", "))
	}
	modules := filepath.Join("usr/lib/modules", release)
	if err := move("vmlinuz", "boot/vmlinuz-"+release, filepath.Join(modules, "vmlinuz")); err != nil {
		return err
	}
	// From 6.19 on the configuration is in another package, and nothing here needs it.
	_ = move("config", "boot/config-"+release, filepath.Join(modules, "config"))
	return nil
}

// Lock waits for the cache's lock and returns what releases it. A process that
// ends releases it too.
func (c *Cache) Lock() (unlock func(), err error) {
	f, err := os.OpenFile(filepath.Join(c.dir, "lock"), os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX); err != nil {
		f.Close()
		return nil, fmt.Errorf("lock %s: %w", f.Name(), err)
	}
	return func() { f.Close() }, nil
}
