package assemble

import "math/bits"

// liveTable holds the live objects by pointer: open addressing with linear probing.
// Each event does one lookup in it, and a Go map takes three times as long for an
// allocation and its free. Its zero value is empty.
type liveTable struct {
	slots []slot // a power of two of them, or none
	used  int
}

type slot struct {
	pointer uint64 // 0: the slot is free
	object  object
}

// leastSlots is how many a table begins with.
const leastSlots = 1 << 10

// home is the slot that a pointer should have: objects are aligned, so the low bits
// say little.
func (t *liveTable) home(pointer uint64) int {
	const golden = 0x9e3779b97f4a7c15
	return int(pointer * golden >> (64 - bits.Len(uint(len(t.slots)-1))))
}

// put adds an object and returns the one that had its pointer, if any.
func (t *liveTable) put(pointer uint64, o object) (old object, had bool) {
	pointer = max(pointer, 1) // no object has either
	if 2*t.used >= len(t.slots) {
		t.grow()
	}
	i := t.find(pointer)
	s := &t.slots[i]
	if s.pointer == pointer {
		old, s.object = s.object, o
		return old, true
	}
	*s = slot{pointer, o}
	t.used++
	return object{}, false
}

// take removes and returns the object of a pointer.
func (t *liveTable) take(pointer uint64) (o object, had bool) {
	if len(t.slots) == 0 {
		return object{}, false
	}
	i := t.find(max(pointer, 1))
	if t.slots[i].pointer == 0 {
		return object{}, false
	}
	o = t.slots[i].object
	t.used--
	t.remove(i)
	return o, true
}

// find returns the slot that has the pointer, or the free one where it belongs.
func (t *liveTable) find(pointer uint64) int {
	i := t.home(pointer)
	for t.slots[i].pointer != 0 && t.slots[i].pointer != pointer {
		i = (i + 1) & (len(t.slots) - 1)
	}
	return i
}

// remove frees a slot and closes the gap: what comes after it moves up unless its home
// lies beyond.
func (t *liveTable) remove(gap int) {
	mask := len(t.slots) - 1
	for i := (gap + 1) & mask; t.slots[i].pointer != 0; i = (i + 1) & mask {
		if home := t.home(t.slots[i].pointer); (i-home)&mask >= (i-gap)&mask {
			t.slots[gap] = t.slots[i]
			gap = i
		}
	}
	t.slots[gap] = slot{}
}

func (t *liveTable) grow() {
	old := t.slots
	t.slots = make([]slot, max(leastSlots, 2*len(old)))
	for _, s := range old {
		if s.pointer != 0 {
			t.slots[t.find(s.pointer)] = s
		}
	}
}

// clear empties the table and keeps its room.
func (t *liveTable) clear() {
	if t.used > 0 {
		clear(t.slots)
	}
	t.used = 0
}
