package jsonio_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/mangadex-go/mangadex/api/internal/jsonio"
)

func reader(data string) *jsonio.Reader {
	r := new(jsonio.Reader)
	r.Reset([]byte(data))
	return r
}

// value reads a document of any form.
func value(r *jsonio.Reader) any {
	switch r.Kind() {
	case '{':
		m := map[string]any{}
		for it := r.Object(); it.Next(); {
			name := string(r.Key())
			m[name] = value(r)
		}
		return m
	case '[':
		list := []any{}
		for it := r.Array(); it.Next(); {
			list = append(list, value(r))
		}
		return list
	case '"':
		return r.String()
	case 't', 'f':
		return r.Bool()
	case 'n':
		r.Null()
		return nil
	}
	return r.Float64()
}

var documents = []string{
	`null`, `true`, `false`, `0`, `-0`, `1.5e-3`, `1E+2`, `""`, `"a"`, `[]`, `{}`, ` [ 1 , [ ] , { } , "x" ] `, `{"a":{"b":[1,{"c":null}]},"d":"é"}`,
	`{"a":1,"a":2}`, `{"":""}`, "\t{\r\n\"a\" : 1 }\n", `"\"\\\/\b\f\n\r\t\u00e9\ud83c\udf31"`, `"\ud83c"`, `"\udf31\ud83c"`, `"\ud83cx"`, `"\ud83c\u0041"`,
	"\"\xff\"", "\"a\xc3\"", `"` + strings.Repeat("a", 100) + `é"`, `"` + strings.Repeat("é", 600) + `"`, `{"` + strings.Repeat("k", 100) + `":1}`,
	`[` + strings.Repeat(`[`, 500) + strings.Repeat(`]`, 500) + `]`,

	``, ` `, `nul`, `nulls`, `tru`, `True`, `01`, `-`, `+1`, `1.`, `.5`, `1e`, `1e+`, `0x1`, `NaN`, `"`, `"\`, `"\x"`, `"\u12"`, `"\u12g4"`, "\"a\nb\"", "\"\x00\"", "\"\x1f\"",
	`[`, `[1`, `[1,`, `[1,]`, `[,1]`, `[1 2]`, `]`, `{`, `{"a"`, `{"a":`, `{"a":1`, `{"a":1,`, `{"a":1,}`, `{a:1}`, `{"a" 1}`, `{"a":}`, `{1:2}`, `{,}`, `[}`, `{]`, `[1}`, `{"a":1]`,
	`1 2`, `{}{}`, `[]]`, "\x00", "1\x00", "\xef\xbb\xbf1", `'a'`, `{"a":1}//`,
}

func FuzzSkip(f *testing.F) {
	for _, document := range documents {
		f.Add([]byte(document))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		r := new(jsonio.Reader)
		r.Reset(data)
		r.Skip()
		r.End()
		if valid := json.Valid(data); (r.Err() == nil) != valid {
			t.Fatalf("%q: %v, valid is %v", data, r.Err(), valid)
		}
		r.Reset(data)
		raw := r.Raw()
		r.End()
		if r.Err() == nil && !bytes.Equal(raw, bytes.Trim(data, " \t\r\n")) {
			t.Fatalf("%q is read as %q", data, raw)
		}
	})
}

func FuzzValue(f *testing.F) {
	for _, document := range documents {
		f.Add([]byte(document))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		r := new(jsonio.Reader)
		r.Reset(data)
		got := value(r)
		r.End()
		var want any
		err := json.Unmarshal(data, &want)
		if (err == nil) != (r.Err() == nil) {
			t.Fatalf("%q: %v, encoding/json says %v", data, r.Err(), err)
		}
		if err == nil && !reflect.DeepEqual(got, want) {
			t.Fatalf("%q is read as %v, want %v", data, got, want)
		}
		if bad := r.Err(); bad != nil {
			var where *jsonio.Error
			if !errors.As(bad, &where) || where.Offset < 0 || where.Offset > len(data) || len(bad.Error()) > 1000 {
				t.Fatalf("%q: %q", data, bad)
			}
		}
	})
}

func FuzzNumber(f *testing.F) {
	for _, number := range []string{"0", "-0", "1", "-1", "9007199254740993", "9223372036854775807", "-9223372036854775808", "9223372036854775808", "1e3", "1.0", "1.5", "1e400", "-1e-400", "123456789012345678", "00", "1e99999999999"} {
		f.Add(number)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if !json.Valid([]byte(text)) || strings.Trim(text, "-0123456789.eE+") != "" {
			return
		}
		r := reader(text)
		n := r.Int64()
		var want int64
		if err := json.Unmarshal([]byte(text), &want); err == nil {
			if r.Err() != nil || n != want {
				t.Errorf("%s is read as %d: %v", text, n, r.Err())
			}
		} else if r.Err() == nil {
			var f float64
			if err := json.Unmarshal([]byte(text), &f); err != nil || f != float64(n) || math.Abs(f) >= 1<<53 {
				t.Errorf("%s is read as %d", text, n)
			}
		}
		r = reader(text)
		x := r.Float64()
		var wantFloat float64
		if err := json.Unmarshal([]byte(text), &wantFloat); (err == nil) != (r.Err() == nil) || err == nil && (x != wantFloat || math.Signbit(x) != math.Signbit(wantFloat)) {
			t.Errorf("%s is read as %g: %v, want %g", text, x, r.Err(), wantFloat)
		}
		for _, quoted := range []string{text, `"` + text + `"`} {
			if r := reader(quoted); r.String() != text || r.Err() != nil {
				t.Errorf("%s as a text: %v", quoted, r.Err())
			}
			if r := reader(quoted); r.Float64() != x && r.Err() == nil {
				t.Errorf("%s as a number", quoted)
			}
		}
	})
}

func FuzzTime(f *testing.F) {
	for _, text := range []string{
		"2018-11-22T23:31:37+00:00", "2018-11-22T23:31:37Z", "2018-11-22T23:31:37.123456+02:00", "2020-02-29T00:00:00+00:00", "2021-02-29T00:00:00+00:00", "2018-11-22T24:00:00+00:00",
		"2018-11-22T23:59:60+00:00", "2018-13-01T00:00:00+00:00", "2018-00-01T00:00:00+00:00", "2018-01-00T00:00:00+00:00", "2018-11-22T23:31:37", "2018-11-22 23:31:37", "0000-01-01T00:00:00+00:00",
		"9999-12-31T23:59:59+00:00", "-001-11-30T00:00:00+00:00", "20x8-11-22T23:31:37+00:00", "2018-11-22T3:31:37+0000",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got, ok := jsonio.ParseTime([]byte(text))
		var want time.Time
		var err error
		for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05Z0700", "2006-01-02T15:04:05", "2006-01-02 15:04:05"} {
			if want, err = time.Parse(layout, text); err == nil {
				break
			}
		}
		if ok != (err == nil) || ok && !got.Equal(want) {
			t.Fatalf("%q is read as %v, %v; want %v, %v", text, got, ok, want, err)
		}
		if ok && got.Year() > 0 && got.Year() < 10000 && got.UTC().Year() < 10000 && !got.IsZero() {
			var back time.Time
			written := jsonio.AppendTime(nil, got)
			if err := json.Unmarshal(written, &back); err != nil || !back.Equal(got) {
				t.Fatalf("%q is written as %s: %v", text, written, err)
			}
		}
	})
}

func FuzzUUID(f *testing.F) {
	for _, text := range []string{"00000000-0000-4000-8000-0000000000aF", "{00000000-0000-4000-8000-0000000000af}", "urn:uuid:00000000-0000-4000-8000-0000000000af", "0000000000004000800000000000000a", "x", "00000000-0000-4000-8000-0000000000ag", "00000000_0000_4000_8000_0000000000af"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		quoted, err := json.Marshal(text)
		if err != nil {
			t.Fatal(err)
		}
		if text = strings.ToValidUTF8(text, "\ufffd"); text == "" {
			return
		}
		want, err := uuid.Parse(text)
		r := reader(string(quoted))
		if id := r.UUID(); (r.Err() == nil) != (err == nil) || err == nil && id != want {
			t.Errorf("%s is read as %v: %v, want %v", quoted, id, r.Err(), err)
		}
		r = reader(string(quoted))
		id, ok := r.TryUUID()
		if ok != (err == nil) || ok && id != want || r.Err() != nil {
			t.Errorf("%s is tried as %v, %v: %v", quoted, id, ok, r.Err())
		}
		if !ok {
			r.Skip()
		}
		if r.End(); r.Err() != nil {
			t.Errorf("%s: what is left is not the value: %v", quoted, r.Err())
		}
	})
}

