package sample

import (
	"reflect"
	"testing"
	"unicode"
	"unicode/utf8"
)

// Hostile is a name of everything that must reach no terminal and no mail as it is: an
// escape sequence, ends of lines, a zero byte, C1 controls in both encodings, what turns
// the direction of writing, what has no width, a letter that shows nothing, and invalid
// UTF-8.
const Hostile = "evil\x1b[2J\x1b]0;x\a\r\n\t\x00\x7f\u0085\u009b\x9b\u202e\u2066\u200b\ufeff\u00ad\u2028\u00a0" + filler + "\xff\xc3"

// filler is the Hangul filler, which is a letter by its class.
const filler = "\u3164"

// Shown fails a test if a text that an outlet wrote holds what does not print, beside
// newlines.
func Shown(t *testing.T, outlet, text string) {
	t.Helper()
	if !utf8.ValidString(text) {
		t.Errorf("%s: invalid UTF-8 in %q", outlet, text)
	}
	for _, r := range text {
		if r != '\n' && !unicode.IsPrint(r) || string(r) == filler {
			t.Errorf("%s: %U in %q", outlet, r, text)
			return
		}
	}
}

// Poison makes every string that a pointer reaches [Hostile], also those of members that
// come later, and returns the pointer.
func Poison[T any](pointer *T) *T {
	poison(reflect.ValueOf(pointer).Elem())
	return pointer
}

func poison(v reflect.Value) {
	switch v.Kind() {
	case reflect.String:
		v.SetString(Hostile)
	case reflect.Pointer:
		if !v.IsNil() {
			poison(v.Elem())
		}
	case reflect.Slice:
		for i := range v.Len() {
			poison(v.Index(i))
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				poison(v.Field(i))
			}
		}
	case reflect.Map:
		if v.Type().Key().Kind() != reflect.String || v.IsNil() {
			return
		}
		value := reflect.New(v.Type().Elem()).Elem()
		for _, key := range v.MapKeys() {
			value.Set(v.MapIndex(key))
			poison(value)
			v.SetMapIndex(key, value)
		}
		v.SetMapIndex(reflect.ValueOf(Hostile).Convert(v.Type().Key()), value)
	}
}
