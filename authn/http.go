package authn

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/mangadex-go/mangadex/api/transport"
	"github.com/mangadex-go/mangadex/internal/answer"
	"github.com/mangadex-go/mangadex/internal/origin"
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

// A reply is an answer that has been read as a whole.
type reply struct {
	status int
	header http.Header
	body   []byte
}

// do sends a request. If the body of the answer cannot be read to its end there are both an answer,
// with what was read, and an error.
func (s *sender) do(req *http.Request) (*reply, error) {
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
	return &reply{resp.StatusCode, resp.Header, body}, err
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

func (a *reply) ok() bool { return 200 <= a.status && a.status < 300 }

// isObject reports whether the body is, or begins as, a JSON object. The body decides: proxies give
// wrong content types.
func (a *reply) isObject() bool {
	body := bytes.TrimLeft(a.body, " \t\r\n")
	return len(body) > 0 && body[0] == '{'
}

// describe says what an answer is that is not JSON: its type and its beginning, if that is a page
// for people. Anything else might be a damaged token.
func (a *reply) describe(secrets ...string) error {
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
		what += ": " + strconv.Quote(cut(answer.Scrub(string(text), secrets...), 120))
	}
	return errors.New(what)
}

// cut shortens a text to n bytes.
func cut(text string, n int) string {
	text = strings.ToValidUTF8(text, "�")
	if len(text) <= n {
		return text
	}
	return strings.ToValidUTF8(text[:n], "") + "…"
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
