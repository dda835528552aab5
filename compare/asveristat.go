package compare

import (
	"slices"

	"github.com/verialloc/verialloc/compare/veristat"
)

// AsVeristat joins two sides as veristat -C does. A recording has the medians of its bare
// loads. It fails as veristat does on two CSVs whose columns are not the same; of a
// recording beside a CSV it takes the CSV's columns.
func AsVeristat(base, comp *Input, names *NameMap) (*veristat.Comparison, error) {
	a, b := base.asTable(), comp.asTable()
	switch {
	case base.table == nil && comp.table != nil:
		a.Columns = b.Columns
	case base.table != nil && comp.table == nil:
		b.Columns = a.Columns
	}
	renamed := map[key]key{}
	for _, s := range base.subjects {
		renamed[names.of(s.key)] = s.key
	}
	b.Rows = slices.Clone(b.Rows)
	for i := range b.Rows {
		if old, ok := renamed[key{b.Rows[i].File, b.Rows[i].Prog}]; ok {
			b.Rows[i].File, b.Rows[i].Prog = old.file, old.prog
		}
	}
	return veristat.Compare(&a, &b)
}

// asTable returns a side as veristat's table.
func (in *Input) asTable() veristat.Table {
	if in.table != nil {
		return *in.table
	}
	return *veristat.FromRecording(in.loads)
}