// TestTolerance reads what does not quite belong where it stands.
func TestTolerance(t *testing.T) {
	t.Parallel()
	check := func(document string, read func(r *jsonio.Reader) any, want any) {
		t.Helper()
		r := reader(document)
		got := read(r)
		r.End()
		if r.Err() != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s is read as %#v, want %#v: %v", document, got, want, r.Err())
		}
	}
	object := func(r *jsonio.Reader) any {
		names := []string{}
		for it := r.Object(); it.Next(); {
			names = append(names, r.KeyName())
			r.Skip()
		}
		return names
	}
	list := func(r *jsonio.Reader) any {
		numbers := []int{}
		for it := r.Array(); it.Next(); {
			numbers = append(numbers, r.Int())
		}
		return numbers
	}
	entries := func(r *jsonio.Reader) any {
		names := []string{}
		it := r.Entries()
		for it.Next() {
			names = append(names, r.KeyName()+"="+r.String())
		}
		return names
	}
	check(`null`, object, []string{})
	check(`[]`, object, []string{})
	check(` [ ] `, object, []string{})
	check(`{"b":[1,{"c":2}],"a":null}`, object, []string{"b", "a"})
	check(`null`, list, []int{})
	check(`{"0":1,"5":2}`, list, []int{1, 2})
	check(`{}`, list, []int{})
	check(`["1",2,null,3.0,1e2]`, list, []int{1, 2, 0, 3, 100})
	check(`["a"]`, entries, []string{"=a"})
	check(`{"x":"a"}`, entries, []string{"x=a"})
	check(`12.50`, func(r *jsonio.Reader) any { return r.String() }, "12.50")
	check(`null`, func(r *jsonio.Reader) any { return r.String() }, "")
	check(`null`, func(r *jsonio.Reader) any { return r.StringPtr() }, (*string)(nil))
	check(`""`, func(r *jsonio.Reader) any { return *r.StringPtr() }, "")
	check(`null`, func(r *jsonio.Reader) any { return r.Name() }, "")
	check(`"1"`, func(r *jsonio.Reader) any { return r.Bool() }, true)
	check(`0`, func(r *jsonio.Reader) any { return r.Bool() }, false)
	check(`null`, func(r *jsonio.Reader) any { return r.Bool() }, false)
	check(`"1.5"`, func(r *jsonio.Reader) any { return r.Float64() }, 1.5)
	check(`""`, func(r *jsonio.Reader) any { return r.UUID() }, uuid.Nil)
	check(`null`, func(r *jsonio.Reader) any { return r.UUID() }, uuid.Nil)
	check(`""`, func(r *jsonio.Reader) any { return r.Time().IsZero() }, true)
	check(`null`, func(r *jsonio.Reader) any { return r.Time().IsZero() }, true)
	at := time.Date(2021, 2, 3, 4, 5, 6, 0, time.UTC)
	check(`"2021-02-03T04:05:06+0000"`, func(r *jsonio.Reader) any { return r.Time() }, at)
	check(`"2021-02-03T06:05:06+0200"`, func(r *jsonio.Reader) any { return r.Time().UTC() }, at)
}

