package initramfs

import (
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"strings"

	"github.com/verialloc/verialloc/lab/internal/guest"
)

// AddBase adds what every guest has: the mount points, busybox under the names
// of all its applets, and the few files of /etc by which names are looked up.
func (m *Image) AddBase() error {
	for _, dir := range []string{"/dev", "/proc", "/sys", "/run", "/tmp", "/mnt", "/root", "/var/tmp"} {
		m.Dir(dir)
	}
	m.File("/etc/passwd", 0o644, []byte("root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n"))
	m.File("/etc/group", 0o644, []byte("root:x:0:\nnogroup:x:65534:\n"))
	m.File("/etc/hosts", 0o644, []byte("127.0.0.1 localhost\n::1 localhost\n"))
	return m.addBusybox()
}

func (m *Image) addBusybox() error {
	const install = "install the Debian package busybox-static"
	host, err := exec.LookPath("busybox")
	if err != nil {
		return errors.New("busybox is missing: " + install)
	}
	if dynamic, err := isDynamic(host); err != nil {
		return err
	} else if dynamic {
		return fmt.Errorf("%s is dynamically linked: %s", host, install)
	}
	list, err := exec.Command(host, "--list-full").Output()
	if err != nil {
		return fmt.Errorf("%s --list-full: %w", host, err)
	}
	const place = "/bin/busybox"
	for applet := range strings.Lines(string(list)) {
		m.Link("/"+strings.TrimSpace(applet), place)
	}
	return m.Copy(host, place)
}

// AddSpec adds the init's orders.
func (m *Image) AddSpec(spec guest.Spec) error {
	text, err := json.Marshal(spec)
	if err != nil {
		return err
	}
	m.File(guest.SpecPath, 0o644, text)
	return nil
}
