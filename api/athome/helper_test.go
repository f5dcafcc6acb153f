package athome_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/mangadex-go/mangadex/api"
	"github.com/mangadex-go/mangadex/api/apitest"
	"github.com/mangadex-go/mangadex/api/athome"
)

var (
	chapterID = uuid.MustParse("00000000-0000-4000-8000-0000000000c1")
	mangaID   = uuid.MustParse("00000000-0000-4000-8000-0000000000a1")
)

// A world is the fake MangaDex with a chapter. On the way to it its hosts have other names: the API, a
// node for each at-home call, the host of covers and the one for reports.
type world struct {
	srv     *apitest.Server
	api     string // server of the API
	token   string
	pages   [][]byte
	names   []string
	saver   [][]byte // the smaller versions, and their names; none without names
	savers  []string
	hash    string         // that the last at-home call told
	details map[string]any // attributes of the chapter, in place of those that it has
	related []any          // relationships of the chapter, in place of those that it has; may be nil

	// base is the address of the node that the nth at-home call gets, counted from 1; nil leaves it.
	base func(call int) string
	// delay and fault say what hosts do with a request for a picture, say changes what an at-home call
	// tells, and atHome and report have calls and reports go wrong. The functions may be nil.
	delay  time.Duration
	fault  func(q query) fault
	say    func(listing map[string]any)
	atHome func(call int) fault
	report fault

	mu       sync.Mutex
	node     string         // where pages are in truth
	calls    map[string]int // by operation
	forced   string         // what the last at-home call said about the port
	tries    map[int]int    // requests for a page
	whole    map[int]int    // times that a page was sent as it is
	queries  int
	working  int             // pages that are being asked for
	most     int             // of them at once
	requests []*http.Request // to hosts other than the API
	dead     map[string]bool // hosts that nobody answers at
}

// A query is a request for a picture.
type query struct {
	Host  string
	Page  int
	Saver bool // the smaller version
	Try   int  // how often this page has been asked for, from 1
	Nth   int  // how many requests for pictures there have been, from 1
}

type fault = apitest.Fault

// What a node does instead of sending a page.
var (
	none    = fault{}
	drop    = fault{Drop: true}
	cut     = fault{Truncate: true}
	garble  = fault{Corrupt: true}
	short   = fault{Rewrite: func(b []byte) []byte { return b[:len(b)-1] }}
	html    = fault{HTML: true}
	silent  = fault{Delay: long}
	stuck   = fault{Stall: long}
	vague   = fault{Header: http.Header{"Content-Length": nil}}
	untyped = fault{Header: http.Header{"Content-Type": nil}}
)

// long is longer than anybody waits.
const long = 1000 * time.Hour

func status(code int) fault { return fault{Status: code} }

// on has a node do something else with every page.
func on(node string, f fault) func(query) fault {
	return func(q query) fault {
		if strings.HasPrefix(q.Host, node) {
			return f
		}
		return fault{}
	}
}

// at has all nodes do something else with one page.
func at(page int, f fault) func(query) fault {
	return func(q query) fault {
		if q.Page == page {
			return f
		}
		return fault{}
	}
}

// picture makes a PNG as far as anyone looks, which is at its beginning and its end.
func picture(seed, size int) []byte {
	data := make([]byte, size)
	r := rand.NewChaCha8([32]byte{byte(seed), byte(seed >> 8), byte(size)})
	r.Read(data)
	copy(data, "\x89PNG\r\n\x1a\n")
	if size >= 16 {
		copy(data[size-8:], "IEND\xaeB`\x82")
	}
	return data
}

func sum(data []byte) string {
	digest := sha256.Sum256(data)
	return hex.EncodeToString(digest[:])
}