// TestErrors checks where an error says that it is, and what it says.
func TestErrors(t *testing.T) {
	t.Parallel()
	read := func(r *jsonio.Reader) {
		for it := r.Object(); it.Next(); {
			switch string(r.Key()) {
			case "text":
				_ = r.String()
			case "number":
				r.Int()
			case "yes":
				r.Bool()
			case "id":
				r.UUID()
			case "time":
				r.Time()
			case "object":
				for it := r.Object(); it.Next(); {
					r.Int()
				}
			case "list":
				for it := r.Array(); it.Next(); {
					for it := r.Object(); it.Next(); {
						r.Int()
					}
				}
			default:
				r.Skip()
			}
		}
		r.End()
	}
	for _, test := range []struct{ document, want string }{
		{`[1]`, `at the top (byte 0): want an object, got "[1]"`},
		{`"x"`, `at the top (byte 0): want an object, got "\"x\""`},
		{`{"text":{}}`, `text (byte 8): want a text, got "{}}"`},
		{`{"text":true}`, `text (byte 8): want a text, got "true}"`},
		{`{"number":"x"}`, `number (byte 10): want a whole number, got "\"x\"}"`},
		{`{"number":1.5}`, `number (byte 10): want a whole number, got "1.5}"`},
		{`{"number":99999999999999999999}`, `number (byte 10): want a whole number, got "99999999999999999999}"`},
		{`{"yes":2}`, `yes (byte 7): want true or false, got "2}"`},
		{`{"yes":"maybe"}`, `yes (byte 7): want true or false, got "\"maybe\"}"`},
		{`{"id":"x"}`, `id (byte 6): want a UUID, got "\"x\"}"`},
		{`{"id":5}`, `id (byte 6): want a UUID, got "5}"`},
		{`{"time":"yesterday, when all was well"}`, `time (byte 8): want a time, got "\"yesterday, when all was"…`},
		{`{"a":1,"object":[1]}`, `object (byte 16): want an object, got "[1]}"`},
		{`{"list":[{"a":1},{"b":[2]}]}`, `list[1].b (byte 22): want a number, got "[2]}]}"`},
		{`{"list":5}`, `list (byte 8): want a list, got "5}"`},
		{`{"x":[0,{"y":[1,2,tru]}]}`, `x[1].y[2] (byte 18): want a JSON value, got "tru]}]}"`},
		{`{"text":"abc`, `text (byte 12): want the end of a text, got the end of the document`},
		{`{"a":1 "b"}`, `a (byte 7): want a comma or the end, got "\"b\"}"`},
		{`{"a":1} x`, `at the top (byte 8): want nothing, got "x"`},
		{``, `at the top (byte 0): want an object, got the end of the document`},
	} {
		r := reader(test.document)
		r.Strict()
		read(r)
		if r.Err() == nil || r.Err().Error() != test.want {
			t.Errorf("%s:\ngot  %v\nwant %s", test.document, r.Err(), test.want)
		}
		// After an error everything is empty and ends.
		if r.Kind() != 0 || r.Int() != 0 || r.String() != "" || r.StringPtr() != nil || r.Bool() || r.Raw() != nil || !r.Null() || !r.Time().IsZero() || r.Float64() != 0 {
			t.Errorf("%s: something is read after the error", test.document)
		}
		if it := r.Array(); it.Next() {
			t.Errorf("%s: a list is read after the error", test.document)
		}
	}
}

