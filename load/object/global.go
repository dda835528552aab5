package object

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/cilium/ebpf/btf"

	"github.com/verialloc/verialloc/load"
)

// Global sets a global variable of an object, or a part of one, to a value.
type Global struct {
	text       string
	name       string
	path       []step // to a part of the variable
	number     int64
	enumerator string // the value's name; empty: it is number
}

// step goes from a structure to a member, or from an array to an element.
type step struct {
	member  string // empty: an element
	element Global // its number or enumerator
}

// ParseGlobal reads "name = value", as veristat's -G does. Members and indices may follow
// the name, as in a.b[2].c. The value and the indices are integers in C's notation or names
// of enumerators; the value of a boolean may also be true or false. An error quotes the
// text.
func ParseGlobal(text string) (Global, error) {
	name, value, ok := strings.Cut(text, "=")
	if !ok {
		return Global{}, fmt.Errorf("%q is not a variable and a value, such as name = 1", text)
	}
	g, err := parseValue(strings.TrimSpace(value))
	if err != nil {
		return Global{}, fmt.Errorf("%q: %w", text, err)
	}
	g.text = strings.TrimSpace(text)
	if g.name, g.path, err = parsePath(strings.TrimSpace(name)); err != nil {
		return Global{}, fmt.Errorf("%q: %w", text, err)
	}
	return g, nil
}

// String returns the text that was parsed, without the white space around it.
func (g Global) String() string { return g.text }

// numberInC matches the integers of C. Go has more notations.
var numberInC = regexp.MustCompile(`^-?(0[xX][0-9a-fA-F]+|[0-9]+)$`)

// parseValue reads an integer or a name.
func parseValue(text string) (Global, error) {
	if isWord(text) && (text[0] < '0' || text[0] > '9') {
		return Global{enumerator: text}, nil
	}
	if !numberInC.MatchString(text) {
		return Global{}, fmt.Errorf("%q is neither a number nor a name", text)
	}
	if n, err := strconv.ParseInt(text, 0, 64); err == nil {
		return Global{number: n}, nil
	}
	if n, err := strconv.ParseUint(text, 0, 64); err == nil {
		return Global{number: int64(n)}, nil
	}
	return Global{}, fmt.Errorf("%q is not a number of 64 bits", text)
}

// parsePath reads a name and the members and indices that follow it.
func parsePath(text string) (name string, path []step, err error) {
	for part := range strings.SplitSeq(text, ".") {
		word, indices, indexed := strings.Cut(strings.TrimSpace(part), "[")
		word = strings.TrimSpace(word)
		if !isWord(word) {
			return "", nil, fmt.Errorf("%q is not the name of a variable or member", word)
		}
		if name == "" {
			name = word
		} else {
			path = append(path, step{member: word})
		}
		for indexed {
			var index, rest string
			if index, rest, indexed = strings.Cut(indices, "]"); !indexed {
				return "", nil, fmt.Errorf("an index of %s has no end", word)
			}
			element, err := parseValue(strings.TrimSpace(index))
			if err != nil {
				return "", nil, fmt.Errorf("an index of %s: %w", word, err)
			}
			path = append(path, step{element: element})
			if rest = strings.TrimSpace(rest); rest == "" {
				break
			}
			if indices, indexed = strings.CutPrefix(rest, "["); !indexed {
				return "", nil, fmt.Errorf("%q follows an index of %s", rest, word)
			}
		}
	}
	return name, path, nil
}

