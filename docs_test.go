package verialloc

import (
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var (
	links    = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	headings = regexp.MustCompile(`(?m)^#+ (.+)$`)
	noAnchor = regexp.MustCompile(`[^a-z0-9 -]`)
)

// What the documents link to is there.
func TestLinks(t *testing.T) {
	paths, err := filepath.Glob("docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range append(paths, "README.md", "CONTRIBUTING.md") {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, link := range links.FindAllStringSubmatch(string(text), -1) {
			name, anchor, _ := strings.Cut(link[1], "#")
			if strings.Contains(name, "://") {
				continue
			}
			target := path
			if name != "" {
				target = filepath.Join(filepath.Dir(path), name)
			}
			if err := checkLink(target, anchor); err != nil {
				t.Errorf("%s: %s: %v", path, link[1], err)
			}
		}
	}
}

func checkLink(path, anchor string) error {
	if _, err := os.Stat(path); err != nil || anchor == "" {
		return err
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	found := slices.ContainsFunc(headings.FindAllStringSubmatch(string(text), -1), func(heading []string) bool {
		plain := noAnchor.ReplaceAllString(strings.ToLower(heading[1]), "")
		return strings.ReplaceAll(plain, " ", "-") == anchor
	})
	if !found {
		return errors.New("no such heading")
	}
	return nil
}
