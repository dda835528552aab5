package kernels

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// pruned is what no tool needs to run, relative to the tree.
var pruned = []string{
	"usr/share/doc", "usr/share/man", "usr/share/locale", "usr/share/info", "usr/share/perl", "usr/share/python3",
	"usr/lib/python3", "usr/lib/python3.*", "usr/lib/x86_64-linux-gnu/perl*", "usr/lib/x86_64-linux-gnu/gconv",
	"var", "etc",
}

// Tools brings Debian packages and all they depend on into the cache, in the newest
// version that is served, and returns the tree into which they are unpacked.
// Programs in it run by its own dynamic loader: it holds the whole of its C library.
func (c *Cache) Tools(ctx context.Context, packages []string, refresh bool) (string, error) {
	unlock, err := c.Lock()
	if err != nil {
		return "", err
	}
	defer unlock()
	if err := c.apt.update(ctx, refresh); err != nil {
		return "", err
	}
	// One line a package: 'URL' FILE SIZE HASH.
	out, err := c.apt.run(ctx, c.dir, "apt-get", append(installing, slices.Concat([]string{"--print-uris"}, packages)...)...)
	if err != nil {
		return "", err
	}
	var files []string
	for line := range strings.Lines(string(out)) {
		if f := strings.Fields(line); strings.HasPrefix(line, "'") && len(f) > 1 {
			files = append(files, f[1])
		}
	}
	if len(files) == 0 {
		return "", fmt.Errorf("apt-get names no package to download for %s", strings.Join(packages, ", "))
	}
	slices.Sort(files)
	hash := sha256.Sum256([]byte(strings.Join(files, "\n")))
	place := filepath.Join(c.dir, "tools", fmt.Sprintf("%x", hash[:8]))
	if _, err := os.Stat(place); err == nil {
		return place, nil
	}
	return place, c.unpackTools(ctx, packages, place)
}

// installing is the command that resolves what packages depend on. The private root
// has nothing installed, so that is all.
var installing = []string{"install", "--yes", "--download-only", "--no-install-recommends"}

// unpackTools puts the whole tree at place in one step.
func (c *Cache) unpackTools(ctx context.Context, packages []string, place string) (err error) {
	if err := os.MkdirAll(filepath.Dir(place), 0o755); err != nil {
		return err
	}
	work, err := os.MkdirTemp(filepath.Dir(place), ".new-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(work)) }()
	archives, tree := filepath.Join(work, "archives"), filepath.Join(work, "tree")
	if err := os.MkdirAll(filepath.Join(archives, "partial"), 0o755); err != nil {
		return err
	}
	args := slices.Concat(installing, []string{"-o", "Dir::Cache::archives=" + archives}, packages)
	if _, err := c.apt.run(ctx, work, "apt-get", args...); err != nil {
		return err
	}
	debs, err := filepath.Glob(filepath.Join(archives, "*.deb"))
	if err != nil {
		return err
	}
	for _, deb := range debs {
		if err := unpack(ctx, deb, tree); err != nil {
			return err
		}
	}
	for _, pattern := range pruned {
		found, err := filepath.Glob(filepath.Join(tree, pattern))
		if err != nil {
			return err
		}
		for _, f := range found {
			if err := os.RemoveAll(f); err != nil {
				return err
			}
		}
	}
	return os.Rename(tree, place)
}