// isWord reports whether the text may be a name in C, or a number.
func isWord(text string) bool {
	return text != "" && strings.Trim(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") == ""
}

// setGlobals sets variables of the object, each at most once.
func (o *object) setGlobals(globals []Global) error {
	if len(globals) > 0 && o.spec.Types == nil {
		return errors.New("the object has no types, and so no variable can be set")
	}
	set := make(map[string]bool)
	for _, g := range globals {
		target, _, _ := strings.Cut(g.text, "=")
		target = strings.Join(strings.Fields(target), "")
		if set[target] {
			return fmt.Errorf("%s: the variable is set twice", g)
		}
		set[target] = true
		if err := o.setGlobal(g); err != nil {
			return fmt.Errorf("%s: %w", g, err)
		}
	}
	return nil
}

// setGlobal sets a variable in the section that has it.
func (o *object) setGlobal(g Global) error {
	for _, name := range slices.Sorted(maps.Keys(o.spec.Maps)) {
		m := o.spec.Maps[name]
		section, ok := m.Value.(*btf.Datasec)
		if !ok || !isData(m) {
			continue
		}
		data := m.Contents[0].Value.([]byte)
		for _, v := range section.Vars {
			variable, ok := v.Type.(*btf.Var)
			if !ok || variable.Name != g.name {
				continue
			}
			if uint64(v.Offset) > uint64(len(data)) {
				return errors.New("the variable is not within its section")
			}
			return o.setPart(g, variable.Type, data[v.Offset:])
		}
	}
	return errors.New("the object has no such variable")
}

// setPart follows the path to a part of the variable and sets that.
func (o *object) setPart(g Global, typ btf.Type, data []byte) error {
	offset := 0
	for _, s := range g.path {
		var err error
		if s.member != "" {
			var n int
			typ, n, err = memberOf(typ, s.member, map[btf.Type]bool{})
			offset += n
		} else {
			var n int
			typ, n, err = o.elementOf(typ, s.element)
			offset += n
		}
		if err != nil {
			return err
		}
	}
	size, err := btf.Sizeof(typ)
	if err != nil {
		return err
	}
	if offset < 0 || size < 1 || size > 8 || offset > len(data)-size {
		return fmt.Errorf("the variable has %d bytes from %d on, in a section that goes on for %d", size, offset, len(data))
	}
	value, err := g.valueFor(typ, size)
	if err != nil {
		return err
	}
	var bytes [8]byte
	load.NativeEndian.PutUint64(bytes[:], uint64(value))
	copy(data[offset:offset+size], bytes[:])
	return nil
}

// memberOf finds a member, those of anonymous members included, and its offset. It looks
// into a type once, whether or not the type has itself for a member.
func memberOf(typ btf.Type, name string, seen map[btf.Type]bool) (btf.Type, int, error) {
	var members []btf.Member
	typ = btf.UnderlyingType(typ)
	switch t := typ.(type) {
	case *btf.Struct:
		members = t.Members
	case *btf.Union:
		members = t.Members
	default:
		return nil, 0, fmt.Errorf("what should have a member %s is no structure", name)
	}
	if seen[typ] {
		members = nil
	}
	seen[typ] = true
	for _, m := range members {
		offset := int(m.Offset.Bytes())
		switch {
		case m.Name == name && m.BitfieldSize != 0:
			return nil, 0, fmt.Errorf("member %s is a bit field, which cannot be set", name)
		case m.Name == name:
			return m.Type, offset, nil
		case m.Name == "":
			if inner, n, err := memberOf(m.Type, name, seen); err == nil {
				return inner, offset + n, nil
			}
		}
	}
	return nil, 0, fmt.Errorf("the structure has no member %s", name)
}

// elementOf finds an element of an array, and its offset.
func (o *object) elementOf(typ btf.Type, index Global) (btf.Type, int, error) {
	array, ok := btf.UnderlyingType(typ).(*btf.Array)
	if !ok {
		return nil, 0, errors.New("what should have an index is no array")
	}
	n := index.number
	if index.enumerator != "" {
		var err error
		if n, err = o.enumerator(index.enumerator); err != nil {
			return nil, 0, err
		}
	}
	if n < 0 || n >= int64(array.Nelems) {
		return nil, 0, fmt.Errorf("the index %d is not within [0, %d)", n, array.Nelems)
	}
	size, err := btf.Sizeof(array.Type)
	if err != nil {
		return nil, 0, err
	}
	if n > 0 && size > maxData/int(n) {
		return nil, 0, fmt.Errorf("the index %d of elements of %d bytes is beyond any section", n, size)
	}
	return array.Type, int(n) * size, nil
}

// enumerator finds a named value in any enumeration of the object.
func (o *object) enumerator(name string) (int64, error) {
	for typ, err := range o.spec.Types.All() {
		if err != nil {
			return 0, err
		}
		if enum, ok := typ.(*btf.Enum); ok {
			if value, ok := enumValue(enum, name); ok {
				return value, nil
			}
		}
	}
	return 0, fmt.Errorf("the object has no enumerator %s", name)
}

func enumValue(enum *btf.Enum, name string) (int64, bool) {
	for _, v := range enum.Values {
		if v.Name == name {
			return int64(v.Value), true
		}
	}
	return 0, false
}

// valueFor returns the value in a variable of a type and size in bytes.
func (g Global) valueFor(typ btf.Type, size int) (int64, error) {
	signed, value := false, g.number
	switch t := btf.UnderlyingType(typ).(type) {
	case *btf.Int:
		signed = t.Encoding == btf.Signed
		if g.enumerator != "" {
			boolean := slices.Index([]string{"false", "true"}, g.enumerator)
			if t.Encoding != btf.Bool || boolean < 0 {
				return 0, fmt.Errorf("%s is no value for a variable of type %s", g.enumerator, t.Name)
			}
			value = int64(boolean)
		}
	case *btf.Enum:
		signed = t.Signed
		if g.enumerator != "" {
			var ok bool
			if value, ok = enumValue(t, g.enumerator); !ok {
				return 0, fmt.Errorf("%s is no enumerator of the variable's type", g.enumerator)
			}
			return value, nil
		}
	default:
		return 0, fmt.Errorf("only integers and enumerations can be set, not a %s", cmp.Or(typ.TypeName(), fmt.Sprintf("%T", t)))
	}
	if size == 8 {
		return value, nil
	}
	bits := 8 * size
	if signed {
		bits--
	}
	// An unsigned variable may have a negative value, too: veristat uses its bits.
	low, high := int64(-1)<<bits, int64(1)<<bits-1
	if value < low || value > high {
		return 0, fmt.Errorf("the value %d is not within [%d, %d]", value, low, high)
	}
	return value, nil
}
