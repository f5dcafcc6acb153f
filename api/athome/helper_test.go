package athome_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log"
	"maps"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/mangadex-go/mangadex/api"
	"github.com/mangadex-go/mangadex/api/athome"
)

const token = "a-token-that-no-node-may-see"

var (
	chapterID = uuid.MustParse("00000000-0000-4000-8000-0000000000c1")
	mangaID   = uuid.MustParse("00000000-0000-4000-8000-0000000000a1")
)

// A world is a small MangaDex: an API, nodes, a host of covers and one for reports. Its network is
// in memory, so that it can be used with fake time, too.
type world struct {
	api     string // server of the API
	pages   [][]byte
	saver   [][]byte
	names   []string
	savers  []string
	hash    string
	details map[string]any // attributes of the chapter
	related []any          // relationships of the chapter

	// base is the address of the node that the nth at-home call gets, counted from 1.
	base func(call int) string
	// delay and fault say what a node does with a request for a page.
	delay time.Duration
	fault func(q query) fault
	// refuse says for which addresses of pages the answer is 404, redirect where others lead, and answer
	// sends something else than a page. They may be nil.
	refuse   func(address string) bool
	redirect func(*http.Request) string
	answer   func(rw http.ResponseWriter, data []byte) bool
	// atHome answers at-home calls in place of the world, if it wants to.
	atHome func(call int, w http.ResponseWriter) bool
	report func(*http.Request)

	network *network
	done    chan struct{} // closed when the test is over
	serving sync.WaitGroup

	mu       sync.Mutex
	over     bool
	forgets  bool           // requests and reports, for long runs
	calls    map[string]int // by operation
	forced   string         // what the last at-home call said about the port
	tries    map[int]int    // requests for a page
	whole    map[int]int    // times that a page was sent as it is
	queries  int
	working  int             // pages that are being served
	most     int             // of them at once
	requests []*http.Request // to nodes
	reports  []report
	dead     map[string]bool // hosts that nobody answers at
	covers   map[string][]byte
}

// A query is a request for a page.
type query struct {
	Host string
	Page int
	Try  int // how often this page has been asked for, from 1
	Nth  int // how many requests for pages there have been, from 1
}

// A fault is what a node does instead of sending the page: a status, or one of those below.
type fault int

const (
	none    fault = iota
	drop          // ends the connection
	cut           // ends the connection half way
	garble        // sends other bytes
	short         // sends fewer bytes, and says so
	html          // sends a page of HTML with status 200
	silent        // does not answer
	stuck         // stops half way
	trickle       // sends the page in six pieces, ten seconds apart
	drip          // sends ten bytes a second
	vague         // sends the page without its length
	untyped       // sends the page without its type
)

// on has a node do something else with every page.
func on(node string, f fault) func(query) fault {
	return func(q query) fault {
		if strings.HasPrefix(q.Host, node) {
			return f
		}
		return none
	}
}

// at has all nodes do something else with one page.
func at(page int, f fault) func(query) fault {
	return func(q query) fault {
		if q.Page == page {
			return f
		}
		return none
	}
}

