package main

import (
	"context"
	"crypto/rand"
	"embed"
	"html/template"
	"net/http"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/mangadex-go/mangadex/api"
	"github.com/mangadex-go/mangadex/api/apitest"
	"github.com/mangadex-go/mangadex/api/reading"
	"github.com/mangadex-go/mangadex/authn"
	"github.com/mangadex-go/mangadex/examples/internal/web"
)

//go:embed templates static
var files embed.FS

// A server serves the reader. Everybody who reaches it is the same reader.
type server struct {
	client   *api.Client
	session  *authn.Session
	images   *images
	language string                           // to begin with
	host     string                           // that -addr names
	demo     *apitest.Account                 // nil unless it is that of the fake MangaDex in this program
	note     func(format string, args ...any) // tells the user a line

	visit string // the value of the cookie of those who came here by themselves

	pages  map[string]*template.Template
	assets web.Assets
	feeds  feeds
}

// load reads the templates and the files of the server.
func (s *server) load() error {
	s.pages, s.visit = map[string]*template.Template{}, rand.Text()
	var err error
	if s.assets, err = web.ReadAssets(files, "static"); err != nil {
		return err
	}
	functions := template.FuncMap{
		"asset":    s.assets.Path,
		"nth":      func(i int) int { return i + 1 },
		"language": languageName, "date": func(t time.Time) string { return t.Format("2 January 2006") },
	}
	for _, name := range []string{"list", "title", "chapter", "login", "message"} {
		page, err := template.New("layout.html").Funcs(functions).ParseFS(files, "templates/layout.html", "templates/"+name+".html")
		if err != nil {
			return err
		}
		s.pages[name] = page
	}
	return nil
}

// handler is the whole server: first it is made sure who asks, then what.
func (s *server) handler() http.Handler {
	routes := &web.Routes{Fail: s.fail}
	routes.To("GET /{$}", s.search)
	routes.To("GET /following", s.following)
	routes.To("GET /title/{id}", s.title)
	routes.To("POST /title/{id}/follow", s.follow)
	routes.To("POST /title/{id}/status", s.setStatus)
	routes.To("POST /title/{id}/read", s.markRead)
	routes.To("GET /chapter/{id}", s.chapter)
	routes.To("GET /chapter/{id}/pages/{page}", s.page)
	routes.To("GET /title/{id}/covers/{file}", s.cover)
	routes.To("GET /login", s.loginPage)
	routes.To("POST /login", s.login)
	routes.To("POST /logout", s.logout)
	routes.To("GET /static/{file}", s.static)

	// Other sites can neither send forms here, nor name this host and read what it says.
	forms := http.NewCrossOriginProtection()
	forms.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.fail(w, r, &problem{http.StatusForbidden, "This came from another site, and was not carried out."})
	}))
	guarded := forms.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, pattern := routes.Handler(r); pattern == "" {
			s.fail(w, r, misdirected(&routes.ServeMux, w, r))
			return
		}
		routes.ServeHTTP(w, r)
	}))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		web.Guard(w, r)
		if !web.IsOurs(r.Host, s.host) {
			s.fail(w, r, &problem{http.StatusMisdirectedRequest, "This server does not go by that name."})
			return
		}
		if s.isForeign(r) && (r.Method == http.MethodGet || r.Method == http.MethodHead) {
			s.stop(w, r)
			return
		}
		if !web.IsLoopback(r.Host) && !s.hasVisited(r) {
			http.SetCookie(w, &http.Cookie{Name: visitCookie, Value: s.visit, Path: "/", HttpOnly: true, SameSite: http.SameSiteStrictMode})
		}
		ctx, cancel := context.WithTimeout(r.Context(), 2*time.Minute)
		defer cancel()
		r.Body = http.MaxBytesReader(w, r.Body, 256<<10)
		guarded.ServeHTTP(w, r.WithContext(ctx))
	})
}

// isForeign reports whether a page of another site has made the browser send a request. To the address
// of another computer browsers say nothing where a page keeps its Referer to itself; then only who has
// been here has a cookie, which they send for no other site.
func (s *server) isForeign(r *http.Request) bool {
	from := web.SenderOf(r)
	return from == web.Foreign || from == web.Untold && !web.IsLoopback(r.Host) && !s.hasVisited(r)
}

