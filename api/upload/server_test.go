package upload_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/mangadex-go/mangadex/api"
)

// A server keeps the upload session of one account as MangaDex does, and fails where told to. It is
// an [http.Handler], and an [http.RoundTripper] that needs no network.
type server struct {
	mu       sync.Mutex
	session  *session
	chapters []chapter
	covers   []cover
	requests []string // method and path, with {id} for ids
	versions map[uuid.UUID]int
	existing map[uuid.UUID][]file // pages of chapters that can be edited
	approval bool
	held     bool // chapters are not in lists yet

	// fault is asked before each request; n counts those to the same operation from 1. It is called
	// without the lock.
	fault func(op string, n int) fault
	late  []func() // what requests do only later, see takeLate
}

type session struct {
	id, manga, chapter uuid.UUID
	groups             []any
	files              []file
	begun              time.Time
}

type file struct {
	id            uuid.UUID
	name, content string
	published     bool
}

type chapter struct {
	id       uuid.UUID
	manga    uuid.UUID
	groups   []any
	created  time.Time
	version  int
	names    []string
	contents []string
	left     int // files of the session that are not in the page order
	draft    map[string]any
}

type cover struct {
	name, content string
	fields        map[string]string
}

// A fault says what goes wrong with a request.
type fault struct {
	do      func()                     // called before anything else
	empty   bool                       // the server acts, and answers {}
	half    bool                       // the server acts, and the answer ends in its middle
	then    int                        // with lose: it is a proxy that loses it, asks again, and passes this on
	lateBy  time.Duration              // with a status: the server acts so much later
	after   int                        // the server acts, and the answer has this status
	status  int                        // the request is refused with it
	header  http.Header                // of the refusal
	body    string                     // of the refusal; by default an error of MangaDex's
	drop    bool                       // the connection breaks before the server sees the request
	lose    bool                       // the server acts, and the answer is lost
	late    bool                       // as lose, but the server acts only at takeLate
	garbage bool                       // the server acts, and a proxy answers with a page of its own
	take    func(i int, f string) bool // which files are taken; nil for all
	hang    bool                       // nothing happens until the client gives up
}

var errConnection = errors.New("connection reset by test")

// RoundTrip implements [http.RoundTripper].
func (s *server) RoundTrip(req *http.Request) (*http.Response, error) {
	recorder := httptest.NewRecorder()
	if !s.serve(recorder, req) {
		if err := req.Context().Err(); err != nil {
			return nil, err
		}
		return nil, errConnection
	}
	resp := recorder.Result()
	resp.Request = req
	return resp, nil
}

// ServeHTTP implements [http.Handler].
func (s *server) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	if !s.serve(w, req) {
		panic(http.ErrAbortHandler)
	}
}

// operation names what a request is for.
func operation(req *http.Request) string {
	parts := strings.Split(req.URL.Path, "/")
	for i, part := range parts {
		if _, err := uuid.Parse(part); err == nil {
			parts[i] = "{id}"
		}
	}
	return req.Method + " " + strings.Join(parts, "/")
}

// serve reports false where there is no answer.
func (s *server) serve(w http.ResponseWriter, req *http.Request) bool {
	op := operation(req)
	s.mu.Lock()
	s.requests = append(s.requests, op)
	n := 0
	for _, r := range s.requests {
		if r == op {
			n++
		}
	}
	s.mu.Unlock()
	var f fault
	if s.fault != nil {
		f = s.fault(op, n)
	}
	body := []byte{}
	if req.Body != nil && !f.drop {
		var err error
		if body, err = io.ReadAll(req.Body); err != nil {
			return false
		}
	}
	if f.do != nil {
		f.do()
	}
	if f.lateBy > 0 {
		later := req.Clone(context.Background())
		later.Body = io.NopCloser(bytes.NewReader(body))
		time.AfterFunc(f.lateBy, func() {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.handle(httptest.NewRecorder(), later, fault{})
		})
	}
	switch {
	case f.drop:
		return false
	case f.hang:
		<-req.Context().Done()
		return false
	case f.status != 0:
		for name, values := range f.header {
			w.Header()[name] = values
		}
		if f.body == "" {
			f.body = problem(f.status, "refused by test")
		}
		reply(w, f.status, f.body)
		return true
	}
	req.Body = io.NopCloser(bytes.NewReader(body))
	if f.late {
		s.mu.Lock()
		s.late = append(s.late, func() { s.handle(httptest.NewRecorder(), req, f) })
		s.mu.Unlock()
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if f.half {
		whole := httptest.NewRecorder()
		s.handle(whole, req, f)
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Content-Length", strconv.Itoa(whole.Body.Len()))
		_, _ = w.Write(whole.Body.Bytes()[:whole.Body.Len()/2])
		return true
	}
	if f.then != 0 {
		s.handle(httptest.NewRecorder(), req, f)
		reply(w, f.then, problem(f.then, "refused by test"))
		return true
	}
	if f.empty {
		s.handle(httptest.NewRecorder(), req, f)
		reply(w, 200, "{}")
		return true
	}
	if f.after != 0 {
		s.handle(httptest.NewRecorder(), req, f)
		reply(w, f.after, problem(f.after, "refused by test"))
		return true
	}
	if f.lose || f.garbage {
		s.handle(httptest.NewRecorder(), req, f)
		if f.garbage {
			w.Header().Set("Content-Type", "text/html")
			fmt.Fprint(w, "<html>OK</html>")
		}
		return f.garbage
	}
	s.handle(w, req, f)
	return true
}

// takeLate does what late requests were to do.
func (s *server) takeLate() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, do := range s.late {
		do()
	}
	s.late = nil
}