// TestOdd reads values of another kind than the one that is wanted: each is skipped, and told.
func TestOdd(t *testing.T) {
	t.Parallel()
	reads := map[string]func(r *jsonio.Reader) any{
		"text":    func(r *jsonio.Reader) any { return r.String() },
		"pointer": func(r *jsonio.Reader) any { return r.StringPtr() },
		"name":    func(r *jsonio.Reader) any { return r.Name() },
		"int":     func(r *jsonio.Reader) any { return r.Int() },
		"float":   func(r *jsonio.Reader) any { return r.Float64() },
		"bool":    func(r *jsonio.Reader) any { return r.Bool() },
		"id":      func(r *jsonio.Reader) any { return r.UUID() },
		"time":    func(r *jsonio.Reader) any { return r.Time() },
		"list":    func(r *jsonio.Reader) any { it := r.Array(); return it.Next() },
		"object":  func(r *jsonio.Reader) any { it := r.Object(); return it.Next() },
	}
	for kind, values := range map[string]string{
		"text": `true {} [1] {"a":[{}]}`, "pointer": `false [] {}`, "name": `true {}`,
		"int": `"" "x" 1.5 true [] {"a":"b"} 99999999999999999999`, "float": `"" "x" [] 1e999`, "bool": `2 "maybe" [] {}`,
		"id": `"x" 5 true [] {}`, "time": `"-0001-11-30T00:00:00+00:00" "0000-00-00T00:00:00+00:00" "x" 5 {}`,
		"list": `5 "x" true`, "object": `5 "x" true [1] [{},2]`,
	} {
		for value := range strings.SplitSeq(values, " ") {
			r := reader(`{"before":1,"odd": ` + value + ` ,"after":2}`)
			names, odd := "", ""
			for it := r.Object(); it.Next(); {
				names += string(r.Key()) + " "
				if string(r.Key()) != "odd" {
					r.Int()
					continue
				}
				if got := reads[kind](r); !reflect.ValueOf(got).IsZero() || !r.Odd() {
					t.Errorf("%s as %s is %#v, odd %v", value, kind, got, r.Odd())
				}
				name, raw := it.TakeOdd()
				odd = name + "=" + strings.TrimSpace(string(raw))
			}
			r.End()
			if r.Err() != nil || r.Odd() || names != "before odd after " || odd != "odd="+value {
				t.Errorf("%s as %s: %s, %s: %v", value, kind, names, odd, r.Err())
			}
			r = reader(value) // as the whole document
			if reads[kind](r); r.Err() == nil {
				t.Errorf("%s as %s is a document", value, kind)
			}
		}
	}
}