type report struct {
	URL      string `json:"url"`
	Success  *bool  `json:"success"`
	Cached   *bool  `json:"cached"`
	Bytes    *int64 `json:"bytes"`
	Duration *int64 `json:"duration"`
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

// newWorld makes a chapter with so many pages of a size.
func newWorld(t testing.TB, pages, size int) *world {
	w := &world{
		api:     "https://api.example.test",
		hash:    "0123456789abcdef",
		details: map[string]any{"pages": pages, "translatedLanguage": "en", "version": 1},
		base:    func(call int) string { return fmt.Sprintf("https://node%d.example.test:8443/key%d", call, call) },
		network: &network{hosts: map[string]*listener{}},
		done:    make(chan struct{}),
		calls:   map[string]int{}, tries: map[int]int{}, whole: map[int]int{}, dead: map[string]bool{}, covers: map[string][]byte{},
	}
	for i := range pages {
		w.pages = append(w.pages, picture(i, size))
		w.saver = append(w.saver, append(append([]byte("\xff\xd8\xff\xe0"), picture(i, size/2)...), 0xff, 0xd9))
		w.names = append(w.names, fmt.Sprintf("A%d-%s.png", i+1, sum(w.pages[i])))
		w.savers = append(w.savers, fmt.Sprintf("A%d-%s.jpg", i+1, sum(w.saver[i])))
	}
	w.network.serve = w.serve
	t.Cleanup(func() {
		w.mu.Lock()
		w.over = true
		w.mu.Unlock()
		close(w.done)
		w.network.close()
		w.serving.Wait()
	})
	return w
}

// serve answers for every host of the world.
func (w *world) serve(rw http.ResponseWriter, r *http.Request) {
	w.mu.Lock()
	if w.over {
		w.mu.Unlock()
		panic(http.ErrAbortHandler)
	}
	w.serving.Add(1)
	w.mu.Unlock()
	defer w.serving.Done()
	switch {
	case r.URL.Path == "/report":
		w.serveReport(rw, r)
	case strings.HasPrefix(r.URL.Path, "/chapter/"):
		w.count("GetChapter")
		w.reply(rw, map[string]any{"result": "ok", "response": "entity", "data": w.chapter()})
	case strings.HasPrefix(r.URL.Path, "/at-home/server/"):
		call := w.count("GetAtHomeServer")
		w.mu.Lock()
		w.forced = r.URL.Query().Get("forcePort443")
		w.mu.Unlock()
		if w.atHome != nil && w.atHome(call, rw) {
			return
		}
		w.replyNode(rw, w.base(call), w.hash, w.names)
	case strings.HasPrefix(r.URL.Path, "/covers/"):
		w.serveCover(rw, r)
	default:
		w.servePage(rw, r)
	}
}

func (w *world) replyNode(rw http.ResponseWriter, base, hash string, names []string) {
	w.reply(rw, map[string]any{"result": "ok", "baseUrl": base, "chapter": map[string]any{
		"hash": hash, "data": notNil(names), "dataSaver": notNil(w.savers),
	}})
}

func notNil(names []string) []string { return append([]string{}, names...) }

func (w *world) chapter() map[string]any {
	return map[string]any{"id": chapterID, "type": "chapter", "attributes": w.details, "relationships": append([]any{}, w.related...)}
}

func (w *world) count(operation string) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.calls[operation]++
	return w.calls[operation]
}

func (w *world) reply(rw http.ResponseWriter, answer any) {
	rw.Header().Set("Content-Type", "application/json")
	json.NewEncoder(rw).Encode(answer)
}

