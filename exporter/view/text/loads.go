package text

import (
	"strconv"
	"strings"

	"github.com/verialloc/verialloc/tracer/record"
)

var classTitles = map[record.LoadClass]string{
	record.LoadsOf32Bit:  "those of 32-bit processes",
	record.LoadsOfKernel: "those that the kernel makes itself, as for light skeletons and modules",
}

// Unseen says which classes of loads are not seen, of which there is one at the least.
func Unseen(classes []record.LoadClass) string {
	titles := make([]string, len(classes))
	for i, c := range classes {
		titles[i] = classTitles[c]
		if titles[i] == "" { // of a later version
			titles[i] = Printable(string(c))
		}
	}
	what := "1 class of loads is"
	if len(classes) != 1 {
		what = strconv.Itoa(len(classes)) + " classes of loads are"
	}
	return what + " not seen here: " + strings.Join(titles, "; ")
}
