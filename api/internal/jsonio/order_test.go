package jsonio_test

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/mangadex-go/mangadex/api/internal/jsonio"
)

// TestOrder reads documents with a reader that expects others: what came before changes nothing.
func TestOrder(t *testing.T) {
	t.Parallel()
	documents := []string{
		`{"a":1,"b":2,"c":3}`, `{"c":3,"a":1}`, `{"a":1}`, `{}`, `{"a":1,"b":2,"c":3,"d":4}`, `{"ab":1}`, `{"a" :1,"b": 2 , "c":3}`,
		`{"a":{"a":{"a":[{"a":1},{"b":1},{"a":2}]}},"b":{"a":1}}`, `{"a":[1,{"b":2,"a":3}],"":0,"":1}`,
		`{"\u0061":1,"b":2}`, `{"aa":1,"aaaaaaa":2,"aaaaaaaa":3,"aaaaaaaaaaaaaaaaaaaaaaaa":4,"aaaaaaaaaaaabaaaaaaaaaaa":5}`,
		`{"aaaaaaaaaaaabaaaaaaaaaaa":5,"aaaaaaaaaaaacaaaaaaaaaaa":6}`, `{"é":1,"ü":2}`, `{"` + strings.Repeat("long", 20) + `":1,"b":2}`,
		`{"a":1,"a`, `{"a":1,"b":`, `{"a":1,"b"`, `{"a":1,,"b":2}`, `{"a":1 "b":2}`, `{"a":1,"b":2]`, `{"a":1,}`, `[{"a":1},{"a":1},]`, `{,"a":1}`,
	}
	var many strings.Builder
	for i := range 600 { // more than are remembered
		fmt.Fprintf(&many, `%s"m%d":{"a":%d}`, map[bool]string{true: "{", false: ","}[i == 0], i, i)
	}
	documents = append(documents, many.String()+"}")
	r := new(jsonio.Reader)
	for range 2 {
		for _, before := range documents {
			for _, document := range documents {
				for _, each := range []string{before, document} {
					r.Reset([]byte(each))
					got := value(r)
					if r.End(); (r.Err() == nil) != json.Valid([]byte(each)) {
						t.Fatalf("%.60s after %.60s: %v", each, before, r.Err())
					}
					var want any
					if r.Err() == nil && json.Unmarshal([]byte(each), &want) == nil && !reflect.DeepEqual(got, want) {
						t.Fatalf("%.60s after %.60s is %.200v, want %.200v", each, before, got, want)
					}
				}
			}
		}
	}
}

// FuzzOrder checks that a reader that has read one document reads another as a new one does.
func FuzzOrder(f *testing.F) {
	f.Add(`{"a":1,"b":{"c":"d"}}`, `{"a":1,"b":{"d":"c"},"e":2}`)
	f.Add(`[{"id":"x","type":"y"},{"id":"x","type":"z"}]`, `[{"id":"x","typ":"y"},{"type":"x","id":"z"}`)
	f.Fuzz(func(t *testing.T, before, document string) {
		used := reader(before)
		value(used)
		used.Reset([]byte(document))
		fresh := reader(document)
		got, want := value(used), value(fresh)
		used.End()
		fresh.End()
		if !reflect.DeepEqual(got, want) || fmt.Sprint(used.Err()) != fmt.Sprint(fresh.Err()) {
			t.Errorf("%s after %s is %v (%v), want %v (%v)", document, before, got, used.Err(), want, fresh.Err())
		}
	})
}
