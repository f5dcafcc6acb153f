package main

import (
	"context"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"errors"
	"html/template"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"path"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/mangadex-go/mangadex/api"
	"github.com/mangadex-go/mangadex/api/apitest"
	"github.com/mangadex-go/mangadex/api/athome"
	"github.com/mangadex-go/mangadex/authn"
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

	pages  map[string]*template.Template
	assets map[string]string // versions of the files in static, by name
	feeds  feeds
}

// load reads the templates and the files of the server.
func (s *server) load() error {
	s.pages, s.assets = map[string]*template.Template{}, map[string]string{}
	static, err := fs.ReadDir(files, "static")
	if err != nil {
		return err
	}
	for _, file := range static {
		content, err := files.ReadFile("static/" + file.Name())
		if err != nil {
			return err
		}
		sum := sha256.Sum256(content)
		s.assets[file.Name()] = hex.EncodeToString(sum[:8])
	}
	functions := template.FuncMap{
		"asset":    func(name string) string { return "/static/" + name + "?v=" + s.assets[name] },
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
	mux := http.NewServeMux()
	handle := func(pattern string, h func(http.ResponseWriter, *http.Request) error) {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			if err := h(w, r); err != nil {
				s.fail(w, r, err)
			}
		})
	}
	handle("GET /{$}", s.search)
	handle("GET /following", s.following)
	handle("GET /title/{id}", s.title)
	handle("POST /title/{id}/follow", s.follow)
	handle("POST /title/{id}/status", s.setStatus)
	handle("POST /title/{id}/read", s.markRead)
	handle("GET /chapter/{id}", s.chapter)
	handle("GET /chapter/{id}/pages/{page}", s.page)
	handle("GET /title/{id}/covers/{file}", s.cover)
	handle("GET /login", s.loginPage)
	handle("POST /login", s.login)
	handle("POST /logout", s.logout)
	handle("GET /static/{file}", s.static)
	handle("/", func(http.ResponseWriter, *http.Request) error {
		return &problem{http.StatusNotFound, "There is no such page."}
	})

	// Other sites can neither send forms here, nor name this host and read what it says.
	forms := http.NewCrossOriginProtection()
	forms.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.fail(w, r, &problem{http.StatusForbidden, "This came from another site, and was not carried out."})
	}))
	guarded := forms.Handler(mux)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'; require-trusted-types-for 'script'")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Referrer-Policy", "same-origin") // not no-referrer, which would hide the origin of forms from us
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Cache-Control", "private, no-cache")
		if !s.isOurs(r.Host) {
			s.fail(w, r, &problem{http.StatusMisdirectedRequest, "This server does not go by that name."})
			return
		}
		ctx, cancel := context.WithTimeout(r.Context(), 2*time.Minute)
		defer cancel()
		r.Body = http.MaxBytesReader(w, r.Body, 256<<10)
		guarded.ServeHTTP(w, r.WithContext(ctx))
	})
}

// isOurs reports whether a name can only mean this server. Any other one may belong to a site that
// points its name to this computer to read along.
func (s *server) isOurs(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = strings.Trim(host, "[]")
	return host == "localhost" || host == s.host || net.ParseIP(host) != nil
}

func (s *server) static(w http.ResponseWriter, r *http.Request) error {
	name := path.Base(r.PathValue("file"))
	tag, ok := s.assets[name]
	if !ok {
		return &problem{http.StatusNotFound, "There is no such file."}
	}
	if r.FormValue("v") == tag {
		cached(w, tag)
	}
	http.ServeFileFS(w, r, files, "static/"+name)
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
}

// say shows what happened, and where to go on.
func (s *server) say(w http.ResponseWriter, r *http.Request, text, next string) error {
	return s.show(w, r, http.StatusOK, "message", "Reader", message{Text: text, Next: next, NextName: "Go on"})
}

// A problem is an error as a person is told of it.
type problem struct {
	status int
	text   string
}

func (p *problem) Error() string { return p.text }

