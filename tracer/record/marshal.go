package record

import (
	"bytes"
	"encoding/json"
)

// marshal is json.Marshal for methods named MarshalJSON: it leaves <, > and & as they
// are, so that the encoder that called decides whether they are escaped.
func marshal(v any) ([]byte, error) {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	err := encoder.Encode(v)
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), err
}
