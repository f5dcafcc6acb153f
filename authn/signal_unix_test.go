//go:build unix

package authn_test

import (
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/mangadex-go/mangadex/authn"
)

// The realm of the tests below rotates refresh tokens and takes one that comes again for a theft. Real
// signals hit real processes.

// A hit is the place in a renewal at which a process gets a signal.
type hit struct {
	name string
	// answer answers a renewal, and calls signal at its place.
	answer func(f *fake, rw http.ResponseWriter, r *http.Request, signal func())
}

var hits = []hit{
	{"sent", func(f *fake, rw http.ResponseWriter, r *http.Request, signal func()) {
		signal()
		f.ServeHTTP(rw, r)
	}},
	{"spent", func(f *fake, rw http.ResponseWriter, r *http.Request, signal func()) {
		out := &heldAnswer{ResponseWriter: rw}
		f.ServeHTTP(out, r)
		signal()
		out.flush()
	}},
	{"half an answer", func(f *fake, rw http.ResponseWriter, r *http.Request, signal func()) {
		out := &heldAnswer{ResponseWriter: rw}
		f.ServeHTTP(out, r)
		rw.WriteHeader(out.status)
		text := out.body.String()
		_, _ = io.WriteString(rw, text[:len(text)/2])
		_ = http.NewResponseController(rw).Flush()
		signal()
		_, _ = io.WriteString(rw, text[len(text)/2:])
	}},
	{"answered", func(f *fake, rw http.ResponseWriter, r *http.Request, signal func()) {
		f.ServeHTTP(rw, r)
		_ = http.NewResponseController(rw).Flush()
		signal()
	}},
}

// stored is a login that a file holds.
func stored(t *testing.T) (f *fake, w *world, path string) {
	t.Helper()
	f = newFake()
	w = f.serve(t)
	path = filepath.Join(t.TempDir(), "token")
	if err := authn.NewFileStore(path).Save(t.Context(), authn.Token{RefreshToken: f.seed()}); err != nil {
		t.Fatal(err)
	}
	return f, w, path
}

// mustBeLoggedIn is the next run of a program.
func mustBeLoggedIn(t *testing.T, w *world, path string) {
	t.Helper()
	s, err := authn.New(authn.WithAPIServer(w.api), authn.WithAuthServer(w.api+realm), authn.WithPersonalClient(clientID, clientSecret),
		authn.WithStore(authn.NewFileStore(path)))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	w.revokeAccess() // so that the refresh token has to be good
	if _, err := s.User(t.Context()); err != nil {
		t.Errorf("the next run: %v", err)
	}
}

// A program that is told to end while a renewal is on its way ends its call at once, and saves what the
// renewal brings.
func TestToldToEnd(t *testing.T) {
	t.Parallel()
	for _, signal := range []os.Signal{os.Interrupt, syscall.SIGTERM} {
		for _, hit := range hits {
			t.Run(signal.String()+"/"+hit.name, func(t *testing.T) {
				t.Parallel()
				f, w, path := stored(t)
				p := start(t, "user", path, w.api)
				answered := make(chan string, 1)
				f.fail(tokenPath, func(rw http.ResponseWriter, r *http.Request) {
					hit.answer(f, rw, r, func() {
						if err := p.Process.Signal(signal); err != nil {
							t.Error(err)
						}
						if hit.name != "answered" {
							select { // the call ends before the answer comes
							case got := <-answered:
								answered <- got
							case <-r.Context().Done():
								t.Error("the renewal was given up")
							}
						}
					})
				})
				got, err := p.ask()
				if err != nil {
					t.Fatal(err)
				}
				answered <- got
				if hit.name != "answered" && !strings.Contains(got, "context canceled") {
					t.Errorf("the call: %q", got)
				}
				_ = p.in.Close()
				if err := p.Wait(); err != nil {
					t.Errorf("the program: %v: %s", err, p.stderr.String())
				}
				mustBeLoggedIn(t, w, path)
			})
		}
	}
}

// A process that is stopped for a while at any point of a renewal goes on with it, and so does another one
// that waits for the same token meanwhile. AUTHN_STOPPED says for how long, such as 60s.
func TestStopped(t *testing.T) {
	t.Parallel()
	pause := 1500 * time.Millisecond
	if text := os.Getenv("AUTHN_STOPPED"); text != "" {
		var err error
		if pause, err = time.ParseDuration(text); err != nil {
			t.Fatal(err)
		}
	}
	for _, hit := range append(hits, hit{"at any moment", nil}) {
		t.Run(hit.name, func(t *testing.T) {
			t.Parallel()
			f, w, path := stored(t)
			p, other := start(t, "user", path, w.api), start(t, "user", path, w.api)
			stopped := make(chan struct{})
			stop := func() {
				defer close(stopped)
				if err := p.Process.Signal(syscall.SIGSTOP); err != nil {
					t.Error(err)
				}
				time.AfterFunc(pause, func() {
					if err := p.Process.Signal(syscall.SIGCONT); err != nil {
						t.Error(err)
					}
				})
			}
			if hit.answer != nil {
				f.fail(tokenPath, func(rw http.ResponseWriter, r *http.Request) { hit.answer(f, rw, r, stop) })
			} else {
				time.AfterFunc(rand.N(5*time.Millisecond), stop)
			}
			answer := make(chan string, 1)
			go func() {
				got, err := p.ask()
				if err != nil {
					got = err.Error()
				}
				answer <- got
			}()
			<-stopped
			got, err := other.ask()
			for err == nil && got != username && pause > 20*time.Second && strings.Contains(got, "lock") {
				got, err = other.ask() // it has waited long enough, and asks again
			}
			if got != username {
				t.Errorf("another process: %q, %v", got, err)
			}
			if got := <-answer; got != username {
				t.Errorf("the process that was stopped: %q", got)
			}
			want := 1
			if hit.answer != nil {
				want = 2 // what was delayed is counted twice
			}
			if n := w.refreshes(); n != want {
				t.Errorf("%d renewals", n)
			}
			mustBeLoggedIn(t, w, path)
		})
	}
}
