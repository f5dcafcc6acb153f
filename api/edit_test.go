package api_test

import (
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/mangadex-go/mangadex/api"
)

// bodies are the types of the JSON bodies of all operations, and of the structs in them.
func bodies() []reflect.Type {
	seen := map[reflect.Type]bool{}
	var add func(typ reflect.Type)
	add = func(typ reflect.Type) {
		if typ.Kind() != reflect.Struct || seen[typ] || typ.PkgPath() != reflect.TypeFor[api.Client]().PkgPath() || typ == reflect.TypeFor[api.DateTime]() {
			return
		}
		seen[typ] = true
		for i := range typ.NumField() {
			add(typ.Field(i).Type)
		}
	}
	client := reflect.TypeFor[*api.Client]()
	for _, op := range api.Operations() {
		method, ok := client.MethodByName(op.ID)
		if !ok || takesFiles(op.ID) {
			continue
		}
		for i := 2; i < method.Type.NumIn()-1; i++ {
			add(method.Type.In(i))
		}
	}
	return slices.SortedFunc(maps.Keys(seen), func(a, b reflect.Type) int { return strings.Compare(a.Name(), b.Name()) })
}

// member encodes a body and returns one member of it.
func member(t *testing.T, body reflect.Value, name string) (value string, ok bool) {
	t.Helper()
	for _, v := range []any{body.Interface(), body.Addr().Interface()} {
		data, err := json.Marshal(v)
		if err != nil {
			t.Fatalf("%v: %v", body.Type(), err)
		}
		var members map[string]json.RawMessage
		if err := json.Unmarshal(data, &members); err != nil {
			t.Fatalf("%v: %v: %s", body.Type(), err, data)
		}
		raw, has := members[name]
		value, ok = string(raw), has
	}
	return value, ok
}

// TestEditNullable sets every nullable field of every body to each of its three states.
func TestEditNullable(t *testing.T) {
	t.Parallel()
	fields := 0
	for _, typ := range bodies() {
		for i := range typ.NumField() {
			f := typ.Field(i)
			if !isNullable(f.Type) {
				continue
			}
			fields++
			t.Run(typ.Name()+"."+f.Name, func(t *testing.T) {
				t.Parallel()
				name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
				required := options == ""
				body := reflect.New(typ).Elem()
				field := body.Field(i)
				unset := func(state string) {
					switch value, ok := member(t, body, name); {
					case required && value != "null":
						t.Errorf("%s: a member that must be sent is %q", state, value)
					case !required && ok:
						t.Errorf("%s: sent as %s", state, value)
					}
					if field.Len() != 0 {
						t.Errorf("%s: encoding has changed the body", state)
					}
				}
				unset("zero")
				call := func(method string, args ...reflect.Value) { field.Addr().MethodByName(method).Call(args) }
				call("SetNull")
				if value, ok := member(t, body, name); !ok || value != "null" {
					t.Errorf("null is sent as %q", value)
				}
				for _, v := range []reflect.Value{
					(&filler{t: t}).value(f.Type.Elem(), f.Name),
					reflect.Zero(f.Type.Elem()),
				} {
					if v.Kind() == reflect.Slice && v.IsNil() {
						v = reflect.MakeSlice(v.Type(), 0, 0)
					}
					want, err := json.Marshal(v.Interface())
					if err != nil {
						t.Fatal(err)
					}
					call("Set", v)
					if value, ok := member(t, body, name); !ok || value != string(want) {
						t.Errorf("%s is sent as %q", want, value)
					}
				}
				call("SetUnspecified")
				unset("unset again")
			})
		}
	}
	if fields == 0 {
		t.Error("no body has a nullable field")
	}
}

