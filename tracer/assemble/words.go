package assemble

import (
	"strings"

	"github.com/verialloc/verialloc/tracer/record"
	"github.com/verialloc/verialloc/tracer/record/verifierlog"
)

// Words is what a failed load's log has, or the calls that write it.
type Words struct {
	Log   string // the end of the log
	Calls []Call // the last of the calls
	Cut   bool   // there was something ahead of that
}

// words is what is kept of a verification's log until its end shows whether it is wanted.
type words struct {
	log, calls       strings.Builder
	logCut, callsCut bool
}

func (w *words) addLog(e *Words) {
	w.log.WriteString(e.Log)
	w.logCut = e.Cut
}

func (w *words) addCalls(e *Words) {
	for i := range e.Calls {
		e.Calls[i].printf(&w.calls)
	}
	w.callsCut = e.Cut
}

// describeReason fills in why the verifier rejected a program, in its own words. The calls
// are the kernel's, and come first; the log is the loader's memory. Calls that the kernel
// may have hidden, and words of which a part is not known, are no reason.
func (v *verification) describeReason(r *record.Verification, end *End) {
	if r.Outcome != record.OutcomeRejected {
		return
	}
	if end.Blind == 0 {
		words := verifierlog.Reason(v.words.calls.String(), v.words.callsCut)
		if words != "" && !strings.Contains(words, unknown) {
			r.Reason, r.ReasonFrom = words, record.ReasonFromCalls
			return
		}
	}
	if words := verifierlog.Reason(v.words.log.String(), v.words.logCut); words != "" {
		r.Reason, r.ReasonFrom = words, record.ReasonFromLog
	}
}
