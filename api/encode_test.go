package api

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/uuid"
)

// TestEncode writes values of every kind that a document may have some day as encoding/json does.
func TestEncode(t *testing.T) {
	t.Parallel()
	type leaf struct {
		Name string `json:"name"`
		Next *leaf  `json:"next,omitempty"`
	}
	type named string
	id := uuid.MustParse("10000000-0000-4000-8000-00000000000a")
	half := 0.5
	value := struct {
		Any     any                 `json:"any"`
		None    any                 `json:"none"`
		Bytes   []byte              `json:"bytes"`
		Pointer *float64            `json:"pointer"`
		Nil     *int                `json:"nil"`
		Left    *int                `json:"left,omitempty"`
		Small   uint8               `json:"small"`
		Number  float32             `json:"number"`
		ByName  map[string][]int    `json:"byName"`
		ByID    map[uuid.UUID]*leaf `json:"byId"`
		ByInt   map[int]named       `json:"byInt"`
		NoMap   map[string]string   `json:"noMap"`
		List    []leaf              `json:"list"`
		NoList  []leaf              `json:"noList"`
		Time    time.Time           `json:"time"`
		Set     Nullable[string]    `json:"set"`
		Null    Nullable[int]       `json:"null"`
		Unset   Nullable[named]     `json:"unset,omitempty"`
		Raw     json.RawMessage     `json:"raw"`
		Text    DateTime            `json:"text"`
		Hidden  string              `json:"-"`
		Plain   string
		hidden  string
	}{
		Any: map[string]any{"a b": []any{1.5, "x", true, nil}, "a": leaf{Name: "<y>"}}, Bytes: []byte("bytes"), Pointer: &half, Small: 200, Number: 0.25,
		ByName: map[string][]int{"b": {2}, "a": nil, `"quoted"`: {3}, `back\\`: nil}, ByID: map[uuid.UUID]*leaf{uuid.Nil: nil, id: {Name: "z", Next: &leaf{}}}, ByInt: map[int]named{10: "ten", 2: "two"},
		List: []leaf{{Name: "1"}, {Name: "2"}}, Time: time.Date(2020, 1, 2, 3, 4, 5, 6, time.FixedZone("", 3600)),
		Set: Value("set"), Null: Null[int](), Raw: json.RawMessage(`{"raw":1}`), Text: DateTime{time.Date(2020, 1, 2, 3, 4, 5, 0, time.UTC)},
		Hidden: "hidden", Plain: "plain", hidden: "hidden",
	}
	want, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	if got := encode(&value); string(got) != string(want) {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}