// TestEditOptional checks every field that is a pointer, a list or a map: left out when it is nil,
// sent when it is empty, because that is how a list is cleared.
func TestEditOptional(t *testing.T) {
	t.Parallel()
	lists, pointers := 0, 0
	for _, typ := range bodies() {
		for i := range typ.NumField() {
			f := typ.Field(i)
			name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
			body := reflect.New(typ).Elem()
			where := typ.Name() + "." + f.Name
			switch kind := f.Type.Kind(); {
			case kind == reflect.Pointer:
				pointers++
				if value, ok := member(t, body, name); ok {
					t.Errorf("%s: nil is sent as %s", where, value)
				}
				body.Field(i).Set(reflect.New(f.Type.Elem()))
				want, err := json.Marshal(body.Field(i).Interface())
				if err != nil {
					t.Fatal(err)
				}
				if value, ok := member(t, body, name); !ok || value != string(want) {
					t.Errorf("%s: %s is sent as %q", where, want, value)
				}
			case f.Type == reflect.TypeFor[json.RawMessage]():
			case kind == reflect.Slice:
				lists++
				empty := "[]"
				if f.Type == reflect.TypeFor[api.LocalizedString]() || f.Type == reflect.TypeFor[api.Links]() {
					empty = "{}"
				}
				switch value, ok := member(t, body, name); {
				case options == "" && value != empty:
					t.Errorf("%s: nil in a list that must be sent is %q", where, value)
				case options != "" && ok:
					t.Errorf("%s: nil is sent as %s", where, value)
				}
				body.Field(i).Set(reflect.MakeSlice(f.Type, 0, 0))
				if value, ok := member(t, body, name); !ok || value != empty {
					t.Errorf("%s: an empty list is sent as %q", where, value)
				}
			case isNullable(f.Type):
			default: // values: false, 0 and the empty text are sent
				if _, ok := member(t, body, name); !ok {
					t.Errorf("%s: the zero value is not sent", where)
				}
			}
		}
	}
	if lists == 0 || pointers == 0 {
		t.Errorf("%d lists, %d pointers", lists, pointers)
	}
}

// TestEdit spells some bodies out.
func TestEdit(t *testing.T) {
	t.Parallel()
	id := uuid.MustParse("00000000-0000-4000-8000-00000000000a")
	ctx := t.Context()
	for _, test := range []struct {
		name string
		call func(*api.Client) error
		want string
	}{
		{"nothing", func(c *api.Client) error {
			_, err := c.UpdateManga(ctx, id, api.MangaEdit{Version: 3})
			return err
		}, `{"version":3}`},
		{"the three states", func(c *api.Client) error {
			_, err := c.UpdateManga(ctx, id, api.MangaEdit{Version: 3, Year: api.Null[int](), LastChapter: api.Value("12.5"), PublicationDemographic: api.Value(api.DemographicJosei)})
			return err
		}, `{"lastChapter":"12.5","publicationDemographic":"josei","version":3,"year":null}`},
		{"clearing", func(c *api.Client) error {
			_, err := c.UpdateManga(ctx, id, api.MangaEdit{
				Version: 3, Artists: []uuid.UUID{}, Links: api.Links{}, Description: api.LocalizedString{}, LastVolume: api.Value("")})
			return err
		}, `{"artists":[],"description":{},"lastVolume":"","links":{},"version":3}`},
		{"a status", func(c *api.Client) error {
			return c.SetReadingStatus(ctx, id, api.ReadingStatusEdit{Status: api.Value(api.ReadingStatusOnHold)})
		}, `{"status":"on_hold"}`},
		{"no status", func(c *api.Client) error { return c.SetReadingStatus(ctx, id, api.ReadingStatusEdit{}) }, `{"status":null}`},
		{"a cover of no volume", func(c *api.Client) error {
			_, err := c.UpdateCover(ctx, id, api.CoverEdit{Version: 1})
			return err
		}, `{"version":1,"volume":null}`},
		{"a chapter without numbers and pages", func(c *api.Client) error {
			_, err := c.CommitUpload(ctx, id, api.UploadSessionCommit{ChapterDraft: api.ChapterDraft{TranslatedLanguage: "en"}})
			return err
		}, `{"chapterDraft":{"chapter":null,"title":null,"translatedLanguage":"en","volume":null},"pageOrder":[],"termsAccepted":false}`},
		{"no pages to delete", func(c *api.Client) error { return c.DeleteUploadedPages(ctx, id, nil) }, `[]`},
		{"a group without members", func(c *api.Client) error {
			_, err := c.UpdateGroup(ctx, id, api.GroupEdit{
				Version: 2, Members: []uuid.UUID{}, FocusedLanguages: api.Value([]string{}), Locked: api.Ptr(false)})
			return err
		}, `{"focusedLanguages":[],"locked":false,"members":[],"version":2}`},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if got := read(t, capture(t, test.call).Body); got != test.want {
				t.Errorf("got  %s\nwant %s", got, test.want)
			}
		})
	}
}
