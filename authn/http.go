package authn

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"html"
	"io"
	"mime"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/mangadex-go/mangadex/api/transport"
)

// maxAnswer bounds an answer in bytes. Real ones have a few kilobytes.
const maxAnswer = 1 << 20

// A sender sends the requests of this package, which all carry secrets. It follows no redirect.
type sender struct {
	client    *http.Client
	userAgent string
	close     func() // connections that are of no use to anybody else
}

func newSender(client *http.Client, userAgent string) *sender {
	closeIdle := func() {}
	if client == nil {
		client = &http.Client{Transport: &http.Transport{
			Proxy:                 http.ProxyFromEnvironment,
			DialContext:           (&net.Dialer{Timeout: 10 * time.Second}).DialContext,
			ForceAttemptHTTP2:     true,
			IdleConnTimeout:       5 * time.Second, // the next request is likely 15 minutes away
			TLSHandshakeTimeout:   10 * time.Second,
			ResponseHeaderTimeout: exchangeTimeout,
		}}
		closeIdle = client.CloseIdleConnections
	}
	own := *client
	own.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	if userAgent == "" {
		userAgent = transport.Product
	}
	return &sender{&own, userAgent, closeIdle}
}

// An answer has been read as a whole.
type answer struct {
	status int
	header http.Header
	body   []byte
}

// do sends a request. If the body of the answer cannot be read to its end there are both an answer,
// with what was read, and an error.
func (s *sender) do(req *http.Request) (*answer, error) {
	req.Header.Set("User-Agent", s.userAgent)
	req.Header.Set("Accept", "application/json")
	resp, err := s.client.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	if err == nil && len(body) > maxAnswer {
		err = fmt.Errorf("the answer is longer than %d KiB", maxAnswer>>10)
	}
	return &answer{resp.StatusCode, resp.Header, body}, err
}

// post sends a body to a URL, with an Authorization header if there is one.
func (s *sender) post(ctx context.Context, url, contentType string, body []byte, authorization string) (*answer, error) {
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

func (a *answer) ok() bool { return 200 <= a.status && a.status < 300 }

// isObject reports whether the body is, or begins as, a JSON object. The body decides: proxies give
// wrong content types.
func (a *answer) isObject() bool {
	body := bytes.TrimLeft(a.body, " \t\r\n")
	return len(body) > 0 && body[0] == '{'
}

// describe says what an answer is that is not JSON: its type and its beginning, if that is a page
// for people. Anything else might be a damaged token.
func (a *answer) describe(secrets ...string) error {
	if len(bytes.TrimSpace(a.body)) == 0 {
		return errors.New("an empty answer where JSON belongs")
	}
	contentType, _, _ := mime.ParseMediaType(a.header.Get("Content-Type"))
	what := "an answer"
	if contentType != "" {
		what += " of type " + contentType
	}
	what += " where JSON belongs"
	if text := bytes.TrimLeft(a.body, " \t\r\n"); text[0] == '<' || !a.ok() && !a.isObject() {
		what += ": " + strconv.Quote(cut(scrub(string(text), secrets...), 120))
	}
	return errors.New(what)
}

// tokenLike matches what is as long as a secret of a server. Passwords are found by their value.
var tokenLike = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`[A-Za-z0-9_~+/=.%-]{32,}`) })

const redacted = "[redacted]"

// scrub takes secrets out of what a server says: those that were sent to it, however they are
// escaped, and anything that looks like a token.
func scrub(text string, secrets ...string) string {
	return tokenLike().ReplaceAllString(scrubKnown(text, secrets...), redacted)
}

func scrubKnown(text string, secrets ...string) string {
	var pairs []string
	for _, secret := range secrets {
		if secret == "" {
			continue
		}
		quoted := strconv.Quote(secret)
		for _, form := range []string{secret, url.QueryEscape(secret), url.PathEscape(secret), html.EscapeString(secret), quoted[1 : len(quoted)-1]} {
			pairs = append(pairs, form, redacted)
		}
	}
	return strings.NewReplacer(pairs...).Replace(text)
}

// cut shortens a text to n bytes.
func cut(text string, n int) string {
	text = strings.ToValidUTF8(text, "�")
	if len(text) <= n {
		return text
	}
	return strings.ToValidUTF8(text[:n], "") + "…"
}

// An apiServer is the server that session tokens are for.
type apiServer struct {
	base *url.URL // without a slash at the end
}

// contains reports whether a request goes to this server: same scheme, host and port, and below the
// same path.
func (a *apiServer) contains(req *http.Request) bool {
	u := req.URL
	if u == nil || u.Opaque != "" || req.Host != "" && req.Host != u.Host {
		return false
	}
	if u.Scheme != a.base.Scheme || u.Host != a.base.Host {
		if origin(u) != origin(a.base) {
			return false
		}
	}
	rest, ok := strings.CutPrefix(u.Path, a.base.Path)
	return ok && (rest == "" || rest[0] == '/')
}

// origin returns scheme, host and port in one spelling.
func origin(u *url.URL) string {
	port := u.Port()
	if port == "" {
		port = map[string]string{"https": "443", "http": "80"}[u.Scheme]
	}
	return u.Scheme + "://" + net.JoinHostPort(strings.ToLower(u.Hostname()), port)
}

// relative returns the path of a request without the base path of the server.
func (a *apiServer) relative(req *http.Request) string {
	if a.contains(req) {
		return req.URL.Path[len(a.base.Path):]
	}
	return req.URL.Path
}

func (a *apiServer) String() string { return a.base.String() }

// parseURL reads the address of a server that gets secrets. The address like is an example.
func parseURL(what, text, like string) (*url.URL, error) {
	u, err := url.Parse(strings.TrimSpace(text))
	switch {
	case err != nil:
		return nil, fmt.Errorf("authn: the address of the %s is not a URL; it should look like %s", what, like)
	case u.User != nil:
		return nil, fmt.Errorf("authn: the address of the %s must not hold a user name or a password", what)
	case strings.TrimSpace(text) != text:
		return nil, fmt.Errorf("authn: the address of the %s, %q, begins or ends with a space or a line break; take it off", what, text)
	case u.Hostname() == "" || u.Opaque != "":
		return nil, fmt.Errorf("authn: the address of the %s, %q, needs a scheme and a host, like %s", what, text, like)
	case u.RawQuery != "" || u.Fragment != "":
		return nil, fmt.Errorf("authn: the address of the %s, %q, must not have a query or a fragment", what, text)
	case u.Scheme == "http" && !isLoopback(u.Hostname()) || u.Scheme != "http" && u.Scheme != "https":
		return nil, fmt.Errorf("authn: the address of the %s, %q, must begin with https://, because secrets go there", what, text)
	}
	u.Path = strings.TrimRight(u.Path, "/")
	u.RawPath = strings.TrimRight(u.RawPath, "/")
	return u, nil
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}