// TestDepth reads nesting that would break a recursive reader.
func TestDepth(t *testing.T) {
	t.Parallel()
	for n, ok := range map[int]bool{9999: true, 10000: true, 10001: false, 1 << 20: false} {
		document := strings.Repeat("[", n) + strings.Repeat("]", n)
		r := reader(document)
		r.Skip()
		r.End()
		if (r.Err() == nil) != ok || json.Valid([]byte(document)) != ok {
			t.Errorf("%d: %v", n, r.Err())
		}
	}
}

// TestReuse checks that what was read stays when the reader goes on to another document.
func TestReuse(t *testing.T) {
	t.Parallel()
	data := []byte(`["short","` + strings.Repeat("long ", 200) + `","a\u00e9b","en"]`)
	r := new(jsonio.Reader)
	r.Reset(data)
	texts := []string{}
	pointers := []*string{}
	for it := r.Array(); it.Next(); {
		at := r.Offset()
		texts = append(texts, r.String())
		r.Seek(at)
		pointers = append(pointers, r.StringPtr())
		r.Seek(at)
		texts = append(texts, r.Name())
	}
	if r.Err() != nil {
		t.Fatal(r.Err())
	}
	want := append([]string(nil), texts...)
	for i := range want {
		want[i] = strings.Clone(want[i])
	}
	clear(data)
	for range 100 {
		r.Reset([]byte(`["x","` + strings.Repeat("other", 200) + `","c\u00e9d","fr"]`))
		for it := r.Array(); it.Next(); {
			_ = r.String()
		}
	}
	if !reflect.DeepEqual(texts, want) {
		t.Errorf("%q, want %q", texts, want)
	}
	for i, p := range pointers {
		if *p != want[2*i] {
			t.Errorf("%q, want %q", *p, want[2*i])
		}
	}
}
