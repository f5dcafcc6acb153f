package api_test

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"runtime"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/mangadex-go/mangadex/api"
)

// encoded writes a text in an encoding of HTTP.
func encoded(t *testing.T, text string, open func(io.Writer) io.WriteCloser) string {
	t.Helper()
	var b bytes.Buffer
	w := open(&b)
	_, err := io.WriteString(w, text)
	if err = errors.Join(err, w.Close()); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// An answer in an encoding that nobody has asked for is read where that can be done. Otherwise the
// error names the encoding, for a call that promises no JSON, too.
func TestEncodings(t *testing.T) {
	t.Parallel()
	inGzip := func(w io.Writer) io.WriteCloser { return gzip.NewWriter(w) }
	inZlib := func(w io.Writer) io.WriteCloser { return zlib.NewWriter(w) }
	inFlate := func(w io.Writer) io.WriteCloser { f, _ := flate.NewWriter(w, 6); return f }
	entity := `{"result":"ok","response":"entity","data":{"id":"` + idA + `","type":"manga"}}`
	twice := encoded(t, encoded(t, entity, inGzip), inZlib)
	for name, body := range map[string]string{
		"gzip": encoded(t, entity, inGzip), "X-GZIP": encoded(t, entity, inGzip), "deflate": encoded(t, entity, inZlib),
		"Deflate": encoded(t, entity, inFlate), "gzip, deflate": twice, "identity": entity, "": entity,
	} {
		client := answering(t, 200, "application/json", body, "Content-Encoding", name)
		if manga, err := client.GetManga(t.Context(), id(idA), nil); err != nil || manga.Data.ID != id(idA) {
			t.Errorf("%q: %v", name, err)
		}
		req, _ := http.NewRequest(http.MethodGet, "/manga", nil)
		resp, err := client.Do(t.Context(), req)
		if err != nil {
			t.Errorf("%q: %v", name, err)
			continue
		}
		if got, err := io.ReadAll(resp.Body); string(got) != entity || err != nil {
			t.Errorf("%q: Do reads %q, %v", name, got, err)
		}
		req.Header.Set("Accept-Encoding", "gzip") // then the caller wants it as it is
		if resp, err = client.Do(t.Context(), req); err != nil {
			t.Errorf("%q: %v", name, err)
			continue
		}
		if got, err := io.ReadAll(resp.Body); string(got) != body || err != nil {
			t.Errorf("%q: Do reads %q, %v", name, got, err)
		}
	}
	for _, name := range []string{"br", "zstd", "gzip, br", "gzip, gzip, gzip, gzip"} {
		for _, status := range []int{200, 404} {
			client := answering(t, status, "application/json", "\x1b\x00{\x80", "Content-Encoding", name)
			_, entity := client.GetManga(t.Context(), id(idA), nil)
			for call, err := range map[string]error{"Ping": client.Ping(t.Context()), "GetManga": entity, "FollowManga": client.FollowManga(t.Context(), id(idA))} {
				var e *api.Error
				if !errors.As(err, &e) || e.StatusCode != status || !errors.Is(err, api.ErrNotJSON) || !strings.Contains(err.Error(), "encoding "+name+",") ||
					api.MayBeDone(err) != (call == "FollowManga" && status == 200) {
					t.Errorf("%s, %d: %s ends in %v", name, status, call, err)
				}
			}
		}
	}
	if err := answering(t, 204, "", "", "Content-Encoding", "gzip").FollowManga(t.Context(), id(idA)); err != nil {
		t.Errorf("nothing, in gzip: %v", err)
	}
	gone := answering(t, 404, "application/json", encoded(t, `{"result":"error","errors":[{"id":"a","status":404,"title":"gone"}]}`, inGzip), "Content-Encoding", "gzip")
	if err := gone.Ping(t.Context()); err == nil || !strings.HasSuffix(err.Error(), ": gone") {
		t.Errorf("a failure in gzip is %v", err)
	}
}

// One entity, or anything else that is no list, is no list of its members.
func TestNoList(t *testing.T) {
	t.Parallel()
	for data, want := range map[string]int{
		`{"id":"` + idA + `","type":"manga"}`: -1, `"x"`: -1, `5`: -1, `true`: -1, `null`: -1, `{"":{}}`: -1,
		`[]`: 0, `{}`: 0, `[{"id":"` + idA + `"}]`: 1, `{"3":{"id":"` + idA + `"}}`: 1,
	} {
		client := answering(t, 200, "application/json", `{"result":"ok","data":`+data+`}`)
		got, tags := -1, -1
		list, err := client.SearchManga(t.Context(), nil)
		if err == nil {
			got = len(list.Data)
		}
		all, err := client.ListTags(t.Context())
		if err == nil {
			tags = len(all.Data)
		}
		if got != want || tags != want {
			t.Errorf("%s is a list of %d and of %d, want %d: %v", data, got, tags, want, err)
		}
	}
}

// What is odd in the answer of a failure does not hide its reasons.
func TestOddFailures(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]string{
		"\xef\xbb\xbf" + `{"result":"error","errors":[{"id":"a","status":404,"title":"gone"}]}`:            ": gone",
		`{"result":"error","errors":[{"id":5,"status":"x","title":["gone"],"detail":"why","context":{}}]}`: ": why",
		`{"result":"error","errors":["x",{"title":"gone"}]}`:                                               "gone",
		`{"result":"error","errors":"no such"}`:                                                            `errors (byte 27): want a list, got "\"no such\"}"`,
	} {
		if err := answering(t, 404, "application/json", body).Ping(t.Context()); err == nil || !strings.HasSuffix(err.Error(), want) {
			t.Errorf("%s is told as %v", body, err)
		}
	}
	for _, body := range []string{
		`{"errors":[{"id":"a","status":404,"title":"gone"}],"data":{"id":"` + idA + `"}}`,
		`{"data":{"id":"` + idA + `"},"result" : "error" , "errors":[{"title":"gone"}]}`,
	} {
		_, err := answering(t, 200, "application/json", body).GetManga(t.Context(), id(idA), nil)
		if err == nil || !strings.HasSuffix(err.Error(), "gone") {
			t.Errorf("%s is told as %v", body, err)
		}
	}
}

