package tracer

import (
	"os"
	"strings"
	"testing"
)

func TestNormalize(t *testing.T) {
	page := os.Getpagesize()
	first, _ := machineRing()
	defaults := Config{RingBytes: first, Latency: LatencyAuto, MaxLoads: 1024, WakeupBytes: first / 2}
	with := func(change func(*Config)) Config {
		c := defaults
		change(&c)
		return c
	}
	for _, c := range []struct {
		name    string
		in      Config
		want    Config
		failure string // part of the error
	}{
		{name: "zero", want: defaults},
		{
			name: "all set", in: with(func(c *Config) { c.Latency, c.PID, c.Comm = LatencyOff, 7, "fifteen_letters" }),
			want: with(func(c *Config) { c.Latency, c.PID, c.Comm = LatencyOff, 7, "fifteen_letters" }),
		},
		{
			name: "a small ring wakes sooner", in: Config{RingBytes: 1 << 16},
			want: with(func(c *Config) { c.RingBytes, c.WakeupBytes = 1<<16, 1<<15 }),
		},
		{
			name: "the smallest ring", in: Config{RingBytes: page},
			want: with(func(c *Config) { c.RingBytes, c.WakeupBytes = page, page/2 }),
		},
		{name: "the largest ring", in: Config{RingBytes: 1 << 30}, want: with(func(c *Config) { c.RingBytes, c.WakeupBytes = 1<<30, 1<<29 })},
		{name: "wakeups of one's own", in: Config{WakeupBytes: 5}, want: with(func(c *Config) { c.WakeupBytes = 5 })},
		{name: "glob", in: Config{Select: Select{Prog: "a[b-d]*"}}, want: with(func(c *Config) { c.Select.Prog = "a[b-d]*" })},

		{name: "ring of no power of two", in: Config{RingBytes: 3 * page}, failure: "power of two"},
		{name: "ring below a page", in: Config{RingBytes: page / 2}, failure: "power of two"},
		{name: "ring above a gigabyte", in: Config{RingBytes: 1 << 31}, failure: "power of two"},
		{name: "negative ring", in: Config{RingBytes: -page}, failure: "power of two"},
		{name: "latency mode", in: Config{Latency: "kretprobe"}, failure: `"kretprobe"`},
		{name: "comm of 16 bytes", in: Config{Comm: "sixteen__letters"}, failure: "at most 15"},
		{name: "negative PID", in: Config{PID: -1}, failure: "want 0 to"},
		{name: "too many loads", in: Config{MaxLoads: 1<<16 + 1}, failure: "at most 65536"},
		{name: "negative loads", in: Config{MaxLoads: -1}, failure: "want 0 to"},
		{name: "negative wakeups", in: Config{WakeupBytes: -1}, failure: "want 0 to"},
		{name: "open bracket", in: Config{Select: Select{Prog: "a["}}, failure: `glob "a["`},
		{name: "bad range late in the glob", in: Config{Select: Select{Prog: "name*x[]"}}, failure: "glob"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := c.in
			err := got.normalize()
			if c.failure != "" {
				if err == nil || !strings.Contains(err.Error(), c.failure) {
					t.Errorf("error %v, want one that says %q", err, c.failure)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if got.RingBytes != c.want.RingBytes || got.Latency != c.want.Latency || got.MaxLoads != c.want.MaxLoads ||
				got.WakeupBytes != c.want.WakeupBytes || got.PID != c.want.PID || got.Comm != c.want.Comm || got.Select != c.want.Select {
				t.Errorf("got %+v, want %+v", got, c.want)
			}
			again := got
			if err := again.normalize(); err != nil || again.WakeupBytes != got.WakeupBytes || again.RingBytes != got.RingBytes {
				t.Errorf("a second time: %+v, %v", again, err)
			}
		})
	}
}
