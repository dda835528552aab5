package record

import (
	"cmp"
	"encoding/json"
)

// MarshalJSON writes the members that have two names by both.
func (s Sample) MarshalJSON() ([]byte, error) {
	s.normalize()
	type plain Sample // without this method
	return json.Marshal(plain(s))
}

// UnmarshalJSON fills in what a recording from before verifier_time_ns and
// longest_mark_read_walk has by the old names alone.
func (s *Sample) UnmarshalJSON(text []byte) error {
	type plain Sample
	if err := json.Unmarshal(text, (*plain)(s)); err != nil {
		return err
	}
	s.normalize()
	return nil
}

// normalize fills a member of one name from that of the other; where both are there, the
// new name counts.
func (s *Sample) normalize() {
	s.VerifierTimeNS = cmp.Or(s.VerifierTimeNS, s.DurationNS)
	s.LongestMarkReadWalk = cmp.Or(s.LongestMarkReadWalk, s.MaxMarkReadLen)
	s.DurationNS, s.MaxMarkReadLen = s.VerifierTimeNS, s.LongestMarkReadWalk
}
