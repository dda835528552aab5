package compare

import (
	"encoding/json"
	"io"
)

// WriteJSON writes a comparison as one line of JSON.
func WriteJSON(w io.Writer, c *Comparison) error {
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	return encoder.Encode(c)
}
