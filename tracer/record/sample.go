package record

import (
	"cmp"
	"encoding/json"
)

// MarshalJSON writes the deprecated members too.
func (s Sample) MarshalJSON() ([]byte, error) {
	s.DurationNS, s.MaxMarkReadLen = s.VerifierTimeNS, s.LongestMarkReadWalk
	type plain Sample // without this method
	return marshal(plain(s))
}

// UnmarshalJSON reads samples of earlier versions as well, which have verifier_time_ns and
// longest_mark_read_walk by the deprecated names alone.
func (s *Sample) UnmarshalJSON(text []byte) error {
	type plain Sample
	if err := json.Unmarshal(text, (*plain)(s)); err != nil {
		return err
	}
	s.VerifierTimeNS = cmp.Or(s.VerifierTimeNS, s.DurationNS)
	s.LongestMarkReadWalk = cmp.Or(s.LongestMarkReadWalk, s.MaxMarkReadLen)
	s.DurationNS, s.MaxMarkReadLen = 0, 0
	return nil
}
