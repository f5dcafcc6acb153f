package apitest

import (
	"errors"
	"fmt"
	"maps"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/mangadex-go/mangadex/internal/operation"
)

// A call is a request to the API on its way to an answer.
type call struct {
	*store
	*exchange
	op          *operation.Operation
	params      map[string]string // of the path
	sent        phpQuery
	query       url.Values  // the same by the names of the document
	user        *user       // nil for a guest
	session     *session    // nil for a guest
	status      int         // of the answer, if it is a success
	limits      http.Header // what the answer says about them
	contentType string      // likewise
}

// A handler carries out an operation. It holds the lock of the store, must not wait, and must not
// give away what others change.
type handler func(c *call) ([]byte, error)

// maxTarget is how long the target of a request may be, in bytes.
const maxTarget = 8 << 10

// serveAPI is the host of the API.
func (s *Server) serveAPI(x *exchange) answer {
	c := &call{store: s.store, exchange: x, status: http.StatusOK, contentType: contentJSON}
	body, err := c.carryOut()
	a := answer{status: c.status, contentType: c.contentType, body: body}
	var p *problem
	if errors.As(err, &p) {
		a = p.answer()
	}
	if a.header == nil {
		a.header = http.Header{}
	}
	maps.Copy(a.header, c.limits)
	c.cacheHeaders(a.status, a.header)
	a.header["Server"] = []string{"MangaDex"}
	if c.user != nil {
		x.logged.Username = c.user.username
	}
	return a
}

// fault is the answer that a fault wants.
func fault(status int) *problem {
	return &problem{status: status, title: "fault_http_exception", detail: "This answer was asked for."}
}

func brokenAPI(status int) answer { return fault(status).answer() }

// sharedAges are how long a cache may keep the answers to guests, where it is not a month.
var sharedAges = map[string]time.Duration{
	"GetMangaFeed": time.Minute, "GetCustomListFeed": time.Minute, "GetMangaAggregate": time.Minute,
	"ListMangaStatistics": 10 * time.Minute, "GetMangaStatistics": 10 * time.Minute, "ListChapterStatistics": 10 * time.Minute,
	"GetChapterStatistics": 10 * time.Minute, "ListGroupStatistics": 10 * time.Minute, "GetGroupStatistics": 10 * time.Minute,
	"ListTags": 24 * time.Hour, "ListReportReasons": 24 * time.Hour, "ListMangaRecommendations": 24 * time.Hour,
	"GetRandomManga": 0, "GetAtHomeServer": 0, "Ping": 0,
}

// cacheHeaders tells what caches may do: they keep what guests see, and nothing else.
func (c *call) cacheHeaders(status int, h http.Header) {
	if c.op == nil || c.request.Method != http.MethodGet || status != http.StatusOK {
		return
	}
	if _, given := bearer(c.request); given || c.op.Auth == operation.AuthRequired {
		h["X-Cache"] = []string{"PASS"}
		return
	}
	age, ok := sharedAges[c.op.ID]
	if !ok {
		age = 30 * 24 * time.Hour
	}
	if age > 0 {
		h["X-Cache"] = []string{"MISS"}
		h["Cache-Control"] = []string{fmt.Sprintf("max-age=15, public, s-maxage=%d", int(age/time.Second))}
	}
}

// carryOut takes a request through all that may stop it, and carries it out.
func (c *call) carryOut() ([]byte, error) {
	s, r := c.server, c.request
	if s.limiter != nil && !c.late {
		if err := s.limiter.admit(c.exchange); err != nil {
			return nil, err
		}
	}
	if len(r.URL.RequestURI()) > maxTarget {
		return nil, edge(http.StatusRequestURITooLong, nil)
	}
	if err := c.checkClient(); err != nil {
		return nil, err
	}
	if err := c.match(); err != nil {
		return nil, err
	}
	var err error
	if s.limiter != nil && !c.late {
		if c.limits, err = s.limiter.spend(c.exchange, c.op.Limit); err != nil {
			return nil, err
		}
	}
	c.readQuery()
	if status := c.strike(c.op.ID, true); status != 0 {
		return nil, fault(status)
	}
	if c.fault != nil && c.fault.Captcha {
		return nil, captcha()
	}
	if err := c.authenticate(); err != nil {
		return nil, err
	}
	if m := s.spec.check(c); m != nil {
		c.complain("the request does not fit the specification of %s: %v", c.op.ID, m)
		if !m.passes {
			return nil, m.problem(r)
		}
	}
	c.Lock()
	defer c.Unlock()
	if r.Method != http.MethodGet {
		c.writes++
	}
	if err := c.allowed(); err != nil {
		return nil, err
	}
	handle, ok := handlers[c.op.ID]
	if !ok {
		return c.example()
	}
	answer, err := handle(c)
	if err == nil && c.fault != nil && !isList(c.op.ID) {
		c.alterNamed()
	}
	return answer, err
}

// singles are lists of which programs may send one entry without brackets.
var singles = map[string][]string{"ListChapters": {"chapter", "uploader", "volume"}}

// readQuery reads the query, and puts what it has under the names of the document.
func (c *call) readQuery() {
	c.sent = readQuery(c.request.URL.RawQuery)
	c.query = make(url.Values, len(c.sent.names))
	route := c.server.spec.route(c.op)
	for _, name := range c.sent.names {
		v := c.sent.values[name]
		if !v.array && slices.Contains(singles[c.op.ID], name) {
			one := &phpValue{array: true}
			one.put("", v.text)
			v, c.sent.values[name] = one, one
		}
		if p := route.query[name]; p != nil && v.array {
			c.query[p.Name] = v.texts()
		} else {
			c.query[name] = []string{v.text}
		}
	}
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
	c.complain("%s", text)
	return &problem{status: http.StatusBadRequest, body: []byte(text)}
}

// match finds the operation and the parameters in the path.
func (c *call) match() error {
	r := c.request
	if c.path != "/" {
		c.path = strings.TrimSuffix(c.path, "/")
	}
	bare := &http.Request{Method: r.Method, URL: &url.URL{Path: c.path}} // nothing that a client left in the context
	if r.Method == http.MethodHead {
		bare.Method = http.MethodGet
	}
	op := operation.Of(bare)
	if op != nil && strings.Count(op.Path, "/") != strings.Count(c.path, "/") {
		op = nil // it has a base path, which this server has not
	}
	if op == nil {
		c.complain("MangaDex has no such operation")
		for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodDelete} {
			bare.Method = method
			if other := operation.Of(bare); other != nil && strings.Count(other.Path, "/") == strings.Count(c.path, "/") {
				return &problem{status: http.StatusMethodNotAllowed, title: "method_not_allowed_http_exception", detail: "Method " + r.Method + " is not allowed here.", header: http.Header{"Allow": {method}}}
			}
		}
		return noRoute(r)
	}
	c.op = op
	if only := c.server.options.only; only != nil && !slices.Contains(only, op.ID) {
		c.server.options.report("apitest: %s %s: the operation %s was not expected", r.Method, c.path, op.ID)
	}
	rest := c.path
	for part := range strings.SplitSeq(op.Path, "/") {
		var value string
		value, rest, _ = strings.Cut(rest, "/")
		if name, ok := strings.CutPrefix(part, "{"); ok {
			if c.params == nil {
				c.params = make(map[string]string, 2)
			}
			c.params[strings.TrimSuffix(name, "}")] = value
		}
	}
	return nil
}

// id is a parameter of the path, which fits the specification.
func (c *call) id(name string) uuid.UUID {
	id, _ := uuid.Parse(c.params[name])
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
