package compare

import (
	"fmt"
	"io"
	"strings"

	"github.com/verialloc/verialloc/compare/veristat"
)

// csvMetrics are the metrics that veristat has, and what its unit is in the metric's.
var csvMetrics = []struct {
	stat   veristat.Stat
	metric string
	scale  float64
}{
	{veristat.Duration, "duration", 1000},
	{veristat.TotalInsns, "total_insns", 1},
	{veristat.TotalStates, "total_states", 1},
	{veristat.PeakStates, "peak_states", 1},
	{veristat.MaxStatesPerInsn, "max_states_per_insn", 1},
	{veristat.MaxMarkReadLen, "max_mark_read_len", 1},
	{veristat.ProgSize, "prog_size", 1},
	{veristat.ProgSizeJited, "prog_size_jited", 1},
	{veristat.StackDepth, "stack_depth", 1},
	{veristat.MemPeak, "mem_peak", 1},
}

// readVeristat reads the CSV of veristat. One table may follow another, each with its
// header.
func readVeristat(r io.Reader) (*Input, error) {
	table, err := veristat.ReadCSVs(r)
	if err != nil {
		return nil, err
	}
	in := &Input{source: Source{Format: FormatVeristat, Samples: len(table.Rows)}, table: table}
	byKey := map[key]*csvRows{}
	var order []*csvRows
	for i := range table.Rows {
		row := &table.Rows[i]
		k := key{row.File, row.Prog}
		if byKey[k] == nil {
			byKey[k] = &csvRows{key: k}
			order = append(order, byKey[k])
		}
		byKey[k].add(table.Columns, row)
	}
	for _, rows := range order {
		s, doubt := rows.subject()
		if doubt != "" {
			in.warn("repeated_row", rows.key, "%s", doubt)
		}
		in.subjects = append(in.subjects, s)
	}
	in.source.Programs = len(in.subjects)
	return in, nil
}

// csvRows are the rows of one program.
type csvRows struct {
	key
	columns []veristat.Stat
	seen    map[veristat.Stat][]veristat.Value // different values, in the order read
	count   int
}

func (r *csvRows) add(columns []veristat.Stat, row *veristat.Row) {
	if r.seen == nil {
		r.seen = map[veristat.Stat][]veristat.Value{}
	}
	r.count++
	for _, column := range columns {
		value, ok := row.Value(column)
		if !ok || column.IsKey() {
			continue
		}
		if len(r.seen[column]) == 0 {
			r.columns = append(r.columns, column)
		}
		if !has(r.seen[column], value) {
			r.seen[column] = append(r.seen[column], value)
		}
	}
}

func has(values []veristat.Value, v veristat.Value) bool {
	for _, other := range values {
		if other.Text == v.Text {
			return true
		}
	}
	return false
}

// subject returns the program, and a doubt about its rows if there are more than one: a
// CSV has one value of a program, so that rows which agree are copies, no samples, and
// of rows which do not, nothing says which is right.
func (r *csvRows) subject() (*subject, string) {
	s := &subject{key: r.key, values: map[string][]float64{}}
	var contradictions []string
	for _, column := range r.columns {
		values := r.seen[column]
		if len(values) > 1 {
			texts := make([]string, len(values))
			for i, v := range values {
				texts[i] = v.Text
			}
			contradictions = append(contradictions, column.Name()+" "+strings.Join(texts, " and "))
		}
		if column == veristat.Verdict {
			s.verdicts = []string{values[0].Text}
		}
		if column == veristat.MemPeak && values[0].Number < 0 {
			continue // it was not measured
		}
		for _, m := range csvMetrics {
			if m.stat == column {
				s.values[m.metric] = []float64{float64(values[0].Number) * m.scale}
			}
		}
	}
	s.loaded = true
	switch {
	case len(contradictions) > 0:
		s.contradicts = true
		return s, fmt.Sprintf("its %d rows contradict each other: %s; the first is shown", r.count, strings.Join(contradictions, ", "))
	case r.count > 1:
		return s, fmt.Sprintf("its %d rows are the same, and count once", r.count)
	default:
		return s, ""
	}
}
