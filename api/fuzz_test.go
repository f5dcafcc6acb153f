package api_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/mangadex-go/mangadex/api"
)

// roundTrip decodes data into v and checks that encoding, decoding and encoding it again comes to
// the same end, and that only JSON is decoded.
func roundTrip[T any, P interface {
	*T
	json.Unmarshaler
}](t *testing.T, data []byte) {
	t.Helper()
	given := bytes.Clone(data)
	var v T
	err := P(&v).UnmarshalJSON(data)
	if !bytes.Equal(data, given) {
		t.Fatalf("decoding has changed %q to %q", given, data)
	}
	if err != nil {
		return
	}
	if !json.Valid(data) {
		t.Fatalf("%q is not JSON, and is decoded to %+v", data, v)
	}
	clear(data) // what was decoded must not refer to it
	first, err := json.Marshal(v)
	if err != nil {
		t.Fatalf("%q is decoded and cannot be encoded: %v", given, err)
	}
	var again T
	if err := P(&again).UnmarshalJSON(first); err != nil {
		t.Fatalf("%q becomes %s, which cannot be decoded: %v", given, first, err)
	}
	second, err := json.Marshal(again)
	if err != nil || !bytes.Equal(first, second) {
		t.Fatalf("%q becomes %s, and then %s: %v", given, first, second, err)
	}
}

func FuzzLocalizedString(f *testing.F) {
	for _, seed := range []string{`{"en":"a","ja-ro":"b"}`, `[]`, `{}`, `null`, `{"en":null}`, `{"en":12.50}`, `{"en":"a","en":"b"}`, `["a"]`, `{"\u0065n":"\ud83c\udf31\ud83c"}`, "{\"en\":\"\xff\"}", `{"en":{}}`, `"a"`, `{"en":"a"`, ` { } `} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) { roundTrip[api.LocalizedString](t, data) })
}

func FuzzLinks(f *testing.F) {
	for _, seed := range []string{`{"al":"1","raw":"https:\/\/example.test"}`, `[]`, `{}`, `null`, `{"mu":12345678901234567890}`, `{"mu":1e400}`, `{"":""}`, `[{}]`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		roundTrip[api.Links](t, bytes.Clone(data))
		var links api.Links
		if links.UnmarshalJSON(data) != nil {
			return
		}
		for _, link := range links {
			if address := links.URL(link.Site); address != "" {
				if u, err := url.Parse(address); err == nil && u.Scheme != "https" && u.Scheme != "http" {
					t.Errorf("%q becomes %q", link, address)
				}
			}
		}
	})
}

func FuzzAggregate(f *testing.F) {
	for _, seed := range []string{
		`{"result":"ok","volumes":{"1":{"volume":"1","count":1,"chapters":{"1":{"chapter":"1","id":"` + idA + `","others":[],"count":1,"isUnavailable":true}}}}}`,
		`{"result":"ok","volumes":[]}`, `{"volumes":[{"volume":"0","chapters":[{"chapter":"0"}]}]}`, `{"volumes":{"none":{"chapters":null}}}`, `{"volumes":{"1":{"volume":null,"chapters":{"a":[]}}}}`,
		`{"volumes":{"a":{},"a":{"volume":"b"}}}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) { roundTrip[api.AggregateResponse](t, data) })
}

func FuzzRelationships(f *testing.F) {
	for _, seed := range []string{
		`[{"id":"` + idA + `","type":"author","attributes":{"name":"x","biography":[]}},{"attributes":{"fileName":"x"},"type":"cover_art","id":"` + idB + `"}]`,
		`[{"id":1234,"type":"thread","related":null,"attributes":[1]}]`, `[]`, `{}`, `null`, `[null]`, `[{"type":"manga","attributes":{"tags":[{"attributes":null}]}}]`, `{"1":{"type":"x","type":"manga","attributes":{"a":1}}}`,
		`[{"\u0069d":"\u0061","attributes":{},"attributes":null,"invented":"x"}]`, `[{"attributes":{"name":1},"type":"author"}]`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		roundTrip[api.Relationships](t, bytes.Clone(data))
		var rs api.Relationships
		if rs.UnmarshalJSON(data) != nil {
			return
		}
		n := len(rs.Authors()) + len(rs.Artists()) + len(rs.Groups()) + len(rs.AllManga()) + len(rs.Members()) + len(rs.Tags()) + len(rs.Files())
		if n > len(rs) {
			t.Errorf("%d of %d", n, len(rs))
		}
	})
}

func FuzzMangaList(f *testing.F) {
	f.Add([]byte(collection(mangaSample)))
	for _, seed := range []string{
		`{"result":"ok","response":"collection","data":[],"limit":10,"offset":0,"total":0}`, `{"data":{"1":{"id":""}}}`, `{"data":[{"id":null,"attributes":null}],"limit":"5"}`,
		`{"data":[{"attributes":{"year":1e2,"version":-0,"isLocked":"1","createdAt":"2020-02-29T23:59:60+00:00","tags":{},"altTitles":[null]}}]}`,
		`{"total":null,"total":3,"invented":[],"Extra":1,"data":null}`, `{"data":[{"attributes":{"latestUploadedChapter":"URN:UUID:` + idA + `","availableTranslatedLanguages":[null,1]}}]}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) { roundTrip[api.MangaList](t, data) })
}

