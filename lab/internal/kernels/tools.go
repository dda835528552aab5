package kernels

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
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
	return c.bringTools(ctx, packages, refresh, strings.Join(packages, ", ")+" and what they need")
}

// bringTools does the work of Tools, under the lock. what names the download to a
// person.
func (c *Cache) bringTools(ctx context.Context, packages []string, refresh bool, what string) (string, error) {
	if err := c.apt.update(ctx, refresh); err != nil {
		return "", err
	}
	all, err := c.resolve(ctx, packages)
	if err != nil {
		return "", err
	}
	place := c.toolsPlace(all)
	if _, err := os.Stat(place); err == nil {
		return place, nil
	}
	var size int64
	for _, a := range all {
		size += a.bytes
	}
	c.apt.say("fetching %s, %s", what, megabytes(size))
	return place, c.unpackTools(ctx, packages, size, place)
}

// archive is a package file to download.
type archive struct {
	name  string
	bytes int64
}

// resolve returns the files of packages and of all they depend on, sorted by name.
func (c *Cache) resolve(ctx context.Context, packages []string) ([]archive, error) {
	out, err := c.apt.run(ctx, c.dir, "apt-get", slices.Concat(installing, []string{"--print-uris"}, packages)...)
	if err != nil {
		return nil, err
	}
	all := parseURIs(out)
	if len(all) == 0 {
		return nil, fmt.Errorf("apt-get names no package to download for %s", strings.Join(packages, ", "))
	}
	slices.SortFunc(all, func(a, b archive) int { return strings.Compare(a.name, b.name) })
	return all, nil
}

// parseURIs returns the files in the output of apt-get --print-uris, which has one
// line for each:
//
//	'URL' FILE SIZE HASH
func parseURIs(out []byte) []archive {
	var all []archive
	for line := range strings.Lines(string(out)) {
		fields := strings.Fields(line)
		if !strings.HasPrefix(line, "'") || len(fields) < 3 {
			continue
		}
		if size, err := strconv.ParseInt(fields[2], 10, 64); err == nil {
			all = append(all, archive{fields[1], size})
		}
	}
	return all
}

// toolsPlace returns where the tree of these files is.
func (c *Cache) toolsPlace(all []archive) string {
	names := make([]string, len(all))
	for i, a := range all {
		names[i] = a.name
	}
	hash := sha256.Sum256([]byte(strings.Join(names, "\n")))
	return filepath.Join(c.dir, "tools", fmt.Sprintf("%x", hash[:8]))
}

// installing is the command that resolves what packages depend on. The private root
// has nothing installed, so that is all.
var installing = []string{"install", "--yes", "--download-only", "--no-install-recommends"}

// unpackTools puts the whole tree at place in one step. A download that breaks off
// leaves its files to the next call, which goes on from there.
func (c *Cache) unpackTools(ctx context.Context, packages []string, size int64, place string) (err error) {
	work := filepath.Join(filepath.Dir(place), ".new-"+filepath.Base(place))
	archives, tree := filepath.Join(work, "archives"), filepath.Join(work, "tree")
	if err := os.RemoveAll(tree); err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Join(archives, "partial"), 0o755); err != nil {
		return err
	}
	args := slices.Concat(installing, []string{"-o", "Dir::Cache::archives=" + archives}, packages)
	if _, err := c.apt.fetch(ctx, archives, size, work, args...); err != nil {
		return err
	}
	c.apt.say("unpacking")
	defer func() { err = errors.Join(err, os.RemoveAll(work)) }()
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
