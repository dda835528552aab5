package kernels

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// suites are the suites that carry kernels, each with whether it is in the
// security archive. A machine's sources name the suites of its own Debian
// only; the archives they point to have all of these.
var suites = []struct {
	name     string
	security bool
}{
	{"bookworm", false},
	{"bookworm-updates", false},
	{"bookworm-backports", false},
	{"bookworm-security", true},
	{"trixie", false},
	{"trixie-updates", false},
	{"trixie-backports", false},
	{"trixie-security", true},
	{"sid", false},
	{"experimental", false},
}

// keyring has the keys of Debian's archive.
const keyring = "/usr/share/keyrings/debian-archive-keyring.gpg"

// source is one archive as a line or a stanza of apt's sources names it.
type source struct {
	uris, suites, components []string
	signedBy                 string
}

// archives are where Debian is found; security may be empty.
type archives struct{ main, security string }

// findArchives looks for Debian's archives in the sources of apt below dir,
// /etc/apt.
func findArchives(dir string) (archives, error) {
	names, err := filepath.Glob(filepath.Join(dir, "sources.list.d", "*"))
	if err != nil {
		return archives{}, err
	}
	var found archives
	for _, name := range append(names, filepath.Join(dir, "sources.list")) {
		var parse func([]byte) []source
		switch filepath.Ext(name) {
		case ".list":
			parse = parseList
		case ".sources":
			parse = parseStanzas
		default: // apt skips it too
			continue
		}
		text, err := os.ReadFile(name)
		if errors.Is(err, os.ErrNotExist) {
			continue
		} else if err != nil {
			return archives{}, err
		}
		for _, s := range parse(text) {
			found.add(s)
		}
	}
	if found.main == "" {
		return archives{}, fmt.Errorf("the sources of apt in %s name no Debian archive: add one for bookworm or later", dir)
	}
	return found, nil
}

// add takes the archive of s when it is Debian's own: others have suites of
// the same names, but other components or keys.
func (a *archives) add(s source) {
	debian := s.signedBy == "" || strings.Contains(s.signedBy, "debian-archive")
	if !debian || len(s.uris) == 0 || !slices.Contains(s.components, "main") {
		return
	}
	for _, suite := range s.suites {
		switch {
		case strings.HasSuffix(suite, "-security"):
			if a.security == "" {
				a.security = s.uris[0]
			}
		case a.main == "":
			a.main = s.uris[0]
		}
	}
}

// list returns a sources.list for the kernels' suites.
func (a archives) list() string {
	var b strings.Builder
	for _, s := range suites {
		uri := a.main
		if s.security {
			uri = a.security
		}
		if uri != "" {
			fmt.Fprintf(&b, "deb [arch=amd64 signed-by=%s] %s %s main\n", keyring, uri, s.name)
		}
	}
	return b.String()
}

// parseList parses the one-line form: deb [options] uri suite components.
func parseList(text []byte) []source {
	var all []source
	for lines := bufio.NewScanner(bytes.NewReader(text)); lines.Scan(); {
		line, _, _ := strings.Cut(lines.Text(), "#")
		line, isDeb := strings.CutPrefix(strings.TrimSpace(line), "deb ")
		if !isDeb {
			continue
		}
		var s source
		if line = strings.TrimSpace(line); strings.HasPrefix(line, "[") {
			options, rest, _ := strings.Cut(line[1:], "]")
			line = rest
			for _, option := range strings.Fields(options) {
				if value, ok := strings.CutPrefix(option, "signed-by="); ok {
					s.signedBy = value
				}
			}
		}
		fields := strings.Fields(line)
		if len(fields) < 3 {
			continue
		}
		s.uris, s.suites, s.components = fields[:1], fields[1:2], fields[2:]
		all = append(all, s)
	}
	return all
}

// parseStanzas parses the deb822 form.
func parseStanzas(text []byte) []source {
	var all []source
	for stanza := range strings.SplitSeq(string(text), "\n\n") {
		var s source
		enabled := true
		for line := range strings.Lines(stanza) {
			key, value, _ := strings.Cut(line, ":")
			value = strings.TrimSpace(value)
			switch strings.ToLower(key) {
			case "enabled":
				enabled = !strings.EqualFold(value, "no")
			case "uris":
				s.uris = strings.Fields(value)
			case "suites":
				s.suites = strings.Fields(value)
			case "components":
				s.components = strings.Fields(value)
			case "signed-by":
				s.signedBy = value
			}
		}
		if enabled {
			all = append(all, s)
		}
	}
	return all
}
