package veristat

// A Column is one that veristat does not have.
type Column struct {
	Name  string // in CSV
	Title string // in a table for people
	Text  func(*Row) string
}

// cells returns what is printed of a row.
func (v View) cells(r *Row, columns []Stat, name func(string) string) []string {
	texts := make([]string, 0, len(columns)+len(v.Extra))
	for _, s := range columns {
		if s.IsKey() {
			texts = append(texts, name(r.text(s)))
		} else {
			texts = append(texts, r.text(s))
		}
	}
	for _, c := range v.Extra {
		texts = append(texts, c.Text(r))
	}
	return texts
}
