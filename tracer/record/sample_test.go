package record

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestSampleJSON(t *testing.T) {
	want := Sample{Head: NewHead(KindSample), Name: "prog"}
	want.VerifierTimeNS, want.LongestMarkReadWalk, want.TotalStates, want.SyscallNS = 5000, 3, 7, 9000
	for name, text := range map[string]string{
		"old": `{"schema":"verialloc/1","kind":"sample","prog_name":"prog","duration_ns":5000,"total_states":7,"max_mark_read_len":3,"syscall_ns":9000}`,
		"new": `{"schema":"verialloc/1","kind":"sample","prog_name":"prog","verifier_time_ns":5000,"total_states":7,"longest_mark_read_walk":3,"syscall_ns":9000}`,
	} {
		var got Sample
		if err := json.Unmarshal([]byte(text), &got); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s recording (-want +got):\n%s", name, diff)
		}
	}

	// Whoever sets the new members writes both.
	text, err := json.Marshal(&want)
	if err != nil {
		t.Fatal(err)
	}
	for _, member := range []string{
		`"duration_ns":5000`, `"verifier_time_ns":5000`, `"max_mark_read_len":3`, `"longest_mark_read_walk":3`,
	} {
		if strings.Count(string(text), member) != 1 {
			t.Errorf("want %s once in %s", member, text)
		}
	}
}

// Names are escaped only where the encoder does so.
func TestSampleEscapes(t *testing.T) {
	s := Sample{File: "a&b", Traced: &Verification{Comm: "<c>"}}
	for escape, want := range map[bool][]string{true: {`"a\u0026b"`, `"\u003cc\u003e"`}, false: {`"a&b"`, `"<c>"`}} {
		var b strings.Builder
		encoder := json.NewEncoder(&b)
		encoder.SetEscapeHTML(escape)
		if err := encoder.Encode(&s); err != nil {
			t.Fatal(err)
		}
		for _, name := range want {
			if !strings.Contains(b.String(), name) {
				t.Errorf("escape %t: want %s in %s", escape, name, b.String())
			}
		}
	}
}

// The clocks of a traced sample and of its verification have different names.
func TestSampleClocks(t *testing.T) {
	s := Sample{Traced: &Verification{DurationNS: 60_000}}
	s.VerifierTimeNS, s.Traced.VerifierTimeNS = 5000, 5100
	text, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	var got Sample
	if err := json.Unmarshal(text, &got); err != nil {
		t.Fatal(err)
	}
	if got.VerifierTimeNS != 5000 || got.Traced.VerifierTimeNS != 5100 || got.Traced.DurationNS != 60_000 {
		t.Errorf("got %d, traced %d and %d", got.VerifierTimeNS, got.Traced.VerifierTimeNS, got.Traced.DurationNS)
	}
}
