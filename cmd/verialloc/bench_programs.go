package main

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"

	"github.com/verialloc/verialloc/compare/veristat"
	"github.com/verialloc/verialloc/load"
)

// collection is the programs that the arguments name.
type collection struct {
	programs   []load.Subject
	files      []string // that were opened, base names
	counts     veristat.Counts
	unreadable int // files that are not there or must not be read
}

// collect opens the objects and makes the generated programs. Files that are no
// readable objects are skipped, as veristat does: many a glob takes in some.
func (a *app) collect(o *benchOptions, args []string) (*collection, error) {
	c := &collection{}
	paths, err := expandLists(args)
	if err != nil {
		return nil, err
	}
	for _, path := range paths {
		if err := a.collectObject(c, o, path); err != nil {
			return nil, err
		}
	}
	if len(o.stress) > 0 {
		stress, err := a.lab.Stress(o.stressText())
		if err != nil {
			return nil, usagef("--stress: %w", err)
		}
		c.counts.Files++
		c.add(o, stress)
	}
	return c, nil
}

// expandLists puts the lines of @FILE in its place.
func expandLists(args []string) ([]string, error) {
	var paths []string
	for _, arg := range args {
		list, isList := strings.CutPrefix(arg, "@")
		if !isList {
			paths = append(paths, arg)
			continue
		}
		lines, err := readList(list)
		if err != nil {
			return nil, usagef("%s: %w", arg, err)
		}
		paths = append(paths, lines...)
	}
	if len(args) > 0 && len(paths) == 0 {
		return nil, usagef("nothing to load: %s is empty", strings.Join(args, ", "))
	}
	return paths, nil
}

func (a *app) collectObject(c *collection, o *benchOptions, path string) error {
	if !o.view.Filters.MatchFile(filepath.Base(path)) {
		c.counts.FilesSkipped++
		return nil
	}
	programs, err := a.lab.Object(path, o.objects)
	if isGlobalError(err) {
		return usagef("-G: %w", err)
	}
	if err != nil {
		c.counts.FilesSkipped++
		if _, ok := errors.AsType[*fs.PathError](err); ok {
			c.unreadable++
			a.log().Error().Msg(err.Error())
		} else if !o.quiet {
			a.log().Warn().Msgf("skipped: %v", err)
		}
		return nil
	}
	c.counts.Files++
	c.files = append(c.files, filepath.Base(path))
	c.add(o, programs)
	return nil
}

// add adds the programs that the filters let pass.
func (c *collection) add(o *benchOptions, programs []load.Subject) {
	for _, p := range programs {
		known := p.Describe()
		if !o.view.Filters.MatchName(known.File, known.Name) {
			c.counts.ProgsSkipped++
			continue
		}
		c.counts.Progs++
		c.programs = append(c.programs, p)
	}
}

// failure is the error that remains when all else was done.
func (c *collection) failure() error {
	if c.unreadable == 0 {
		return nil
	}
	return fmt.Errorf("files that could not be read: %d", c.unreadable)
}
