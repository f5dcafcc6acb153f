package apitest

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/mangadex-go/mangadex/internal/given"
)

// A Server is a fake MangaDex. It is safe for use by many goroutines; two servers share nothing.
type Server struct {
	URL        string // of the API
	AuthURL    string // of the realm of the auth server
	UploadsURL string // of the covers: UploadsURL + "/covers/{manga}/{file}"
	ReportURL  string // takes the reports on pages of at-home nodes
	Account    Account

	options    settings
	spec       *specification
	store      *store
	log        requestLog
	faults     faultList
	gallery    gallery
	nodeURLs   []string
	nextNode   atomic.Uint32
	secret     []byte                  // of the passes in base URLs
	generation atomic.Uint32           // of the passes that hold
	limiter    *limiter                // nil without limits
	hosts      map[string]http.Handler // by their origin
	ready      chan struct{}           // closed when the server is complete, so that nothing is answered before
	closing    chan struct{}           // closed when the server ends, so that nothing waits any longer
	serving    sync.WaitGroup
	listening  []*http.Server
	once       sync.Once
}

// Start starts a server for a test and closes it when the test ends. The test fails when a request does
// not fit the specification, is for something that MangaDex does not have, or sends a token where none
// belongs. The limits are off.
func Start(t testing.TB, options ...Option) *Server {
	t.Helper()
	s, err := NewServer(append([]Option{withReport(t.Errorf)}, options...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

// NewServer starts a server. Requests that do not fit the specification are refused, as MangaDex
// does. Close it when it is no longer needed.
func NewServer(options ...Option) (*Server, error) {
	set := defaults()
	if err := given.Options(&set, options); err != nil {
		return nil, err
	}
	if err := set.check(); err != nil {
		return nil, err
	}
	spec, err := loadSpecification()
	if err != nil {
		return nil, err
	}
	s := &Server{options: set, spec: spec, ready: make(chan struct{}), closing: make(chan struct{}), hosts: map[string]http.Handler{}, secret: make([]byte, 32)}
	rand.Read(s.secret)
	if set.limits {
		s.limiter = &limiter{}
	}
	if s.store, err = newStore(&s.options); err != nil {
		return nil, err
	}
	s.Account = s.store.addAccount(Account{Username: "reader", Roles: []string{"ROLE_MEMBER", "ROLE_GROUP_MEMBER"}})
	for _, account := range set.accounts {
		if _, err := s.State().AddAccount(account); err != nil {
			return nil, err
		}
	}
	s.Fail(set.faults...)
	if err := s.open(); err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

// open opens the hosts: one for each purpose, as MangaDex has them, or a single one. None of them
// answers before all URLs are known.
func (s *Server) open() error {
	defer close(s.ready)
	if s.options.addr != "" {
		return s.openOne()
	}
	s.nodeURLs = make([]string, nodes)
	hosts := []struct {
		name string
		url  *string
		path string
		host
	}{
		{"api", &s.URL, "", host{serve: s.serveAPI, broken: brokenAPI}},
		{"auth", &s.AuthURL, realmPath, host{serve: s.serveRealm, broken: brokenRealm}},
		{"uploads", &s.UploadsURL, "", host{serve: s.serveCover}},
		{"report", &s.ReportURL, "/report", host{serve: s.serveReport}},
		{"node1", &s.nodeURLs[0], "", host{serve: s.servePage, node: 1}},
		{"node2", &s.nodeURLs[1], "", host{serve: s.servePage, node: 2}},
	}
	for _, h := range hosts {
		origin := "https://" + h.name + ".mangadex.test"
		handler := s.handler(h.host)
		if !s.options.offline {
			var err error
			if origin, err = s.listen("127.0.0.1:0", handler); err != nil {
				return err
			}
		}
		s.hosts[origin] = handler
		*h.url = origin + h.path
	}
	return nil
}

// Paths of the other hosts when all are one.
const (
	uploadsPath = "/uploads"
	nodePath    = "/node"
	networkPath = "/network"
)

func (s *Server) openOne() error {
	others := map[string]http.Handler{
		realmPath:   s.handler(host{serve: s.serveRealm, broken: brokenRealm}),
		uploadsPath: s.handler(host{prefix: uploadsPath, serve: s.serveCover}),
		nodePath:    s.handler(host{prefix: nodePath, serve: s.servePage, node: 1}),
		networkPath: s.handler(host{prefix: networkPath, serve: s.serveReport}),
	}
	api := s.handler(host{serve: s.serveAPI, broken: brokenAPI})
	all := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for path, handler := range others {
			if strings.HasPrefix(r.URL.Path, path+"/") || r.URL.Path == path {
				handler.ServeHTTP(w, r)
				return
			}
		}
		api.ServeHTTP(w, r)
	})
	origin, err := s.listen(s.options.addr, all)
	if err != nil {
		return fmt.Errorf("%w; give WithAddr a host of this machine and a free port, such as localhost:8080", err)
	}
	s.hosts[origin] = all
	s.URL, s.AuthURL, s.UploadsURL = origin, origin+realmPath, origin+uploadsPath
	s.ReportURL, s.nodeURLs = origin+networkPath+"/report", []string{origin + nodePath}
	return nil
}

// at is a URL of the server as the sender of a request has to see it: a server with one address
// may have several names.
func (s *Server) at(base string, r *http.Request) string {
	if s.options.addr == "" {
		return base
	}
	return "http://" + r.Host + strings.TrimPrefix(base, s.URL)
}

// listen starts a host and returns its origin.
func (s *Server) listen(addr string, handler http.Handler) (string, error) {
	listener, err := net.Listen("tcp", addr)
	if err != nil {
		return "", fmt.Errorf("apitest: %w", err)
	}
	host := &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: 30 * time.Second,
		ErrorLog:          log.New(io.Discard, "", 0), // dropped connections are faults on purpose
		// Close waits for the connections: the last change of state comes after the last handler.
		ConnState: func(_ net.Conn, state http.ConnState) {
			switch state {
			case http.StateNew:
				s.serving.Add(1)
			case http.StateClosed, http.StateHijacked:
				s.serving.Done()
			}
		},
	}
	s.listening = append(s.listening, host)
	s.serving.Go(func() {
		<-s.ready
		if err := host.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			s.options.report("apitest: the server on %s stopped: %v", listener.Addr(), err)
		}
	})
	at := listener.Addr().(*net.TCPAddr)
	if at.IP.IsUnspecified() {
		return fmt.Sprintf("http://127.0.0.1:%d", at.Port), nil
	}
	return "http://" + at.String(), nil
}

// Close ends the server, every connection to it included, and waits until nothing of it runs.
// Closing again does nothing.
func (s *Server) Close() {
	s.once.Do(func() {
		close(s.closing)
		for _, host := range s.listening {
			host.Close()
		}
	})
	s.serving.Wait()
}

// sleep waits, but not longer than the request and the server last. It reports whether it has
// waited as long as it should.
func (s *Server) sleep(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return true
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
	case <-s.closing:
	}
	return false
}
