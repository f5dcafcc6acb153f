package authn

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"mime"
	"net"
	"net/http"
	"net/url"
	"sync/atomic"
	"time"

	"github.com/mangadex-go/mangadex/api"
	"github.com/mangadex-go/mangadex/api/transport"
	"github.com/mangadex-go/mangadex/internal/answer"
	"github.com/mangadex-go/mangadex/internal/origin"
)

// maxAnswer bounds an answer in bytes. Real ones have a few kilobytes.
const maxAnswer = 1 << 20

// A sender sends the requests of this package, which all carry secrets. It follows no redirect.
type sender struct {
	way   atomic.Pointer[way]
	fixed bool   // the way was given
	agent string // as it was given, empty if it was not
}

// A way is how requests leave.
type way struct {
	client    *http.Client
	userAgent string // empty if the transport below says it
	shared    bool   // its connections are of use to others
}

// newSender makes a sender of a client that may be nil. It has no timeout for an answer: each request
// has its own, and that of one which spends a refresh token must not end before the answer.
func newSender(client *http.Client, userAgent string) *sender {
	s := &sender{fixed: client != nil, agent: userAgent}
	if client == nil {
		client = &http.Client{Transport: &http.Transport{
			Proxy:               http.ProxyFromEnvironment,
			DialContext:         (&net.Dialer{Timeout: 10 * time.Second, KeepAliveConfig: keepAlive}).DialContext,
			ForceAttemptHTTP2:   true,
			HTTP2:               &http.HTTP2Config{SendPingTimeout: 15 * time.Second},
			IdleConnTimeout:     5 * time.Second, // the next request is likely 15 minutes away
			TLSHandshakeTimeout: 10 * time.Second,
		}}
	}
	s.use(client, transport.Product(), s.fixed)
	return s
}

// keepAlive finds in a minute that a peer has gone, so that nobody waits for its answer.
var keepAlive = net.KeepAliveConfig{Enable: true, Idle: 15 * time.Second, Interval: 15 * time.Second, Count: 3}

func (s *sender) use(client *http.Client, userAgent string, shared bool) {
	own := *client
	own.Timeout = 0
	own.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	if s.agent != "" {
		userAgent = s.agent
	}
	s.way.Store(&way{&own, userAgent, shared})
}

// close closes connections that are of no use to anybody else.
func (s *sender) close() {
	if w := s.way.Load(); !w.shared {
		w.client.CloseIdleConnections()
	}
}

// adopt has the session send as a client does that it is used for: to the API through the transport of
// the client, with its limits, and to the realm through what lies below that. The first client for the
// server of the session counts; what was given to the session itself counts more.
func (s *Session) adopt(server string, t *transport.Transport) {
	same, err := origin.Parse(server, api.Production)
	if err != nil || same.String() != s.server.String() || s.sender.fixed || !s.adopted.CompareAndSwap(false, true) {
		return
	}
	s.sender.close()
	s.toRealm.close()
	s.sender.use(&http.Client{Transport: t}, "", true)
	base, shared := t.Base(), true
	if own, ok := base.(*http.Transport); ok && own.ResponseHeaderTimeout > 0 {
		own = own.Clone() // who spends a refresh token waits for the answer
		own.ResponseHeaderTimeout = 0
		base, shared = own, false
	}
	s.toRealm.use(&http.Client{Transport: base}, t.UserAgent(), shared)
}

// A reply is an answer that has been read as a whole.
type reply struct {
	status int
	header http.Header
	body   []byte // without a byte order mark
}

// do sends a request. If the body of the answer cannot be read to its end there are both a reply,
// with what was read, and an error.
func (s *sender) do(req *http.Request) (*reply, error) {
	w := s.way.Load()
	if w.userAgent != "" {
		req.Header.Set("User-Agent", w.userAgent)
	}
	req.Header.Set("Accept", "application/json")
	resp, err := w.client.Do(req) //nolint:bodyclose // answer.Read closes it
	if err != nil {
		return nil, unwrapURL(err)
	}
	body, err := answer.Read(resp, maxAnswer)
	defer body.Close() //nolint:staticcheck // it is there with an error, too
	return &reply{resp.StatusCode, resp.Header, bytes.Clone(answer.Trim(body.Bytes()))}, err
}

// post sends a body to a URL, with an Authorization header if there is one.
func (s *sender) post(ctx context.Context, url, contentType string, body []byte, authorization string) (*reply, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	if body != nil {
		req.Header.Set("Content-Type", contentType)
	}
	if authorization != "" {
		req.Header.Set("Authorization", authorization)
	}
	return s.do(req)
}

func (r *reply) ok() bool { return answer.Success(r.status) }

// isObject reports whether the body is, or begins as, a JSON object. The body decides: proxies give
// wrong content types.
func (r *reply) isObject() bool { return len(r.body) > 0 && r.body[0] == '{' }

// describe says what an answer is that is not JSON: its type and its beginning, if that is a page
// for people. Anything else might be a damaged token.
func (r *reply) describe(secrets ...string) string {
	if len(r.body) == 0 {
		return "an empty answer where JSON belongs"
	}
	contentType, _, _ := mime.ParseMediaType(r.header.Get("Content-Type"))
	what := "an answer"
	if contentType != "" {
		what += " of type " + contentType
	}
	what += " where JSON belongs"
	if r.body[0] == '<' || !r.ok() && !r.isObject() {
		what += ": " + answer.Excerpt([]byte(answer.Scrub(string(r.body), secrets...)))
	}
	return what
}

// shown is a text of a server as an error may show it: on one line, without secrets.
func shown(text string, longest int, secrets ...string) string {
	return answer.Shorten(answer.OneLine(answer.Scrub(text, secrets...)), longest)
}

// parseServer reads the address of a server that gets secrets. The address like is an example.
func parseServer(what, address, like string) (*origin.Server, error) {
	server, err := origin.Parse(address, like)
	switch {
	case err != nil:
		return nil, fmt.Errorf("authn: the address of the %s %w", what, err)
	case !server.Encrypted():
		return nil, fmt.Errorf("authn: the address of the %s, %q, must begin with https://, because secrets go there", what, address)
	}
	return server, nil
}

// unwrapURL takes the method and the address off an error of net/http, which a TokenError names
// in its own way.
func unwrapURL(err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		return u.Err
	}
	return err
}
