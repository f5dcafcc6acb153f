package main

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"html/template"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/mangadex-go/mangadex/api"
	"github.com/mangadex-go/mangadex/api/athome"
	"github.com/mangadex-go/mangadex/api/reading"
	"github.com/mangadex-go/mangadex/examples/internal/command"
	"github.com/mangadex-go/mangadex/examples/internal/web"
)

//go:embed web
var files embed.FS

// A server shows the copy.
type server struct {
	db     *database
	covers *athome.Covers
	host   string // that -serve names
	note   func(format string, args ...any)
	assets web.Assets
	pages  map[string]*template.Template
}

// newServer returns a server that fetches covers on behalf of the browser.
func newServer(c *command.Command, db *database, client *api.Client, host string) (*server, error) {
	options := []athome.Option{athome.WithClient(client)}
	if fake := c.Fake(); fake != nil {
		options = append(options, athome.WithUploadsServer(fake.UploadsURL))
	} else if client.Server() != api.Production {
		options = append(options, athome.WithUploadsServer(client.Server()+"/uploads")) // as in examples/emulator
	}
	covers, err := athome.NewCovers(options...)
	if err != nil {
		return nil, err
	}
	s := &server{db: db, covers: covers, host: host, note: c.Note, pages: map[string]*template.Template{}}
	if s.assets, err = web.ReadAssets(files, "web/static"); err != nil {
		return nil, err
	}
	functions := template.FuncMap{
		"asset": s.assets.Path,
		"line":  reading.Line, "url": func(id uuid.UUID) string { return reading.URL(api.ResourceTypeManga, id) },
		"chapter": func(id uuid.UUID) string { return reading.URL(api.ResourceTypeChapter, id) },
		"letter":  func(name string) string { return strings.ToUpper(string([]rune(reading.Line(name) + "?")[:1])) },
		"number":  func(v float64) string { return strings.TrimSuffix(fmt.Sprintf("%.1f", v), ".0") },
	}
	for _, name := range []string{"titles", "figures", "chapters", "message"} {
		page, err := template.New("layout.html").Funcs(functions).ParseFS(files, "web/templates/layout.html", "web/templates/"+name+".html")
		if err != nil {
			return nil, err
		}
		s.pages[name] = page
	}
	return s, nil
}

// A problem is an error as a person is told of it.
type problem struct {
	status int
	text   string
}

func (p *problem) Error() string { return p.text }

// handler is the whole server: first it is made sure who asks, then what.
func (s *server) handler() http.Handler {
	routes := &web.Routes{Fail: s.fail}
	routes.To("GET /{$}", s.titles)
	routes.To("GET /chapters", s.chapters)
	routes.To("GET /numbers", s.numbers("years", "tags", "ratings", "groups"))
	routes.To("GET /runs", s.numbers("runs"))
	routes.To("GET /plots/{name}", s.plot)
	routes.To("GET /covers/{id}/{file}", s.cover)
	routes.To("GET /static/{file}", s.static)
	routes.To("/", func(http.ResponseWriter, *http.Request) error {
		return &problem{http.StatusNotFound, "There is no such page."}
	})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		web.Guard(w, r)
		switch {
		case !web.IsOurs(r.Host, s.host):
			s.fail(w, r, &problem{http.StatusMisdirectedRequest, "This server does not go by that name."})
		case r.Method != http.MethodGet && r.Method != http.MethodHead:
			w.Header().Set("Allow", "GET, HEAD")
			s.fail(w, r, &problem{http.StatusMethodNotAllowed, "Nothing can be changed here."})
		case web.SenderOf(r) == web.Foreign && r.Header.Get("Sec-Fetch-Mode") != "navigate":
			s.fail(w, r, &problem{http.StatusForbidden, "This came from another site, and was not carried out."})
		default:
			ctx, cancel := context.WithTimeout(r.Context(), time.Minute)
			defer cancel()
			routes.ServeHTTP(w, r.WithContext(ctx))
		}
	})
}

// A layout is what the frame around every page needs to know.
type layout struct {
	Page, Title, Query string
	Titles, Chapters   int
	Stage              string // of the run that is on its way; empty: none
	Done, Expected     int64
	Main               any
}