const visitCookie = "visit"

func (s *server) hasVisited(r *http.Request) bool {
	cookie, err := r.Cookie(visitCookie)
	return err == nil && cookie.Value == s.visit
}

// stop answers a request that another site has made. Nothing is asked of MangaDex before a person
// goes on.
func (s *server) stop(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	if mode := r.Header.Get("Sec-Fetch-Mode"); mode != "" && mode != "navigate" {
		http.Error(w, "This came from another site, and was not carried out.", http.StatusForbidden)
		return
	}
	view := message{Text: "Another site may have led here. Nothing has been asked of MangaDex yet.", Next: "/" + strings.TrimLeft(r.URL.RequestURI(), "/"), NextName: "Go on", Bad: true}
	s.show(w, r, http.StatusForbidden, "message", "Reader", view) //nolint:errcheck // see ignore
}

// misdirected is what is wrong with a request that the mux has no handler for.
func misdirected(mux *http.ServeMux, w http.ResponseWriter, r *http.Request) *problem {
	h, _ := mux.Handler(r)
	probe := probe{header: http.Header{}}
	h.ServeHTTP(&probe, r)
	if probe.status == http.StatusMethodNotAllowed {
		w.Header().Set("Allow", probe.header.Get("Allow"))
		return &problem{http.StatusMethodNotAllowed, "This page does not take the method " + reading.Short(r.Method, 20) + "."}
	}
	return &problem{http.StatusNotFound, "There is no such page."}
}

// A probe keeps what a handler would answer, without the body.
type probe struct {
	header http.Header
	status int
}

func (p *probe) Header() http.Header         { return p.header }
func (p *probe) WriteHeader(status int)      { p.status = status }
func (p *probe) Write(b []byte) (int, error) { return len(b), nil }

func (s *server) static(w http.ResponseWriter, r *http.Request) error {
	if !s.assets.Send(w, r, r.PathValue("file")) {
		return &problem{http.StatusNotFound, "There is no such file."}
	}
	return nil
}

// A layout is what the frame around every page needs to know.
type layout struct {
	Page     string // name of its template
	Title    string
	Language string // of titles and chapters
	Query    string
	Here     string // where a login leads back to
	LoggedIn bool
	Demo     *apitest.Account
	Main     any
}

// show sends a page.
func (s *server) show(w http.ResponseWriter, r *http.Request, status int, name, title string, main any) error {
	l := layout{
		Page: name, Title: title, Language: s.languageOf(r), Query: r.FormValue("q"), Here: "/",
		LoggedIn: !s.session.Anonymous(), Demo: s.demo, Main: main,
	}
	if r.Method == http.MethodGet && name != "login" {
		l.Here = r.URL.RequestURI()
	}
	var page strings.Builder
	if err := s.pages[name].Execute(&page, l); err != nil {
		return err
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, err := w.Write([]byte(page.String()))
	return ignore(err)
}

// ignore drops an error of sending: the browser has gone.
func ignore(error) error { return nil }

// A message is a page that says one thing.
type message struct {
	Text           string
	Next, NextName string // where to go on; empty for nowhere
	Link           string // to another site; empty for none
	Bad            bool

	// Of a chapter that cannot be read here.
	Back          string
	Before, After *row
}

// say shows what happened, and where to go on.
func (s *server) say(w http.ResponseWriter, r *http.Request, text, next string) error {
	return s.show(w, r, http.StatusOK, "message", "Reader", message{Text: text, Next: next, NextName: "Go on"})
}

// quiet tells a script from a person.
func quiet(r *http.Request) bool {
	return r.Method == http.MethodPost && r.PostFormValue("quiet") != ""
}

// idOf is the id in the path.
func idOf(r *http.Request) (uuid.UUID, error) {
	id, err := uuid.Parse(r.PathValue("id"))
	if err != nil || len(r.PathValue("id")) != 36 {
		return id, &problem{http.StatusNotFound, "That is not an id of MangaDex; it looks like 01234567-89ab-cdef-0123-456789abcdef."}
	}
	return id, nil
}
