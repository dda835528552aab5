package main

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"

	"github.com/verialloc/verialloc/compare/veristat"
	"github.com/verialloc/verialloc/exporter/view/bench"
	"github.com/verialloc/verialloc/load"
	"github.com/verialloc/verialloc/load/object"
)

// collection is the programs that the arguments name.
type collection struct {
	programs []load.Subject
	files    []string // that were opened, base names
	counts   veristat.Counts
	objects  int     // files that are objects, whether or not they have programs
	refused  []error // why the others are none, or cannot be shown
	unusable int     // those of them that are an error
}

// collect opens the objects and makes the generated programs. Files that are no
// readable objects are skipped, as veristat does: many a glob takes in some. That
// nothing was an object is an error. What was skipped is said whichever error ends it.
func (a *app) collect(o *benchOptions, args []string) (*collection, error) {
	c := &collection{}
	paths, err := expandLists(args)
	if err != nil {
		return nil, err
	}
	err = a.collectObjects(c, o, paths)
	if err == nil && c.objects == 0 && len(o.stress) == 0 && len(c.refused) > 0 {
		return nil, c.nothing()
	}
	a.complainOfFiles(o, c.refused)
	if err != nil {
		return nil, err
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

// nothing is the error of a bench whose files are no objects, none of them.
func (c *collection) nothing() error {
	texts := make([]string, len(c.refused))
	for i, err := range c.refused {
		texts[i] = err.Error()
	}
	return errors.New("nothing to load: " + some(texts))
}

// findFiles fails where nothing that the arguments name is there, ahead of an output that may
// wait for a reader. Nothing is read yet.
func (a *app) findFiles(o *benchOptions, args []string) error {
	c := &collection{}
	for _, path := range args {
		if strings.HasPrefix(path, "@") || !o.view.Filters.MatchFile(filepath.Base(path)) {
			return nil
		}
		err := a.lab.Find(path)
		if err == nil {
			return nil
		}
		c.refused = append(c.refused, err)
	}
	if len(o.stress) > 0 {
		return nil
	}
	return c.nothing()
}

// complainOfFiles logs which files are not used.
func (a *app) complainOfFiles(o *benchOptions, refused []error) {
	for _, err := range refused {
		if isUnusable(err) {
			a.log().Error().Msg(err.Error())
		} else if !o.quiet {
			a.log().Warn().Msgf("skipped: %v", err)
		}
	}
}

// nameError is an object with names that the result could not be read back with.
type nameError struct{ error }

func (e nameError) Unwrap() error { return e.error }

// isUnusable reports whether a file is not there, must not be read or cannot be shown.
func isUnusable(err error) bool {
	_, unreadable := errors.AsType[*fs.PathError](err)
	_, unshown := errors.AsType[nameError](err)
	return unreadable || unshown
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

func (a *app) collectObjects(c *collection, o *benchOptions, paths []string) error {
	for _, path := range paths {
		if err := a.collectObject(c, o, path); err != nil {
			return err
		}
	}
	return nil
}

func (a *app) collectObject(c *collection, o *benchOptions, path string) error {
	if !o.view.Filters.MatchFile(filepath.Base(path)) {
		c.counts.FilesSkipped++
		return nil
	}
	programs, err := a.lab.Object(path, o.objects)
	if errors.Is(err, object.ErrGlobals) {
		return usagef("-G: %w", err)
	}
	if err == nil {
		err = o.checkNames(programs)
	}
	if err != nil {
		c.counts.FilesSkipped++
		c.refused = append(c.refused, err)
		if errors.Is(err, object.ErrNoPrograms) {
			c.objects++
		}
		if isUnusable(err) {
			c.unusable++
		}
		return nil
	}
	c.counts.Files++
	c.objects++
	c.files = append(c.files, filepath.Base(path))
	c.add(o, programs)
	return nil
}

// checkNames returns a nameError if the result is to be read back and could not be. With
// columns of ours nothing reads it back.
func (o *benchOptions) checkNames(programs []load.Subject) error {
	if o.format.value != "csv" || o.extended {
		return nil
	}
	for _, p := range programs {
		known := p.Describe()
		if !o.view.Filters.MatchName(known.File, known.Name) {
			continue
		}
		if err := bench.CheckNames(known.File, known.Name); err != nil {
			return nameError{fmt.Errorf("-o csv: %.40s: %w", known.File, err)}
		}
	}
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
	if c.unusable == 0 {
		return nil
	}
	return fmt.Errorf("files that could not be read or shown: %d", c.unusable)
}
