package errno

import "testing"

func TestName(t *testing.T) {
	for number, want := range map[int]string{13: "EACCES", 524: "ENOTSUPP", 4000: ""} {
		if got := Name(number); got != want {
			t.Errorf("%d is %q, want %q", number, got, want)
		}
	}
}
