package apitest

import (
	"errors"
	"io"
	"maps"
	"net/http"
	"strconv"
	"time"

	"github.com/google/uuid"
)

// An exchange is a request to any host of the server, and the answer to it.
type exchange struct {
	server  *Server
	host    *host
	request *http.Request
	writer  http.ResponseWriter
	path    string // below the host
	body    []byte
	now     time.Time
	logged  Request
	kept    *Request // the same in the log
	fault   *Fault   // that strikes it; nil for none
	late    bool     // it has been answered before
}

// An answer is what goes back.
type answer struct {
	status      int
	contentType string
	header      http.Header
	body        []byte
}

const (
	contentJSON  = "application/json"
	contentHTML  = "text/html; charset=UTF-8"
	contentPlain = "text/plain; charset=UTF-8"
)

func plain(status int, text string) answer {
	return answer{status: status, contentType: contentPlain, body: []byte(text)}
}

func page404() answer { return plain(http.StatusNotFound, "Not found") }

// maxBody bounds what is read of a request. The largest is an upload of ten pages.
const maxBody = 256 << 20

// A host is one of the servers that MangaDex consists of.
type host struct {
	prefix string // what stands before its paths
	node   int    // which at-home node it is, from 1 on; 0 for other hosts
	serve  func(*exchange) answer
	broken func(status int) answer // how it says that something has gone wrong; nil for a line of text
}

// handler answers for a host.
func (s *Server) handler(h host) http.Handler {
	if h.broken == nil {
		h.broken = func(status int) answer { return plain(status, http.StatusText(status)) }
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		now := s.options.clock().UTC()
		x := &exchange{
			server: s, host: &h, request: r, writer: w, path: r.URL.Path[len(h.prefix):], now: now,
			logged: Request{Method: r.Method, Host: r.Host, URL: r.URL, Header: r.Header, Time: now},
		}
		x.kept = s.log.add(x.logged)
		a := x.answer()
		x.logged.Status = a.status
		s.log.set(x.kept, x.logged)
		x.write(a)
	})
}

func (x *exchange) answer() answer {
	var err error
	if x.body, err = io.ReadAll(http.MaxBytesReader(nil, x.request.Body, maxBody)); err != nil {
		var tooLarge *http.MaxBytesError
		if errors.As(err, &tooLarge) {
			return plain(http.StatusRequestEntityTooLarge, "The body is too large")
		}
		panic(http.ErrAbortHandler) // the client has gone
	}
	x.logged.Body = excerpt(x.body)
	return x.afterwards(x.host.serve(x))
}

// write sends an answer, or what a fault leaves of it.
func (x *exchange) write(a answer) {
	h := x.writer.Header()
	for name, values := range a.header {
		h[name] = values
	}
	if a.contentType != "" {
		h["Content-Type"] = []string{a.contentType}
	}
	if a.status != http.StatusNoContent {
		h["Content-Length"] = []string{strconv.Itoa(len(a.body))}
	}
	h["Date"] = []string{x.date().Format(http.TimeFormat)}
	h["X-Request-Id"] = []string{uuid.NewString()}
	if x.fault != nil {
		maps.Copy(h, x.fault.Header)
	}
	unsized := len(h["Content-Length"]) == 0
	if unsized {
		delete(h, "Content-Length")
	}
	x.writer.WriteHeader(a.status)
	if unsized {
		_ = http.NewResponseController(x.writer).Flush() // or net/http would count for itself
	}
	if x.request.Method != http.MethodHead {
		x.send(a.body)
	}
}

// complain reports what no client should do.
func (x *exchange) complain(format string, args ...any) {
	if !x.server.options.lenient {
		x.server.options.report("apitest: %s %s: "+format, append([]any{x.request.Method, x.request.URL.Path}, args...)...)
	}
}

// misfit answers 400 to what the hosts other than the API do not take.
func (x *exchange) misfit(text string) answer {
	x.complain("%s", text)
	return plain(http.StatusBadRequest, text)
}
