package kernels

import (
	"bufio"
	"bytes"
	"cmp"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// Candidate is a package of the archive that has a kernel.
type Candidate struct {
	Package string // as apt names it
	Version string // of the package
	Release string // of the kernel in it
}

// Packages that have a kernel, by name. "linux-image" packages have it up to
// 6.18, whether signed or not; from 6.19 on they only depend on a "linux-binary"
// package that has it. A name without a third number is that of a release
// candidate's kernel, or of an empty package that depends on the newest.
var (
	imageForm  = regexp.MustCompile(`^linux-image-(\d+\.\d+\.\d+\S*-cloud-amd64)(-unsigned)?$`)
	binaryForm = regexp.MustCompile(`^linux-binary-(\d+\.\d+\S*-cloud-amd64)(-unsigned)?$`)
)

func isBinary(pkg string) bool { return binaryForm.MatchString(pkg) }

// releaseOf returns the release of the kernel in a package, empty when there is
// none.
func releaseOf(pkg string) string {
	for _, form := range []*regexp.Regexp{imageForm, binaryForm} {
		if m := form.FindStringSubmatch(pkg); m != nil {
			return m[1]
		}
	}
	return ""
}

// parseMadison returns the candidates in the output of apt-cache madison, whose
// lines are
//
//	linux-binary-… | 7.1.13-1 | URI suite/main amd64 Packages
func parseMadison(out []byte) []Candidate {
	var all []Candidate
	for lines := bufio.NewScanner(bytes.NewReader(out)); lines.Scan(); {
		fields := strings.Split(lines.Text(), "|")
		if len(fields) != 3 || !strings.HasSuffix(fields[2], " Packages") {
			continue
		}
		pkg := strings.TrimSpace(fields[0])
		if release := releaseOf(pkg); release != "" {
			all = append(all, Candidate{pkg, strings.TrimSpace(fields[1]), release})
		}
	}
	return all
}

// newest returns the newest candidate of each series.
func newest(all []Candidate) map[string]Candidate {
	hasBinary := map[string]bool{}
	for _, c := range all {
		if isBinary(c.Package) {
			hasBinary[Series(c.Release)] = true
		}
	}
	best := map[string]Candidate{}
	for _, c := range all {
		series := Series(c.Release)
		if hasBinary[series] && !isBinary(c.Package) {
			continue
		}
		if old, found := best[series]; !found || better(c, old) {
			best[series] = c
		}
	}
	return best
}

// better reports whether a is to be preferred to b: a finished kernel to a release
// candidate, then the newer package, then the signed one, which is what
// machines run.
func better(a, b Candidate) bool {
	if rcA, rcB := isRC(a.Version), isRC(b.Version); rcA != rcB {
		return rcB
	}
	return cmp.Or(Compare(a.Version, b.Version), len(b.Package)-len(a.Package)) > 0
}

func isRC(version string) bool { return strings.Contains(version, "~rc") }

// seriesNames returns the series in order.
func seriesNames(bySeries map[string]Candidate) []string {
	return slices.SortedFunc(maps.Keys(bySeries), Compare)
}