// newWorld makes a chapter with so many pages of a size, without a network unless there are options.
func newWorld(t testing.TB, pages, size int, options ...apitest.Option) *world {
	t.Helper()
	if options == nil {
		options = []apitest.Option{apitest.WithoutNetwork()}
	}
	w := &world{
		srv:     apitest.Start(t, append(options, apitest.WithTitles(10), apitest.WithTokenLife(long, long))...),
		api:     "https://api.example.test",
		details: map[string]any{},
		base:    func(call int) string { return fmt.Sprintf("https://node%d.example.test:8443/key%d", call, call) },
		calls:   map[string]int{}, tries: map[int]int{}, whole: map[int]int{}, dead: map[string]bool{},
	}
	shown := make([][]byte, pages)
	for i := range pages {
		shown[i] = picture(i, size)
		w.saver = append(w.saver, append(append([]byte("\xff\xd8\xff\xe0"), picture(i, size/2)...), 0xff, 0xd9))
		w.savers = append(w.savers, fmt.Sprintf("%d-%s.jpg", i+1, sum(w.saver[i])))
	}
	w.show(shown...)
	_, err := w.srv.State().AddManga(apitest.Manga{ID: mangaID, Title: "The Kettle"})
	must(t, err)
	_, err = w.srv.State().AddChapter(apitest.Chapter{ID: chapterID, Manga: mangaID})
	must(t, err)
	w.token, _, err = w.srv.Tokens().Issue(w.srv.Account.Username)
	must(t, err)
	w.srv.FailFunc(w.choose)
	return w
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// show has the chapter other pages: these, in this order.
func (w *world) show(pages ...[]byte) {
	w.pages, w.names = pages, nil
	for i, page := range pages {
		w.names = append(w.names, fmt.Sprintf("%d-%s.png", i+1, sum(page)))
	}
}

// choose has requests go wrong, and what is told differ from what the fake knows.
func (w *world) choose(r apitest.Request) *fault {
	w.mu.Lock()
	w.calls[r.Operation]++
	call := w.calls[r.Operation]
	if r.Operation == "GetAtHomeServer" {
		w.forced = r.URL.Query().Get("forcePort443")
	}
	w.mu.Unlock()
	var f fault
	switch r.Operation {
	case "GetChapter":
		f.Rewrite = edit(func(answer map[string]any) {
			chapter := answer["data"].(map[string]any)
			maps.Copy(chapter["attributes"].(map[string]any), w.details)
			if w.related != nil {
				chapter["relationships"] = w.related
			}
		})
	case "GetAtHomeServer":
		if w.atHome != nil {
			f = w.atHome(call)
		}
		f.Rewrite = edit(func(listing map[string]any) {
			w.mu.Lock()
			w.node, w.hash = listing["baseUrl"].(string), listing["chapter"].(map[string]any)["hash"].(string)
			w.mu.Unlock()
			if w.base != nil {
				listing["baseUrl"] = w.base(call)
			}
			if w.say != nil {
				w.say(listing)
			}
		})
	case "Report":
		f = w.report
	case "Cover", "Page":
		f = w.chooseOfPicture(r)
	}
	return &f
}

// edit changes an answer unless it is an error.
func edit(change func(map[string]any)) func([]byte) []byte {
	return func(body []byte) []byte {
		var answer map[string]any
		if json.Unmarshal(body, &answer) != nil || answer["result"] != "ok" {
			return body
		}
		change(answer)
		body, _ = json.Marshal(answer)
		return body
	}
}

func (w *world) chooseOfPicture(r apitest.Request) fault {
	name, _ := url.PathUnescape(path.Base(r.URL.EscapedPath()))
	q := query{Host: r.Host, Page: slices.Index(w.names, name)}
	if q.Page < 0 {
		q.Page, q.Saver = slices.Index(w.savers, name), true
	}
	w.mu.Lock()
	w.queries++
	w.tries[q.Page]++
	q.Try, q.Nth = w.tries[q.Page], w.queries
	w.mu.Unlock()
	var f fault
	if w.fault != nil {
		f = w.fault(q)
	}
	if !f.Drop && f.Status == 0 && !f.Truncate && !f.Corrupt && !f.HTML && f.Rewrite == nil && f.Delay+f.Stall == 0 {
		w.mu.Lock()
		w.whole[q.Page]++
		w.mu.Unlock()
	}
	f.Delay += w.delay
	return f
}

// RoundTrip leads a request to the host of the fake that has another name here.
func (w *world) RoundTrip(req *http.Request) (*http.Response, error) {
	w.mu.Lock()
	dead, node := w.dead[req.URL.Host], w.node
	address, at := "", req.URL.EscapedPath()
	switch {
	case strings.HasPrefix(req.URL.String(), w.api+"/"):
		address = w.srv.URL + at
	case at == "/report":
		address = w.srv.ReportURL
	case strings.HasPrefix(at, "/covers/"):
		address = w.srv.UploadsURL + at
	default:
		parts := strings.Split(at, "/")
		address = node + "/" + strings.Join(parts[max(0, len(parts)-3):], "/")
	}
	if address != w.srv.URL+at && !dead {
		w.requests = append(w.requests, req)
	}
	w.working++
	w.most = max(w.most, w.working)
	w.mu.Unlock()
	defer func() {
		w.mu.Lock()
		w.working--
		w.mu.Unlock()
	}()
	if dead {
		return nil, &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}
	}
	to := req.Clone(req.Context())
	to.Host = req.URL.Host // by which the fake knows it
	var err error
	if to.URL, err = url.Parse(address); err != nil {
		return nil, err
	}
	to.URL.RawQuery = req.URL.RawQuery
	resp, err := w.srv.Transport().RoundTrip(to)
	if err == nil {
		resp.Request = req
	}
	return resp, err
}

