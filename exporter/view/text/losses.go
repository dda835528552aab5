package text

import (
	"fmt"
	"strings"

	"github.com/verialloc/verialloc/tracer/record"
)

// Losses returns each reason with its count.
func Losses(losses []record.Loss) string {
	texts := make([]string, len(losses))
	for i, l := range losses {
		texts[i] = fmt.Sprintf("%s %d", Printable(l.Reason), l.Count)
	}
	return strings.Join(texts, ", ")
}
