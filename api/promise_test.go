package api_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/mangadex-go/mangadex/api"
)

// A success that does not hold what the operation promises is an error that carries the body, and a
// write may have been done.
func TestPromise(t *testing.T) {
	t.Parallel()
	for _, body := range []string{`{}`, `{"data":null}`, `{"data":[]}`, `{"result":"ok"}`, `{"result":"ok","data":{"type":"manga"}}`, `{"result":"ok","data":{"id":null}}`, `{"data":5}`} {
		c := answering(t, 200, "application/json; charset=utf-8", body)
		check := func(name string, err error, write bool) {
			var e *api.Error
			if !errors.As(err, &e) || string(e.Body) != body || e.StatusCode != 200 || api.MayBeDone(err) != write {
				t.Errorf("%s takes %s for an answer: %v", name, body, err)
			}
		}
		_, err := c.GetManga(t.Context(), id(idA), nil)
		check("GetManga", err, false)
		_, err = c.CreateAuthor(t.Context(), api.AuthorCreate{Name: "x"})
		check("CreateAuthor", err, true)
		if !strings.Contains(body, `"ok"`) {
			check("FollowManga", c.FollowManga(t.Context(), id(idA)), true)
			_, err = c.GetMangaAggregate(t.Context(), id(idA), nil)
			check("GetMangaAggregate", err, false)
		}
		if body != `{"data":[]}` && !strings.Contains(body, `"type"`) && !strings.Contains(body, `"id"`) && !strings.Contains(body, "5") {
			_, err = c.ListTags(t.Context())
			check("ListTags", err, false)
		}
	}
	for body, contentType := range map[string]string{"": "", "pong": "text/plain", `{"result":"ko"}`: "application/json"} {
		if err := answering(t, 200, contentType, body).FollowManga(t.Context(), id(idA)); err == nil || !api.MayBeDone(err) {
			t.Errorf("%q is taken for an acknowledgement: %v", body, err)
		}
	}
	if err := answering(t, 204, "", "").FollowManga(t.Context(), id(idA)); err != nil {
		t.Error(err)
	}
	late := `{"response":"entity","data":{"id":"` + idA + `","type":"manga"},"result":"error","errors":[{"id":"a","status":404,"title":"t"}]}`
	if _, err := answering(t, 200, "application/json", late).GetManga(t.Context(), id(idA), nil); err == nil || !strings.Contains(err.Error(), "t") || errors.Is(err, api.ErrNotJSON) {
		t.Errorf("an error at the end is not found: %v", err)
	}
}

// One value that cannot be read costs that value only. It is kept, and strict clients tell it.
func TestOddValues(t *testing.T) {
	t.Parallel()
	page := func(attributes string) string {
		return `{"result":"ok","response":"collection","data":[{"id":"` + idA + `","type":"chapter","attributes":{` + attributes + `}},` +
			`{"id":"` + idD + `","type":"chapter","attributes":{"chapter":"2"}}],"limit":2,"offset":0,"total":2}`
	}
	for name, value := range map[string]string{
		"publishAt": `"-0001-11-30T00:00:00+00:00"`, "readableAt": `"0000-00-00 00:00:00"`, "createdAt": `{}`, "pages": `""`, "version": `"x"`,
		"title": `false`, "isUnavailable": `"maybe"`, "uploader": `1`,
	} {
		body := page(`"` + name + `":` + value)
		list, err := answering(t, 200, "application/json", body).ListChapters(t.Context(), nil)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		a := list.Data[0].Attributes
		if len(list.Data) != 2 || list.Data[1].ID != id(idD) || string(a.Extra[name]) != value || !a.PublishAt.IsZero() || a.Title != nil || a.Pages != 0 {
			t.Errorf("%s is read as %+v", name, a)
		}
		if name == "uploader" { // not a member that is known
			continue
		}
		strict, err := api.New("https://api.example.test", api.WithStrictDecoding(), api.WithHTTPClient(api.DoerFunc(answeringDoer(body))))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := strict.ListChapters(t.Context(), nil); err == nil || !strings.Contains(err.Error(), "data[0].attributes."+name) {
			t.Errorf("%s: a strict client says %v", name, err)
		}
	}
	bom := answering(t, 200, "application/json", "\xef\xbb\xbf"+page(`"publishAt":"2021-02-03T04:05:06+0000"`))
	if list, err := bom.ListChapters(t.Context(), nil); err != nil || list.Data[0].Attributes.PublishAt.Year() != 2021 {
		t.Errorf("with a byte order mark: %v", err)
	}
}

// TestBounds reads answers that are made to fill the memory. It runs alone, since it measures.
func TestBounds(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates, too")
	}
	const size = 4 << 20
	repeat := func(before, unit, after string) string {
		return before + strings.Repeat(unit+",", size/(len(unit)+1)) + unit + after
	}
	numbered := func(before, format, after string) string {
		var b strings.Builder
		b.WriteString(before)
		for i := 0; b.Len() < size; i++ {
			fmt.Fprintf(&b, format+",", i)
		}
		return strings.TrimSuffix(b.String(), ",") + after
	}
	for name, body := range map[string]string{
		"null":          repeat(`{"result":"ok","data":[`, `null`, `]}`),
		"objects":       repeat(`{"result":"ok","data":[`, `{}`, `]}`),
		"members":       numbered(`{"result":"ok","data":[],`, `"a%d":1`, `}`),
		"odd members":   repeat(`{"result":"ok","data":[`, `{"x":1}`, `]}`),
		"relationships": repeat(`{"result":"ok","data":[{"relationships":[`, `{"type":"manga","attributes":{"a":1}}`, `]}]}`),
		"tags":          repeat(`{"result":"ok","data":[{"attributes":{"tags":[`, `{}`, `]}}]}`),
		"titles":        repeat(`{"result":"ok","data":[{"attributes":{"altTitles":[`, `{"a":"b"}`, `]}}]}`),
		"languages":     repeat(`{"result":"ok","data":[{"attributes":{"availableTranslatedLanguages":[`, `"a"`, `]}}]}`),
	} {
		mustTakeLittle(t, name, body)
	}
}