func FuzzErrorReader(f *testing.F) {
	for _, body := range errorBodies {
		if len(body.body) < 1000 {
			f.Add(400, body.contentType, body.body, "")
		}
	}
	f.Add(200, "application/json", `{"result":"ok","data":{}}`, "")
	f.Add(200, "application/json", `{"result":"error","errors":[]}`, "")
	f.Add(403, "text/html", `{"errors":[{"title":"captcha_required_exception","context":{"siteKey":"a\nb"}}]}`, "x")
	f.Add(429, "a/b;c", `{`, "1651485642")
	f.Fuzz(func(t *testing.T, status int, contentType, body, header string) {
		if status < 100 || status > 999 {
			return
		}
		client := answering(t, status, contentType, body, "X-Captcha-Sitekey", header, "X-Request-Id", header, "Retry-After", header, "X-RateLimit-Retry-After", header)
		silent := client.FollowManga(t.Context(), id(idA))
		manga, err := client.GetManga(t.Context(), id(idA), nil)
		success := 200 <= status && status < 300
		if !success && (silent == nil || err == nil) || (manga == nil) != (err != nil) {
			t.Fatalf("%v; %v, %v", silent, manga, err)
		}
		for _, err := range []error{silent, err} {
			var failure *api.Error
			if err == nil {
				continue
			}
			if !errors.As(err, &failure) || failure.StatusCode != status || len(failure.Body) > 4<<10 || failure.RetryAfter < 0 {
				t.Errorf("%+v", err)
			}
			one(t, err)
		}
	})
}

func FuzzOperationOf(f *testing.F) {
	for _, op := range api.Operations() {
		f.Add(op.Method, "/base"+op.Path)
	}
	f.Add("HEAD", "//manga//")
	f.Add("", "/user/follows/manga/feed/")
	f.Fuzz(func(t *testing.T, method, path string) {
		req := &http.Request{Method: method, URL: &url.URL{Path: path}, Body: io.NopCloser(strings.NewReader(""))}
		got, ok := api.OperationOf(req)
		want, found := slowOperationOf(method, path)
		if ok != found || got != want {
			t.Errorf("%q %q: %s, want %s", method, path, got.ID, want.ID)
		}
	})
}

// slowOperationOf finds an operation by comparing every suffix of a path with every template. A
// segment of a template that is text wins over one that is a parameter.
func slowOperationOf(method, path string) (api.Operation, bool) {
	switch method {
	case "":
		method = "GET"
	case "HEAD":
		method = "GET"
	}
	if !strings.HasPrefix(path, "/") {
		return api.Operation{}, false
	}
	segments := strings.Split(path, "/")[1:]
	for start := range segments {
		// As in a tree, the choice of a text for the first segments is not taken back.
		candidates := api.Operations()
		rest := segments[start:]
		for i, segment := range rest {
			var texts, params []api.Operation
			for _, op := range candidates {
				template := strings.Split(op.Path, "/")[1:]
				switch {
				case i >= len(template):
				case template[i] == segment:
					texts = append(texts, op)
				case strings.HasPrefix(template[i], "{") && segment != "":
					params = append(params, op)
				}
			}
			if candidates = texts; len(texts) == 0 {
				candidates = params
			}
		}
		for _, op := range candidates {
			if strings.Count(op.Path, "/") == len(rest) && op.Method == method {
				return op, true
			}
		}
	}
	return api.Operation{}, false
}
