package kernels

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestFindArchives(t *testing.T) {
	want := archives{main: "http://mirror.example/debian", security: "http://mirror.example/debian-security"}
	for name, files := range map[string]map[string]string{
		"deb822": {
			"sources.list.d/debian.sources": `Types: deb
# a comment
URIs: http://mirror.example/debian
Suites: bookworm bookworm-updates
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

Types: deb
URIs: http://mirror.example/debian-security
Suites: bookworm-security
Components: main contrib
`,
			"sources.list.d/other.sources": "Types: deb\nURIs: http://other.example/\nSuites: nodistro\nComponents: main\nSigned-By: /usr/share/keyrings/other.gpg\n",
			"sources.list.d/a.sources":     "Enabled: no\nTypes: deb\nURIs: http://off.example/debian\nSuites: bookworm\nComponents: main\n",
			"sources.list.d/a.disabled":    "deb http://disabled.example/debian bookworm main\n",
		},
		"lines": {
			"sources.list": `# deb http://off.example/debian bookworm main
deb-src http://source.example/debian bookworm main
deb http://mirror.example/debian bookworm main non-free # the archive
deb [arch=amd64 signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] http://mirror.example/debian-security bookworm-security main
`,
			"sources.list.d/engine.list": "deb [signed-by=/etc/apt/keyrings/engine.gpg] http://engine.example/debian bookworm main\n",
			"sources.list.d/tool.list":   "deb http://tool.example/debian bookworm stable\n",
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			for file, content := range files {
				path := filepath.Join(dir, file)
				if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			got, err := findArchives(dir)
			if err != nil || got != want {
				t.Errorf("got %+v, %v, want %+v", got, err, want)
			}
		})
	}
	if _, err := findArchives(t.TempDir()); err == nil {
		t.Error("no sources: got no error")
	}
}

func TestSourcesList(t *testing.T) {
	list := archives{main: "M"}.list()
	if !strings.Contains(list, " M trixie-backports main\n") || strings.Contains(list, "-security") {
		t.Errorf("without a security archive: got\n%s", list)
	}
	list = archives{main: "M", security: "S"}.list()
	if !strings.Contains(list, " S bookworm-security main\n") || strings.Contains(list, "trusted") {
		t.Errorf("with a security archive: got\n%s", list)
	}
}
