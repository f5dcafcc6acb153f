package apitest

import (
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/mangadex-go/mangadex/api/internal/operation"
)

// A call is a request to the API on its way to an answer.
type call struct {
	*store
	server  *Server
	op      *operation.Operation
	request *http.Request
	path    map[string]string // parameters of the path
	query   url.Values
	body    []byte
	user    *user // nil for a guest
	now     time.Time
	status  int // of the answer, if it is a success
}

// A handler carries out an operation. It holds the lock of the store, must not wait, and must not
// give away what others change.
type handler func(c *call) ([]byte, error)

// An answer is what goes back.
type answer struct {
	status      int
	contentType string
	header      http.Header
	body        []byte
}

const contentJSON = "application/json"

// maxBody bounds what is read of a request. The largest is an upload of ten pages.
const maxBody = 256 << 20

// serveAPI is the host of the API.
func (s *Server) serveAPI(w http.ResponseWriter, r *http.Request) {
	c := &call{store: s.store, server: s, request: r, now: s.options.clock().UTC(), status: http.StatusOK}
	logged := newRequest(r, c.now)
	body, err := c.answer()
	a := answer{status: c.status, contentType: contentJSON, body: body}
	var p *problem
	switch {
	case errors.As(err, &p):
		a.status, a.header, a.body = p.status, p.header, p.encode()
		if p.title == "" && p.body != nil && p.body[0] != '{' {
			a.contentType = "text/plain; charset=UTF-8"
		}
	case err != nil: // the request went away while its body was read
		panic(http.ErrAbortHandler)
	case c.op.ID == "Ping":
		a.contentType = "text/plain; charset=UTF-8"
	}
	if c.op != nil {
		logged.Operation = c.op.ID
	}
	if c.user != nil {
		logged.Username = c.user.username
	}
	logged.Body, logged.Status = excerpt(c.body), a.status
	s.log.add(logged)
	s.write(w, r, c, a)
}

// write sends an answer.
func (s *Server) write(w http.ResponseWriter, r *http.Request, c *call, a answer) {
	h := w.Header()
	for name, values := range a.header {
		h[name] = values
	}
	h["Content-Type"] = []string{a.contentType}
	h["Content-Length"] = []string{strconv.Itoa(len(a.body))}
	h["Date"] = []string{c.now.Format(http.TimeFormat)}
	h["Server"] = []string{"MangaDex"}
	h["X-Request-Id"] = []string{uuid.NewString()}
	w.WriteHeader(a.status)
	if r.Method != http.MethodHead {
		w.Write(a.body) //nolint:errcheck // the client has gone
	}
}

// answer takes a request through all that may stop it, and carries it out.
func (c *call) answer() ([]byte, error) {
	s, r := c.server, c.request
	if err := c.checkClient(); err != nil {
		return nil, err
	}
	if err := c.match(); err != nil {
		return nil, err
	}
	var err error
	if c.query, err = url.ParseQuery(r.URL.RawQuery); err != nil {
		return nil, invalid("query", "it is malformed")
	}
	if c.body, err = io.ReadAll(http.MaxBytesReader(nil, r.Body, maxBody)); err != nil {
		var tooLarge *http.MaxBytesError
		if errors.As(err, &tooLarge) {
			return nil, &problem{status: http.StatusRequestEntityTooLarge, title: "http_exception", detail: "The body is too large."}
		}
		return nil, err
	}
	if err := c.authenticate(); err != nil {
		return nil, err
	}
	if m := s.spec.check(c.op, r, c.path, c.query, c.body); m != nil {
		if !s.options.lenient {
			s.options.report("apitest: %s: %s %s does not fit the specification: %v", c.op.ID, r.Method, r.URL.RequestURI(), m)
		}
		return nil, invalid(m.where, m.reason)
	}
	c.Lock()
	defer c.Unlock()
	if err := c.allowed(); err != nil {
		return nil, err
	}
	if handle, ok := handlers[c.op.ID]; ok {
		return handle(c)
	}
	return c.example()
}

// checkClient refuses clients that hide who they are.
func (c *call) checkClient() error {
	text := ""
	switch agent := c.request.UserAgent(); {
	case agent == "":
		text = "You must set an appropriate User-Agent header"
	case strings.HasPrefix(agent, "Mozilla/"):
		text = "You must not set the User-Agent header of a browser"
	case c.request.Header.Get("Via") != "":
		text = "You must not come through a proxy that changes the request"
	default:
		return nil
	}
	c.complain(text)
	return &problem{status: http.StatusBadRequest, body: []byte(text)}
}

// complain reports what no client should do.
func (c *call) complain(text string) {
	if !c.server.options.lenient {
		c.server.options.report("apitest: %s %s: %s", c.request.Method, c.request.URL.Path, text)
	}
}

// match finds the operation and the parameters in the path.
func (c *call) match() error {
	r := c.request
	bare := &http.Request{Method: r.Method, URL: &url.URL{Path: r.URL.Path}} // nothing that a client left in the context
	op := operation.Of(bare)
	if op != nil && strings.Count(op.Path, "/") != strings.Count(r.URL.Path, "/") {
		op = nil // it has a base path, which this server has not
	}
	if op == nil {
		c.complain("MangaDex has no such operation")
		for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodDelete} {
			bare.Method = method
			if other := operation.Of(bare); other != nil && strings.Count(other.Path, "/") == strings.Count(r.URL.Path, "/") {
				return &problem{status: http.StatusMethodNotAllowed, title: "method_not_allowed_http_exception", detail: "Method " + r.Method + " is not allowed here.", header: http.Header{"Allow": {method}}}
			}
		}
		return &problem{status: http.StatusNotFound, title: "not_found_http_exception", detail: "No route found for \"" + r.Method + " " + r.URL.Path + "\""}
	}
	c.op = op
	rest := r.URL.Path
	for part := range strings.SplitSeq(op.Path, "/") {
		var value string
		value, rest, _ = strings.Cut(rest, "/")
		if name, ok := strings.CutPrefix(part, "{"); ok {
			if c.path == nil {
				c.path = make(map[string]string, 2)
			}
			c.path[strings.TrimSuffix(name, "}")] = value
		}
	}
	return nil
}

// id is a parameter of the path, which fits the specification.
func (c *call) id(name string) uuid.UUID {
	id, _ := uuid.Parse(c.path[name])
	return id
}

// address is where a request comes from.
func address(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}