func reply(w http.ResponseWriter, status int, body string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	fmt.Fprint(w, body)
}

func problem(status int, detail string) string {
	return encode(map[string]any{"result": "error", "errors": []any{map[string]any{
		"id": uuid.NewString(), "status": status, "title": "test_exception", "detail": detail, "context": nil,
	}}})
}

func encode(v any) string {
	data, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(data)
}

func entity(data any) string {
	return encode(map[string]any{"result": "ok", "response": "entity", "data": data})
}

func (f file) attributes() map[string]any {
	return map[string]any{
		"originalFileName": f.name, "fileHash": "", "fileSize": len(f.content), "mimeType": "image/png", "version": 1,
		"source": map[bool]string{false: "local", true: "remote"}[f.published],
	}
}

func (s *session) data() map[string]any {
	relationships := []any{}
	if s.manga != uuid.Nil {
		relationships = append(relationships, map[string]any{"id": s.manga, "type": "manga"})
	}
	if s.chapter != uuid.Nil {
		relationships = append(relationships, map[string]any{"id": s.chapter, "type": "chapter"})
	}
	for _, f := range s.files {
		relationships = append(relationships, map[string]any{"id": f.id, "type": "upload_session_file", "attributes": f.attributes()})
	}
	return map[string]any{
		"id": s.id, "type": "upload_session", "relationships": relationships,
		"attributes": map[string]any{
			"isCommitted": false, "isProcessed": false, "isDeleted": false, "version": 1,
			"createdAt": stamp(s.begun), "updatedAt": stamp(s.begun),
		},
	}
}

func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05+00:00") }

func chapterData(id uuid.UUID, version int) map[string]any {
	return map[string]any{"id": id, "type": "chapter", "relationships": []any{}, "attributes": map[string]any{
		"volume": nil, "chapter": "1", "title": nil, "translatedLanguage": "en", "externalUrl": nil, "pages": 1, "version": version,
		"createdAt": "2026-01-02T03:04:05+00:00", "updatedAt": "2026-01-02T03:04:05+00:00", "publishAt": nil, "readableAt": nil,
	}}
}

