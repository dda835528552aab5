package main

import (
	"bytes"
	"cmp"
	"errors"

	"github.com/verialloc/verialloc/exporter/view/bench"
	"github.com/verialloc/verialloc/tracer/record"
)

// logged takes the log of a bare sample: for -v and -S, and for why it was rejected.
func (r *benchRun) logged(p *record.Program, s *record.Sample, log string) {
	if s.Verdict != record.VerdictAccepted && !r.rejected[p.ID] {
		r.rejected[p.ID] = true
		r.rejections = append(r.rejections, bench.Rejection(p, s))
	}
	var b bytes.Buffer
	var err error
	if r.options.verbose {
		err = bench.WriteLog(&b, p, s, log)
	}
	if r.options.topSource > 0 {
		err = errors.Join(err, bench.WriteTopSource(&b, p, log, int(r.options.topSource)))
	}
	if err == nil && b.Len() > 0 && r.writeFailed == nil {
		_, err = r.out.Write(b.Bytes())
	}
	r.writeFailed = cmp.Or(r.writeFailed, err)
}
