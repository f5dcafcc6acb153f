package jsonio_test

import (
	"bytes"
	"encoding/json"
	"math"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/mangadex-go/mangadex/api/internal/jsonio"
)

func FuzzAppendString(f *testing.F) {
	for _, text := range []string{"", "a", "é🌱", "\"\\/\b\f\n\r\t\x00\x1f\x7f", "<&>", "\u2028\u2029", "\xff\xc3", "a\xf0\x9f", strings.Repeat("a", 100) + "\""} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		want, err := json.Marshal(text)
		if err != nil {
			t.Fatal(err)
		}
		got := jsonio.AppendString(nil, text)
		if !utf8.ValidString(text) {
			// Releases of encoding/json differ in how they write U+FFFD for it.
			want, got = bytes.ReplaceAll(want, []byte("\ufffd"), []byte(`\ufffd`)), bytes.ReplaceAll(got, []byte("\ufffd"), []byte(`\ufffd`))
		}
		if string(got) != string(want) {
			t.Errorf("%q is written as %s, want %s", text, got, want)
		}
	})
}

func FuzzAppendFloat(f *testing.F) {
	for _, x := range []float64{0, math.Copysign(0, -1), 1, -1.5, 1e21, 1e20, 1e-6, 1e-7, math.MaxFloat64, math.SmallestNonzeroFloat64, 0.1 + 0.2} {
		f.Add(x)
	}
	f.Fuzz(func(t *testing.T, x float64) {
		want, err := json.Marshal(x)
		if err != nil {
			want = []byte("null")
		}
		if got := jsonio.AppendFloat(nil, x); string(got) != string(want) {
			t.Errorf("%g is written as %s, want %s", x, got, want)
		}
	})
}

func TestAppend(t *testing.T) {
	t.Parallel()
	at := time.Date(2021, 2, 3, 4, 5, 6, 0, time.UTC)
	for _, test := range []struct{ got, want string }{
		{string(jsonio.AppendName(nil, "")), `null`},
		{string(jsonio.AppendName(nil, "x")), `"x"`},
		{string(jsonio.AppendUUID(nil, uuid.Nil)), `null`},
		{string(jsonio.AppendUUID(nil, uuid.MustParse("01234567-89AB-4cde-8f01-23456789abcd"))), `"01234567-89ab-4cde-8f01-23456789abcd"`},
		{string(jsonio.AppendTime(nil, time.Time{})), `null`},
		{string(jsonio.AppendTime(nil, at)), `"2021-02-03T04:05:06+00:00"`},
		{string(jsonio.AppendTime(nil, at.Add(1500*time.Microsecond).In(time.FixedZone("", -3*60*60)))), `"2021-02-03T01:05:06.0015-03:00"`},
		{string(jsonio.AppendRaw(nil, nil)), `null`},
		{string(jsonio.AppendRaw(nil, json.RawMessage(`[1]`))), `[1]`},
		{string(jsonio.Close([]byte(`x`), 1)), `x{}`},
		{string(jsonio.Close([]byte(`x,"a":1`), 1)), `x{"a":1}`},
	} {
		if test.got != test.want {
			t.Errorf("%s, want %s", test.got, test.want)
		}
	}
}

// TestAppendExtra writes members next to those that an object has already.
func TestAppendExtra(t *testing.T) {
	t.Parallel()
	raw := func(text string) json.RawMessage { return json.RawMessage(text) }
	for _, test := range []struct {
		members string
		extra   map[string]json.RawMessage
		want    string
	}{
		{``, nil, `{}`},
		{`,"a":1`, nil, `{"a":1}`},
		{``, map[string]json.RawMessage{"b": raw(`[1]`), "a": nil}, `{"a":null,"b":[1]}`},
		{`,"a":1`, map[string]json.RawMessage{"b": raw(`{"a":2}`)}, `{"a":1,"b":{"a":2}}`},
		{`,"a":0,"b":"","c":false,"d":null`, map[string]json.RawMessage{"a": raw(`null`), "b": raw(`null`), "c": raw(`null`), "d": raw(`1`)}, `{"a":null,"b":null,"c":null,"d":1}`},
		{`,"a":5,"b":"x","c":true`, map[string]json.RawMessage{"a": raw(`null`), "b": raw(`null`), "c": raw(`null`)}, `{"a":5,"b":"x","c":true}`},
		{`,"a":{"b":0,"c":[{"d":""},false]},"e":1`, map[string]json.RawMessage{"a": raw(`null`)}, `{"a":null,"e":1}`},
		{`,"a":{"b":0,"c":[{"d":""},true]},"e":1`, map[string]json.RawMessage{"a": raw(`null`)}, `{"a":{"b":0,"c":[{"d":""},true]},"e":1}`},
		{`,"x":{"a":1}`, map[string]json.RawMessage{"a": raw(`2`)}, `{"x":{"a":1},"a":2}`},
		{`,"x":"\"a\":"`, map[string]json.RawMessage{"a": raw(`2`)}, `{"x":"\"a\":","a":2}`},
	} {
		b := append([]byte(`[`), test.members...)
		if got := string(jsonio.Close(jsonio.AppendExtra(b, 1, test.extra), 1)); got != `[`+test.want {
			t.Errorf("%s with %s becomes %s, want %s", test.members, test.extra, got, test.want)
		}
	}
}