// handle does what a request asks for.
func (s *server) handle(w http.ResponseWriter, req *http.Request, f fault) {
	parts := strings.Split(strings.Trim(req.URL.Path, "/"), "/")
	id := func(i int) uuid.UUID {
		id, _ := uuid.Parse(parts[i])
		return id
	}
	op := operation(req)
	if strings.HasPrefix(op, req.Method+" /upload/{id}") && (s.session == nil || s.session.id != id(1)) {
		reply(w, 404, problem(404, "no such session"))
		return
	}
	var body map[string]any
	if req.Header.Get("Content-Type") == "application/json" && !strings.HasSuffix(op, "batch") {
		if err := json.NewDecoder(req.Body).Decode(&body); err != nil {
			reply(w, 400, problem(400, err.Error()))
			return
		}
	}
	switch op {
	case "GET /upload":
		switch {
		case s.session == nil:
			reply(w, 404, problem(404, "no session"))
		case req.URL.Query().Get("includes[]") != "upload_session_file":
			reply(w, 200, entity((&session{id: s.session.id, begun: s.session.begun}).data()))
		default:
			reply(w, 200, entity(s.session.data()))
		}
	case "POST /upload/begin":
		if s.session != nil {
			reply(w, 400, problem(400, "a session is open"))
			return
		}
		manga, _ := uuid.Parse(fmt.Sprint(body["manga"]))
		s.session = &session{id: uuid.New(), manga: manga, begun: time.Now()}
		s.session.groups, _ = body["groups"].([]any)
		reply(w, 200, entity((&session{id: s.session.id, begun: s.session.begun}).data()))
	case "POST /upload/begin/{id}":
		if fmt.Sprint(body["version"]) != strconv.Itoa(s.versions[id(2)]) {
			reply(w, 409, problem(409, "version conflict"))
			return
		}
		s.session = &session{id: uuid.New(), begun: time.Now(), chapter: id(2), files: slices.Clone(s.existing[id(2)])}
		reply(w, 200, entity((&session{id: s.session.id, begun: s.session.begun}).data()))
	case "POST /upload/check-approval-required":
		reply(w, 200, encode(map[string]any{"result": "ok", "requiresApproval": s.approval}))
	case "POST /upload/{id}":
		s.takeFiles(w, req, f)
	case "DELETE /upload/{id}":
		s.session = nil
		reply(w, 200, `{"result":"ok"}`)
	case "DELETE /upload/{id}/{id}":
		s.remove(w, id(2))
	case "DELETE /upload/{id}/batch":
		var ids []uuid.UUID
		if err := json.NewDecoder(req.Body).Decode(&ids); err != nil {
			reply(w, 400, problem(400, err.Error()))
			return
		}
		s.remove(w, ids...)
	case "POST /upload/{id}/commit":
		s.commit(w, body)
	case "GET /chapter/{id}":
		for _, c := range s.chapters {
			if c.id == id(1) {
				reply(w, 200, entity(c.data()))
				return
			}
		}
		reply(w, 200, entity(chapterData(id(1), s.versions[id(1)])))
	case "GET /user/me":
		reply(w, 200, entity(map[string]any{"id": account, "type": "user", "relationships": []any{}, "attributes": map[string]any{"username": "me", "roles": []any{}, "version": 1}}))
	case "GET /chapter":
		s.list(w, req.URL.Query())
	case "POST /cover/{id}":
		s.takeCover(w, req)
	default:
		reply(w, 404, problem(404, "no such operation: "+op))
	}
}

func (s *server) takeFiles(w http.ResponseWriter, req *http.Request, f fault) {
	form, err := req.MultipartReader()
	if err != nil {
		reply(w, 400, problem(400, err.Error()))
		return
	}
	data, errs := []any{}, []any{}
	fields := map[string]bool{}
	for i := 0; ; i++ {
		part, err := form.NextPart()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil || i >= 10 || fields[part.FormName()] {
			reply(w, 400, problem(400, fmt.Sprintf("bad form at file %d: %v", i, err)))
			return
		}
		fields[part.FormName()] = true
		content, err := io.ReadAll(part)
		if err != nil {
			reply(w, 400, problem(400, err.Error()))
			return
		}
		if f.take != nil && !f.take(i, part.FileName()) {
			errs = append(errs, map[string]any{"id": uuid.NewString(), "status": 400, "title": "file_exception", "detail": "a file could not be read", "context": nil})
			continue
		}
		added := file{uuid.New(), part.FileName(), string(content), false}
		s.session.files = append(s.session.files, added)
		data = append(data, map[string]any{"id": added.id, "type": "upload_session_file", "attributes": added.attributes()})
	}
	slices.Reverse(data) // the order of the answer means nothing
	result := "ok"
	if len(errs) > 0 {
		result = "error"
	}
	reply(w, 200, encode(map[string]any{"result": result, "errors": errs, "data": data}))
}

func (s *server) remove(w http.ResponseWriter, ids ...uuid.UUID) {
	before := len(s.session.files)
	s.session.files = slices.DeleteFunc(s.session.files, func(f file) bool { return slices.Contains(ids, f.id) })
	if before-len(s.session.files) != len(ids) {
		reply(w, 404, problem(404, "no such file"))
		return
	}
	reply(w, 200, `{"result":"ok"}`)
}