// kill makes a host one that nobody answers at.
func (w *world) kill(host string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.dead[host] = true
}

// http returns a client whose network is the world.
func (w *world) http() *http.Client { return &http.Client{Transport: w} }

// client returns a client of the API that sends a token with everything.
func (w *world) client(t testing.TB) *api.Client {
	t.Helper()
	client, err := api.New(w.api, api.WithHTTPClient(w.http()), api.WithRequestEditorFn(func(_ context.Context, r *http.Request) error {
		r.Header.Set("Authorization", "Bearer "+w.token)
		return nil
	}))
	must(t, err)
	return client
}

// open opens the chapter and closes it when the test ends.
func (w *world) open(t testing.TB, options ...athome.Option) *athome.Chapter {
	t.Helper()
	chapter, err := w.tryOpen(t, options...)
	must(t, err)
	t.Cleanup(func() { chapter.Close() })
	return chapter
}

func (w *world) tryOpen(t testing.TB, options ...athome.Option) (*athome.Chapter, error) {
	t.Helper()
	w.publish(t)
	return athome.Open(t.Context(), w.client(t), chapterID, append([]athome.Option{athome.WithHTTPClient(w.http())}, options...)...)
}

// publish gives the chapter of the fake the pages of the world.
func (w *world) publish(t testing.TB) {
	t.Helper()
	pages := make([]apitest.Page, len(w.pages))
	for i, data := range w.pages {
		pages[i] = apitest.Page{Name: w.names[i], Data: data}
		if i < len(w.savers) {
			pages[i].Saver = w.saver[i]
		}
	}
	must(t, w.srv.State().SetPages(chapterID, pages...))
}

// called returns how often an operation was called.
func (w *world) called(operation string) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.calls[operation]
}

// A tally is what nodes were asked for.
type tally struct {
	queries int
	tries   map[int]int // by page
	whole   map[int]int // times that a page was sent as it is
}

func (w *world) tally() tally {
	w.mu.Lock()
	defer w.mu.Unlock()
	return tally{w.queries, maps.Clone(w.tries), maps.Clone(w.whole)}
}

// checkFetched fails the test unless these pages, and no others, have been asked for since.
func (w *world) checkFetched(t testing.TB, since tally, want []int) {
	t.Helper()
	var fetched []int
	for page, tries := range w.tally().tries {
		if tries > since.tries[page] {
			fetched = append(fetched, page)
		}
	}
	if slices.Sort(fetched); !slices.Equal(fetched, want) {
		t.Errorf("pages %v were fetched, want %v", fetched, want)
	}
}

// asked returns how many requests for pages a host got.
func (w *world) asked(host string) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	n := 0
	for _, r := range w.requests {
		if r.Host == host && r.URL.Path != "/report" {
			n++
		}
	}
	return n
}

// checkFolder fails the test unless a folder holds the pages and nothing else.
func checkFolder(t testing.TB, dir string, pages [][]byte, ext string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	must(t, err)
	if len(entries) != len(pages) {
		t.Errorf("the folder has %d files instead of %d: %v", len(entries), len(pages), entries)
	}
	for i, page := range pages {
		name := fmt.Sprintf("%03d%s", i+1, ext)
		if data, err := os.ReadFile(path.Join(dir, name)); err != nil || !bytes.Equal(data, page) {
			t.Errorf("%s is not page %d (%v)", name, i+1, err)
		}
	}
}

// pageErrors returns the indexes of the pages that an error says are lost.
func pageErrors(err error) []int {
	var lost []int
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		for _, err := range joined.Unwrap() {
			lost = append(lost, pageErrors(err)...)
		}
		return lost
	}
	var page *athome.PageError
	if errors.As(err, &page) {
		lost = append(lost, page.Page.Index)
	}
	return lost
}

// checkTree fails the test unless there are so many files under a folder.
func checkTree(t testing.TB, dir string, want int) {
	t.Helper()
	files := 0
	err := filepath.WalkDir(dir, func(_ string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			files++
		}
		return err
	})
	if err != nil || files != want {
		t.Errorf("%d files under the folder, want %d (%v)", files, want, err)
	}
}

// pageName is the name of the file of a page.
func pageName(index int) string { return fmt.Sprintf("%03d.png", index+1) }

// samePages makes a chapter of many pages that take the memory of one.
func samePages(t testing.TB, pages, size int, options ...apitest.Option) *world {
	w := newWorld(t, 0, 0, options...)
	page := picture(1, size)
	for i := range pages {
		w.pages = append(w.pages, page)
		w.names = append(w.names, fmt.Sprintf("%d-%s.png", i+1, sum(page)))
	}
	return w
}