func (w *world) serveReport(rw http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	if w.report != nil {
		w.report(r)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.note(r)
	var got report
	if r.Method != http.MethodPost || r.Header.Get("Content-Type") != "application/json" || json.Unmarshal(body, &got) != nil {
		rw.WriteHeader(http.StatusBadRequest)
		return
	}
	if !w.forgets {
		w.reports = append(w.reports, got)
	}
}

func (w *world) serveCover(rw http.ResponseWriter, r *http.Request) {
	w.mu.Lock()
	w.queries++
	w.note(r)
	q := query{Host: r.Host, Nth: w.queries, Try: w.queries}
	data, ok := w.covers[strings.TrimPrefix(r.URL.Path, "/covers/")]
	w.mu.Unlock()
	if !ok {
		http.NotFound(rw, r)
		return
	}
	w.send(rw, r, q, data, "image/jpeg")
}

// servePage answers a request like /key1/data/0123/A1-….png.
func (w *world) servePage(rw http.ResponseWriter, r *http.Request) {
	if w.redirect != nil {
		if to := w.redirect(r); to != "" {
			http.Redirect(rw, r, to, http.StatusFound)
			return
		}
	}
	if w.refuse != nil && w.refuse(r.URL.Path) {
		http.NotFound(rw, r)
		return
	}
	name, err := url.PathUnescape(path.Base(r.URL.EscapedPath()))
	if err != nil {
		rw.WriteHeader(http.StatusBadRequest)
		return
	}
	data, kind, page := w.pages, "image/png", slices.Index(w.names, name)
	if page < 0 {
		data, kind, page = w.saver, "image/jpeg", slices.Index(w.savers, name)
	}
	quality := map[string]string{"image/png": "data", "image/jpeg": "data-saver"}[kind]
	if page < 0 || !strings.HasSuffix(r.URL.EscapedPath(), "/"+quality+"/"+w.hash+"/"+url.PathEscape(name)) {
		http.NotFound(rw, r)
		return
	}
	w.mu.Lock()
	w.queries++
	if r.Method == http.MethodGet {
		w.tries[page]++
	}
	w.note(r)
	q := query{Host: r.Host, Page: page, Try: w.tries[page], Nth: w.queries}
	w.working++
	w.most = max(w.most, w.working)
	w.mu.Unlock()
	defer func() {
		w.mu.Lock()
		w.working--
		w.mu.Unlock()
	}()
	if w.answer != nil && w.answer(rw, data[page]) {
		return
	}
	if w.send(rw, r, q, data[page], kind) && r.Method == http.MethodGet {
		w.mu.Lock()
		w.whole[page]++
		w.mu.Unlock()
	}
}

// send sends a picture, or what the fault says. It reports whether it was the picture, as it is.
func (w *world) send(rw http.ResponseWriter, r *http.Request, q query, data []byte, kind string) bool {
	if w.delay > 0 {
		time.Sleep(w.delay)
	}
	f := none
	if w.fault != nil {
		f = w.fault(q)
	}
	rw.Header().Set("Content-Type", kind)
	if q.Try == 1 {
		rw.Header().Set("X-Cache", "HIT (fresh)")
	}
	rw.Header().Set("Content-Length", strconv.Itoa(len(data)))
	switch f {
	case none:
		rw.Write(data)
		return http.NewResponseController(rw).Flush() == nil
	case drop:
		panic(http.ErrAbortHandler)
	case cut:
		rw.Write(data[:len(data)/2])
		http.NewResponseController(rw).Flush()
		panic(http.ErrAbortHandler)
	case garble:
		other := bytes.Clone(data)
		other[len(other)/2] ^= 1
		rw.Write(other)
	case short:
		rw.Header().Set("Content-Length", strconv.Itoa(len(data)-1))
		rw.Write(data[:len(data)-1])
	case html:
		rw.Header().Del("Content-Length")
		rw.Header().Set("Content-Type", "text/html; charset=utf-8")
		io.WriteString(rw, "<html>not today</html>")
	case silent, stuck:
		if f == stuck {
			rw.Write(data[:len(data)/2])
			http.NewResponseController(rw).Flush()
		}
		select {
		case <-r.Context().Done():
		case <-w.done:
		}
		panic(http.ErrAbortHandler)
	case trickle:
		for i := range 6 {
			time.Sleep(10 * time.Second)
			rw.Write(data[i*len(data)/6 : (i+1)*len(data)/6])
			http.NewResponseController(rw).Flush()
		}
		return true
	case drip:
		for rest := data; len(rest) > 0; rest = rest[min(10, len(rest)):] {
			time.Sleep(time.Second)
			if r.Context().Err() != nil {
				return false
			}
			rw.Write(rest[:min(10, len(rest))])
			http.NewResponseController(rw).Flush()
		}
		return true
	case vague, untyped:
		if f == untyped {
			rw.Header()["Content-Type"] = nil
		} else {
			rw.Header().Del("Content-Length")
		}
		rw.Write(data[:len(data)/2])
		http.NewResponseController(rw).Flush()
		rw.Write(data[len(data)/2:])
		return http.NewResponseController(rw).Flush() == nil
	default:
		rw.Header().Del("Content-Length")
		rw.WriteHeader(int(f))
	}
	return false
}

// kill makes a host one that nobody answers at.
func (w *world) kill(host string) {
	w.mu.Lock()
	w.dead[host] = true
	w.mu.Unlock()
	w.network.cut(host)
}

func (w *world) dial(ctx context.Context, _, addr string) (net.Conn, error) {
	w.mu.Lock()
	dead := w.dead[addr]
	w.mu.Unlock()
	if dead {
		return nil, &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}
	}
	return w.network.dial(addr)
}