func (s *server) commit(w http.ResponseWriter, body map[string]any) {
	if body["termsAccepted"] != true {
		reply(w, 400, problem(400, "the terms"))
		return
	}
	made := chapter{id: uuid.New(), manga: s.session.manga, groups: s.session.groups, created: time.Now(), left: len(s.session.files)}
	made.draft, _ = body["chapterDraft"].(map[string]any)
	order, _ := body["pageOrder"].([]any)
	for _, id := range order {
		i := slices.IndexFunc(s.session.files, func(f file) bool { return f.id.String() == id })
		if i < 0 {
			reply(w, 400, problem(400, "no such page"))
			return
		}
		made.names = append(made.names, s.session.files[i].name)
		made.contents = append(made.contents, s.session.files[i].content)
		made.left--
	}
	if s.session.chapter != uuid.Nil {
		made.id = s.session.chapter
		s.versions[made.id]++
		made.version = s.versions[made.id]
	}
	s.chapters = append(s.chapters, made)
	s.session = nil
	reply(w, 200, entity(made.data()))
}

// data is the chapter as it is answered.
func (c chapter) data() map[string]any {
	data := chapterData(c.id, max(1, c.version))
	attributes := data["attributes"].(map[string]any)
	for _, name := range []string{"volume", "chapter", "title", "translatedLanguage"} {
		attributes[name] = c.draft[name]
	}
	attributes["createdAt"] = stamp(c.created)
	relationships := []any{map[string]any{"id": c.manga, "type": "manga"}}
	for _, group := range c.groups {
		relationships = append(relationships, map[string]any{"id": group, "type": "scanlation_group"})
	}
	data["relationships"] = relationships
	return data
}

// list answers with the chapters of the account. Those that lie ahead are left out unless they are
// asked for, as the server does.
func (s *server) list(w http.ResponseWriter, query url.Values) {
	data := []any{}
	for _, c := range s.chapters {
		_, ahead := c.draft["publishAt"]
		if s.held || query.Get("uploader[]") != account.String() || query.Get("manga") != c.manga.String() || ahead && query.Get("includeExternalUrl") != "0" {
			continue
		}
		data = append(data, c.data())
	}
	reply(w, 200, encode(map[string]any{"result": "ok", "response": "collection", "data": data, "limit": 100, "offset": 0, "total": len(data)}))
}

func (s *server) takeCover(w http.ResponseWriter, req *http.Request) {
	if err := req.ParseMultipartForm(64 << 20); err != nil {
		reply(w, 400, problem(400, err.Error()))
		return
	}
	c := cover{fields: map[string]string{}}
	for name, values := range req.MultipartForm.Value {
		c.fields[name] = values[0]
	}
	f, header, err := req.FormFile("file")
	if err != nil {
		reply(w, 400, problem(400, err.Error()))
		return
	}
	content, _ := io.ReadAll(f)
	c.name, c.content = header.Filename, string(content)
	s.covers = append(s.covers, c)
	reply(w, 200, entity(map[string]any{"id": uuid.New(), "type": "cover_art", "relationships": []any{}, "attributes": map[string]any{
		"volume": nil, "fileName": "x.png", "description": nil, "locale": nil, "version": 1,
		"createdAt": "2026-01-02T03:04:05+00:00", "updatedAt": "2026-01-02T03:04:05+00:00",
	}}))
}

// count returns how many requests there were to an operation.
func (s *server) count(op string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for _, r := range s.requests {
		if r == op {
			n++
		}
	}
	return n
}

// client returns a client of the server that needs no network.
func (s *server) client(t testing.TB, options ...api.Option) *api.Client {
	t.Helper()
	client, err := api.New("https://api.example.test", append([]api.Option{api.WithHTTPClient(&http.Client{Transport: s})}, options...)...)
	if err != nil {
		t.Fatal(err)
	}
	return client
}

// on makes a fault function for one operation.
func on(op string, f func(n int) fault) func(string, int) fault {
	return func(o string, n int) fault {
		if o == op {
			return f(n)
		}
		return fault{}
	}
}

const (
	sendPages  = "POST /upload/{id}"
	getSession = "GET /upload"
	abandon    = "DELETE /upload/{id}"
	commit     = "POST /upload/{id}/commit"
	begin      = "POST /upload/begin"
)

var (
	title = uuid.MustParse("11111111-1111-4111-8111-111111111111")
	group = uuid.MustParse("22222222-2222-4222-8222-222222222222")
	book  = uuid.MustParse("33333333-3333-4333-8333-333333333333") // a chapter

	account = uuid.MustParse("44444444-4444-4444-8444-444444444444")
)

// wait bounds how long a test may take by the clock of its bubble.
const wait = time.Hour
