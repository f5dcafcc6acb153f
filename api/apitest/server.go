package apitest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
)

// A Server is a fake MangaDex. It is safe for use by many goroutines; two servers share nothing.
type Server struct {
	URL        string // of the API
	AuthURL    string // of the realm of the auth server
	UploadsURL string // of the covers: UploadsURL + /covers/{manga}/{file}
	ReportURL  string // where clients report how a page of an at-home node arrived
	Account    Account

	options  settings
	spec     *specification
	store    *store
	log      *requestLog
	faults   *faultList
	closing  chan struct{} // closed when the server ends, so that nothing waits any longer
	serving  sync.WaitGroup
	shutdown []func()
	once     sync.Once
}

// An Account can log in.
type Account struct {
	ID       uuid.UUID
	Username string
	Email    string
	Password string
	Roles    []string // such as ROLE_MEMBER

	// The credentials of a personal client of the account, which is approved.
	ClientID     string
	ClientSecret string
}

// Start starts a server for a test and closes it when the test ends. The test fails when a
// request does not fit the specification, or is for nothing that MangaDex has. The limits are off.
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
	for _, option := range options {
		option(&set)
	}
	if err := set.check(); err != nil {
		return nil, err
	}
	spec, err := loadSpecification()
	if err != nil {
		return nil, err
	}
	s := &Server{options: set, spec: spec, log: &requestLog{}, faults: &faultList{}, closing: make(chan struct{})}
	s.store = newStore(&s.options)
	s.Account = s.store.ready
	if err := s.listen(); err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

// listen opens the hosts.
func (s *Server) listen() error {
	for _, host := range []struct {
		url     *string
		path    string
		handler http.Handler
	}{
		{&s.URL, "", http.HandlerFunc(s.serveAPI)},
	} {
		origin, err := s.serve("127.0.0.1:0", host.handler)
		if err != nil {
			return err
		}
		*host.url = origin + host.path
	}
	return nil
}

// serve starts one host and returns its origin.
func (s *Server) serve(addr string, handler http.Handler) (string, error) {
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
			case http.StateClosed:
				s.serving.Done()
			}
		},
	}
	s.serving.Go(func() {
		if err := host.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			s.options.report("apitest: the server on %s stopped: %v", listener.Addr(), err)
		}
	})
	s.shutdown = append(s.shutdown, func() { host.Close() })
	return "http://" + listener.Addr().String(), nil
}

// Close ends the server, every connection to it included, and waits until nothing of it runs.
func (s *Server) Close() {
	s.once.Do(func() {
		close(s.closing)
		for _, end := range s.shutdown {
			end()
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