// http returns a client whose network is the world.
func (w *world) http(t testing.TB) *http.Client {
	transport := &http.Transport{DialContext: w.dial, DialTLSContext: w.dial, MaxIdleConnsPerHost: 64}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport}
}

// client returns a client of the API that sends a token with everything.
func (w *world) client(t testing.TB) *api.Client {
	t.Helper()
	client, err := api.New(w.api, api.WithHTTPClient(w.http(t)), api.WithRequestEditorFn(func(_ context.Context, r *http.Request) error {
		r.Header.Set("Authorization", "Bearer "+token)
		return nil
	}))
	if err != nil {
		t.Fatal(err)
	}
	return client
}

// open opens the chapter and closes it when the test ends.
func (w *world) open(t testing.TB, options ...athome.Option) *athome.Chapter {
	t.Helper()
	chapter, err := w.tryOpen(t, options...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { chapter.Close() })
	return chapter
}

func (w *world) tryOpen(t testing.TB, options ...athome.Option) (*athome.Chapter, error) {
	t.Helper()
	return athome.Open(t.Context(), w.client(t), chapterID, append([]athome.Option{athome.WithHTTPClient(w.http(t))}, options...)...)
}

// called returns how often an operation was called.
func (w *world) called(operation string) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.calls[operation]
}

// note keeps a request. The world is locked.
func (w *world) note(r *http.Request) {
	if !w.forgets {
		w.requests = append(w.requests, r)
	}
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
	if err != nil {
		t.Fatal(err)
	}
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

// A network is connections in memory, by the address of the host.
type network struct {
	serve http.HandlerFunc

	mu      sync.Mutex
	hosts   map[string]*listener
	servers []*http.Server
	closed  bool
}

func (n *network) dial(addr string) (net.Conn, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.closed {
		return nil, net.ErrClosed
	}
	l := n.hosts[addr]
	if l == nil {
		l = &listener{addr: addr, conns: make(chan net.Conn), done: make(chan struct{})}
		server := &http.Server{Handler: n.serve, ErrorLog: log.New(io.Discard, "", 0)}
		n.hosts[addr], n.servers = l, append(n.servers, server)
		go server.Serve(l)
	}
	client, server := net.Pipe()
	l.mu.Lock()
	l.open = append(l.open, server)
	l.mu.Unlock()
	select {
	case l.conns <- server:
		return client, nil
	case <-l.done:
		return nil, net.ErrClosed
	}
}

// cut ends the connections to a host.
func (n *network) cut(addr string) {
	n.mu.Lock()
	l := n.hosts[addr]
	n.mu.Unlock()
	if l != nil {
		l.mu.Lock()
		defer l.mu.Unlock()
		for _, conn := range l.open {
			conn.Close()
		}
	}
}

func (n *network) close() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.closed = true
	for _, server := range n.servers {
		server.Close()
	}
}

type listener struct {
	addr  string
	conns chan net.Conn
	done  chan struct{}
	once  sync.Once

	mu   sync.Mutex
	open []net.Conn
}

func (l *listener) Accept() (net.Conn, error) {
	select {
	case conn := <-l.conns:
		return conn, nil
	case <-l.done:
		return nil, net.ErrClosed
	}
}

func (l *listener) Close() error {
	l.once.Do(func() { close(l.done) })
	return nil
}

func (l *listener) Addr() net.Addr { return &net.UnixAddr{Name: l.addr, Net: "memory"} }

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
func samePages(t testing.TB, pages, size int) *world {
	w := newWorld(t, 0, 0)
	w.details["pages"] = pages
	page := picture(1, size)
	for i := range pages {
		w.pages = append(w.pages, page)
		w.names = append(w.names, fmt.Sprintf("%d-%s.png", i+1, sum(page)))
	}
	return w
}
