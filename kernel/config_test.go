package kernel

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/verialloc/verialloc/internal/input"
)

func TestConfigOption(t *testing.T) {
	c, err := ParseConfig(strings.NewReader("CONFIG_HZ=250\n# CONFIG_KASAN is not set\nCONFIG_CC_VERSION_TEXT=\"gcc 12\"\nother=1\n"))
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"CONFIG_HZ": "250", "CONFIG_CC_VERSION_TEXT": `"gcc 12"`} {
		if value, ok := c.Option(name).Get(); !ok || value != want {
			t.Errorf("%s: %q, %v", name, value, ok)
		}
	}
	for _, name := range []string{"CONFIG_KASAN", "CONFIG_NONE", "other"} {
		if option := c.Option(name); !option.IsAbsent() {
			t.Errorf("%s: %+v, want absent", name, option)
		}
	}
	if c.Why() != nil {
		t.Error(c.Why())
	}
	var none Config
	if !none.Option("CONFIG_HZ").IsUnknown() || none.Why() == nil || none.Why().Error() == "" {
		t.Errorf("of no configuration: %+v", none.Option("CONFIG_HZ"))
	}
	if empty, err := ParseConfig(strings.NewReader("")); err != nil || !empty.Option("CONFIG_HZ").IsAbsent() {
		t.Errorf("of an empty one: %+v, error %v", empty.Option("CONFIG_HZ"), err)
	}
	if _, err := ParseConfig(strings.NewReader("CONFIG_A=" + strings.Repeat("a", 1<<17))); err == nil {
		t.Error("a line without end is read")
	}
}

// The kernel's own configuration is asked first: that of a package may be another build's.
func TestConfigOrder(t *testing.T) {
	root := fstest.MapFS{
		"usr/lib/modules/6.1/config": file("CONFIG_FROM=4\n"),
		"lib/modules/6.1/config":     file("CONFIG_FROM=3\n"),
		"boot/config-6.1":            file("CONFIG_FROM=2\n"),
		"proc/config.gz":             zipped(t, "CONFIG_FROM=1\n"),
		"boot/config-6.12":           file("CONFIG_FROM=9\n"),
	}
	for _, c := range []struct{ path, want string }{
		{"proc/config.gz", "1"},
		{"boot/config-6.1", "2"},
		{"lib/modules/6.1/config", "3"},
		{"usr/lib/modules/6.1/config", "4"},
	} {
		if from := readConfig(root, "6.1").value("FROM"); from != c.want {
			t.Errorf("%s from file %s, want %s", c.path, from, c.want)
		}
		delete(root, c.path)
	}
	if c := readConfig(root, "6.1"); c.Why() == nil || !strings.Contains(c.Why().Error(), "/boot/config-6.1") {
		t.Errorf("no reason: %v", c.Why())
	}
}

func FuzzParseConfig(f *testing.F) {
	f.Add("CONFIG_HZ=250\n# CONFIG_KASAN is not set\n")
	f.Add("CONFIG_A=\"=\"\nCONFIG_=\n=\n")
	f.Fuzz(func(t *testing.T, text string) {
		c, err := ParseConfig(strings.NewReader(text))
		if err != nil {
			return
		}
		for name, value := range c.options {
			if !strings.HasPrefix(name, "CONFIG_") || !strings.Contains(text, name+"="+value) {
				t.Errorf("%q is %q in %q", name, value, text)
			}
		}
		if c.Why() != nil || c.Option("CONFIG_HZ").IsUnknown() {
			t.Error("what was read is not known")
		}
	})
}

// What gzip makes of a file is not longer than any other.
func TestConfigExpands(t *testing.T) {
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	lines := bytes.Repeat([]byte("CONFIG_HZ=250\n"), 1<<16)
	for n := 0; n <= 129<<20; n += len(lines) {
		if _, err := w.Write(lines); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	c := readConfig(fstest.MapFS{"proc/config.gz": {Data: packed.Bytes()}}, "6.12.0")
	if why := c.Why(); !errors.Is(why, input.ErrTooLarge) || !strings.Contains(why.Error(), "/proc/config.gz: ") {
		t.Errorf("of %d packed bytes: %v", packed.Len(), why)
	}
}

// A device in the place of a file is refused ahead of opening it.
func TestConfigDevice(t *testing.T) {
	c := readConfig(fstest.MapFS{"boot/config-6.12.0": {Mode: fs.ModeDevice | fs.ModeCharDevice}}, "6.12.0")
	if why := c.Why(); why == nil || !strings.Contains(why.Error(), "/boot/config-6.12.0: it is a device") {
		t.Errorf("why: %v", why)
	}
}