// TestBoundsOfWhatIsDropped reads answers whose values are skipped or replaced, again and again. It
// runs alone, since it measures.
func TestBoundsOfWhatIsDropped(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates, too")
	}
	const size = 4 << 20
	deep := strings.Repeat("[", 900) + strings.Repeat("]", 900)
	for name, parts := range map[string][3]string{
		"deep":           {`{"result":"ok","data":[`, deep, `]}`},
		"deep and kept":  {`{"result":"ok","data":[{"attributes":{`, `"x":` + deep, `}}]}`},
		"deep and odd":   {`{"result":"ok","data":[{"attributes":{`, `"year":` + deep, `}}]}`},
		"a list anew":    {`{"result":"ok","data":[{"attributes":{`, `"tags":[{},{}]`, `}}]}`},
		"languages anew": {`{"result":"ok","data":[{"attributes":{`, `"availableTranslatedLanguages":[""]`, `}}]}`},
		"the page anew":  {`{"result":"ok",`, `"data":[{}]`, `}`},
	} {
		body := parts[0] + strings.Repeat(parts[1]+",", size/(len(parts[1])+1)) + parts[1] + parts[2]
		mustTakeLittle(t, name, body)
	}
}

// mustTakeLittle reads a list, for which no more memory may be taken than what its length allows.
func mustTakeLittle(t *testing.T, name, body string) {
	t.Helper()
	client := answering(t, 200, "application/json", body)
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	list, err := client.SearchManga(t.Context(), nil)
	runtime.ReadMemStats(&after)
	if got, most := after.TotalAlloc-before.TotalAlloc, uint64(10*len(body)+(20<<20)); got > most { // with the buffer for the body
		t.Errorf("%s: %d MB of JSON take %d MB", name, len(body)>>20, got>>20)
	}
	if err != nil && !strings.Contains(err.Error(), "want fewer values") {
		t.Errorf("%s: %v", name, err)
	}
	runtime.KeepAlive(list)
}

// The door for requests of one's own takes what was put together by hand, and no page for an answer.
func TestDoIsNoTrap(t *testing.T) {
	t.Parallel()
	byHand := &http.Request{Method: http.MethodGet, URL: &url.URL{Path: "/manga"}}
	if resp, err := answering(t, 200, "application/json", `{}`).Do(t.Context(), byHand); err != nil || resp.StatusCode != 200 || byHand.Header != nil {
		t.Errorf("a request without a header: %v", err)
	}
	for method, done := range map[string]bool{http.MethodGet: false, http.MethodPost: true} {
		req, _ := http.NewRequest(method, "/something/new", nil)
		resp, err := answering(t, 200, "text/html; charset=utf-8", "<html>log in").Do(t.Context(), req)
		if resp != nil || !errors.Is(err, api.ErrNotJSON) || api.MayBeDone(err) != done {
			t.Errorf("a page in answer to %s is %v, %v", method, resp, err)
		}
	}
}

// A server that does not speak TLS has done nothing.
func TestNoTLS(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.NotFoundHandler())
	defer server.Close()
	client, err := api.New("https"+strings.TrimPrefix(server.URL, "http"), api.WithoutRateLimit(), api.WithoutRetry())
	if err != nil {
		t.Fatal(err)
	}
	if err := client.FollowManga(t.Context(), id(idA)); !errors.Is(err, http.ErrSchemeMismatch) || api.MayBeDone(err) {
		t.Errorf("may be done %v: %v", api.MayBeDone(err), err)
	}
}

// What an answer promises by another name than data, or with an id that is a number, has to be there
// and of its kind.
func TestPromiseOfAnotherKind(t *testing.T) {
	t.Parallel()
	for _, value := range []string{`"x"`, `5`, `true`, `[1]`} {
		client := answering(t, 200, "application/json", `{"result":"ok","statistics":`+value+`,"ratings":`+value+`,"statuses":`+value+`,"data":`+value+`}`)
		found, err := client.GetMangaStatisticsByIDs(t.Context(), []uuid.UUID{id(idA)})
		_, ratings := client.ListRatings(t.Context(), nil)
		_, statuses := client.ListReadingStatuses(t.Context(), nil)
		if err == nil || ratings == nil || statuses == nil {
			t.Errorf("%s is %v, %v; %v; %v", value, found, err, ratings, statuses)
		}
	}
	for _, empty := range []string{`{}`, `[]`} {
		client := answering(t, 200, "application/json", `{"result":"ok","statistics":`+empty+`}`)
		if _, err := client.GetMangaStatisticsByIDs(t.Context(), []uuid.UUID{id(idA)}); err != nil {
			t.Errorf("no statistics, as %s: %v", empty, err)
		}
	}
}

func TestPromiseOfAThread(t *testing.T) {
	t.Parallel()
	op := operation(t, "CreateForumThread")
	for _, data := range []string{`null`, `{}`, `[]`, `"x"`, `{"id":null}`, `{"type":"thread"}`} {
		_, err := invoke(t, answering(t, 200, "application/json", `{"result":"ok","data":`+data+`}`), op.ID, &filler{t: t})
		if !api.MayBeDone(err) {
			t.Errorf("%s is a thread: %v", data, err)
		}
	}
}