// show sends a page.
func (s *server) show(w http.ResponseWriter, r *http.Request, status int, name, title string, main any) error {
	l := layout{Page: name, Title: title, Query: r.FormValue("q"), Main: main}
	ctx := r.Context()
	if err := s.db.QueryRowContext(ctx, "SELECT (SELECT count(*) FROM manga), (SELECT count(*) FROM chapter)").Scan(&l.Titles, &l.Chapters); err != nil {
		return err
	}
	last, ended, _, err := s.db.lastRun(ctx, s.db)
	if err != nil {
		return err
	}
	if !ended {
		var stage sql.NullInt64
		err := s.db.QueryRowContext(ctx, `SELECT coalesce(sum(items), 0), coalesce(sum(CASE WHEN done OR expected < items THEN items ELSE expected END), 0),
			(SELECT min(stage) FROM task WHERE done = $2) FROM task WHERE run = $1`, last.id, false).Scan(&l.Done, &l.Expected, &stage)
		if err != nil {
			return err
		}
		l.Stage = stageNames[int(stage.Int64)]
	}
	var page strings.Builder
	if err := s.pages[name].Execute(&page, l); err != nil {
		return err
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(page.String())) // or the browser has gone
	return nil
}

// fail answers with an error.
func (s *server) fail(w http.ResponseWriter, r *http.Request, err error) {
	if errors.Is(r.Context().Err(), context.Canceled) {
		return // the browser has gone
	}
	var p *problem
	if !errors.As(err, &p) {
		s.note("%s %s: %v", r.Method, r.URL.Path, err)
		p = &problem{http.StatusInternalServerError, "That did not work; the terminal of the program says why."}
	}
	w.Header().Set("Cache-Control", "no-store")
	if strings.HasPrefix(r.Header.Get("Accept"), "image/") || s.show(w, r, p.status, "message", "Sorry", p.text) != nil {
		http.Error(w, p.text, p.status)
	}
}

func (s *server) static(w http.ResponseWriter, r *http.Request) error {
	if !s.assets.Send(w, r, r.PathValue("file")) {
		return &problem{http.StatusNotFound, "There is no such file."}
	}
	return nil
}

// plot sends a plot, in light colours or dark ones, wide or narrow.
func (s *server) plot(w http.ResponseWriter, r *http.Request) error {
	name, isSVG := strings.CutSuffix(r.PathValue("name"), ".svg")
	f, ok, err := figureOf(r.Context(), s.db, name)
	if err != nil {
		return err
	}
	if !ok || !isSVG {
		return &problem{http.StatusNotFound, "There is no such plot."}
	}
	l := light
	if r.FormValue("dark") != "" {
		l = dark
	}
	l.narrow = r.FormValue("narrow") != ""
	f.Title = "" // which stands above it
	var picture strings.Builder
	if err := writeSVG(&picture, l, f); err != nil {
		return err
	}
	w.Header().Set("Content-Type", "image/svg+xml")
	w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; sandbox") // colours are in attributes
	_, _ = w.Write([]byte(picture.String()))
	return nil
}

// cover sends a thumbnail of a cover that is in the copy.
func (s *server) cover(w http.ResponseWriter, r *http.Request) error {
	id, err := uuid.Parse(r.PathValue("id"))
	if err != nil {
		return &problem{http.StatusNotFound, "That is not an id of MangaDex."}
	}
	file := r.PathValue("file")
	var one int
	err = s.db.QueryRowContext(r.Context(), "SELECT 1 FROM cover WHERE manga_id = $1 AND file_name = $2 LIMIT 1", id.String(), clean(file)).Scan(&one)
	if errors.Is(err, sql.ErrNoRows) {
		return &problem{http.StatusNotFound, "The copy has no such cover."}
	}
	if err != nil {
		return err
	}
	tag := web.Tag([]byte(file))
	if web.IsKept(w, r, tag) {
		return nil
	}
	image, err := s.covers.Fetch(r.Context(), id, file, api.CoverSmall)
	if err != nil {
		if r.Context().Err() == nil { // or the browser has gone
			s.note("%v", err)
		}
		return &problem{http.StatusBadGateway, "The cover did not arrive."}
	}
	if !web.SendPicture(w, r, image.Data, tag) {
		return &problem{http.StatusBadGateway, "What arrived is not a picture."}
	}
	return nil
}

// serve serves the copy until ctx ends.
func serve(ctx context.Context, c *command.Command, db *database, client *api.Client, address string) error {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return err
	}
	s, err := newServer(c, db, client, host)
	if err != nil {
		return err
	}
	defer s.covers.Close()
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return fmt.Errorf("cannot listen on %s; choose another address for -serve, such as 127.0.0.1:0: %v", address, err) //nolint:errorlint // an unknown host in it would be taken for that of MangaDex
	}
	if !listener.Addr().(*net.TCPAddr).IP.IsLoopback() {
		c.Note("everybody who can reach %s sees the copy", listener.Addr())
	}
	if _, err := fmt.Fprintf(c.Stdout, "http://%s/ (Ctrl-C ends it)\n", listener.Addr()); err != nil {
		return err // without the address it is of no use
	}
	return web.Serve(ctx, listener, s.handler())
}
