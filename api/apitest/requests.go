package apitest

import (
	"net/http"
	"net/url"
	"slices"
	"sync"
	"time"
)

// A Request is one that has arrived at a server.
type Request struct {
	Operation string // id of the operation, such as GetManga; empty when there is none, and until the request is complete
	Method    string
	Host      string
	URL       *url.URL // path and query
	Header    http.Header
	Body      []byte // the first 16 KiB
	Username  string // of who sent it; empty for a guest
	Status    int    // of the answer; 0 as long as there is none
	Time      time.Time
}

const (
	maxLogged     = 10_000
	maxLoggedBody = 16 << 10
)

type requestLog struct {
	sync.Mutex
	requests []*Request
}

func excerpt(body []byte) []byte {
	return body[:min(len(body), maxLoggedBody):min(len(body), maxLoggedBody)]
}

// add keeps a request that has arrived.
func (l *requestLog) add(r Request) *Request {
	l.Lock()
	defer l.Unlock()
	if len(l.requests) == maxLogged {
		l.requests = slices.Delete(l.requests, 0, maxLogged/2)
	}
	l.requests = append(l.requests, &r)
	return &r
}

// set replaces what is known of a request.
func (l *requestLog) set(kept *Request, r Request) {
	l.Lock()
	defer l.Unlock()
	*kept = r
}

// Requests returns what has arrived at all hosts of the server, the oldest first. It keeps the
// last 5,000 at least.
func (s *Server) Requests() []Request {
	s.log.Lock()
	defer s.log.Unlock()
	list := make([]Request, len(s.log.requests))
	for n, r := range s.log.requests {
		list[n] = *r
	}
	return list
}