// explain says what an error means for a person.
func explain(err error) *problem {
	var p *problem
	var op *net.OpError
	switch {
	case errors.As(err, &p):
		return p
	case errors.Is(err, athome.ErrUnavailable), errors.Is(err, athome.ErrNoPages):
		return &problem{http.StatusNotFound, "This chapter cannot be read on MangaDex any more."}
	case errors.Is(err, athome.ErrChanged):
		return &problem{http.StatusNotFound, "The pages of this chapter were replaced; load it again."}
	case errors.As(err, new(*athome.PageError)):
		return &problem{http.StatusBadGateway, "The page did not arrive from MangaDex; try again."}
	case errors.Is(err, api.ErrNotFound):
		return &problem{http.StatusNotFound, "MangaDex has nothing under this address."}
	case errors.Is(err, api.ErrCaptchaRequired):
		return &problem{http.StatusBadGateway, "MangaDex wants a captcha to be solved; log in at mangadex.org, then try again."}
	case errors.As(err, new(*authn.UnauthorizedError)):
		return &problem{http.StatusUnauthorized, "The login has ended; log in again."}
	case errors.Is(err, authn.ErrWrongPassword):
		return &problem{http.StatusForbidden, "Wrong name or password."}
	case errors.Is(err, authn.ErrClientRefused):
		return &problem{http.StatusForbidden, "MangaDex refuses the personal client; check MANGADEX_CLIENT_ID and MANGADEX_CLIENT_SECRET."}
	case errors.Is(err, authn.ErrUnauthorized):
		return &problem{http.StatusUnauthorized, "The login has ended; log in again."}
	case errors.Is(err, api.ErrRateLimited):
		return &problem{http.StatusServiceUnavailable, "That was more than MangaDex allows in a minute; wait a little, then try again."}
	case errors.As(err, &op) && (op.Op == "dial" || op.Op == "proxyconnect"), errors.As(err, new(*net.DNSError)):
		return &problem{http.StatusBadGateway, "MangaDex cannot be reached; check the network, then try again."}
	case errors.Is(err, context.DeadlineExceeded):
		return &problem{http.StatusGatewayTimeout, "MangaDex took too long; try again."}
	case errors.Is(err, api.ErrServer), errors.Is(err, api.ErrNotJSON), errors.Is(err, authn.ErrUnavailable):
		return &problem{http.StatusBadGateway, "MangaDex is in trouble; try again later."}
	}
	return &problem{http.StatusBadGateway, "That did not work: " + short(err)}
}

// short is an error on one line, without the names of packages before it.
func short(err error) string {
	text := strings.Join(strings.Fields(err.Error()), " ")
	for _, name := range []string{"authn: ", "athome: ", "api: "} {
		text = strings.TrimPrefix(text, name)
	}
	return text
}

// fail answers with an error: as a page, or as a line where a picture or a script asks.
func (s *server) fail(w http.ResponseWriter, r *http.Request, err error) {
	if errors.Is(r.Context().Err(), context.Canceled) {
		return // the browser has gone
	}
	if external := (*athome.ExternalError)(nil); errors.As(err, &external) {
		text := "The publisher shows this chapter on a site of its own."
		s.show(w, r, http.StatusOK, "message", "Read it there", message{Text: text, Link: external.URL}) //nolint:errcheck // see ignore
		return
	}
	problem := explain(err)
	if problem.status == http.StatusUnauthorized && s.session.Anonymous() && r.Method == http.MethodGet {
		http.Redirect(w, r, "/login?next="+url.QueryEscape(r.URL.RequestURI()), http.StatusSeeOther)
		return
	}
	if problem.status >= 500 {
		s.note("%s %s: %v", r.Method, r.URL.Path, err)
	}
	w.Header().Set("Cache-Control", "no-store")
	if quiet(r) || strings.HasPrefix(r.Header.Get("Accept"), "image/") {
		http.Error(w, problem.text, problem.status)
		return
	}
	view := message{Text: problem.text, Bad: true}
	switch {
	case problem.status == http.StatusUnauthorized:
		view.Next, view.NextName = "/login", "Log in"
	case r.Method == http.MethodGet && problem.status >= 500:
		view.Next, view.NextName = r.URL.RequestURI(), "Try again"
	}
	if err := s.show(w, r, problem.status, "message", "Sorry", view); err != nil {
		http.Error(w, problem.text, problem.status)
	}
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
