package api

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/mangadex-go/mangadex/internal/origin"
)

// A RedirectError says that the server redirected a request that changes something, and that the client
// did not follow. Most redirects would turn it into a GET, which changes nothing and looks like a
// success, and another origin must not get it. A 307 or 308 to the same origin is followed. The usual
// cause is a server address that is not quite right.
type RedirectError struct {
	Method     string
	StatusCode int
	Location   string // without the query, which may be secret
}

// Error implements error.
func (e *RedirectError) Error() string {
	return fmt.Sprintf("the server redirects this %s to %s (%d), and it was not sent there; if that is the right address, make the client for it",
		e.Method, e.Location, e.StatusCode)
}

// A guard is an [http.Client] that follows redirects as a client of an API should.
type guard struct{ http.Client }

// guardRedirects returns a client like the given one that follows redirects of GET and HEAD, and
// those of other methods by which the request stays what it is and where it is. It takes the token
// out of a request that is redirected to another origin, and leaves it in one that stays: net/http
// goes by the domain, lets the token through to another port and to plain http, and takes it out
// where the same host is spelt in another way.
func guardRedirects(client http.Client) *guard {
	next := client.CheckRedirect
	client.CheckRedirect = func(req *http.Request, via []*http.Request) error {
		if err := checkRedirect(req, via[len(via)-1]); err != nil {
			return err
		}
		stays := true
		for _, earlier := range via {
			stays = stays && origin.Same(req.URL, earlier.URL)
		}
		if token := via[0].Header["Authorization"]; stays && token != nil {
			req.Header["Authorization"] = token
		}
		if !origin.Same(req.URL, via[0].URL) {
			req.Header.Del("Authorization")
			req.Header.Del("Cookie")
		}
		if next != nil {
			return next(req, via)
		}
		if len(via) >= 10 {
			return errors.New("stopped after 10 redirects")
		}
		return nil
	}
	return &guard{client}
}

// checkRedirect returns an error if a request may not become the next one.
func checkRedirect(next, last *http.Request) error {
	method := last.Method
	if method == "" || method == http.MethodGet || method == http.MethodHead {
		return nil
	}
	if next.Method == method && origin.Same(next.URL, last.URL) {
		return nil // 307 or 308
	}
	e := &RedirectError{Method: method, Location: withoutQuery(next.URL)}
	if next.Response != nil {
		e.StatusCode = next.Response.StatusCode
	}
	return e
}

// Do implements [HttpRequestDoer]. Its errors do not show the query of a redirect, in which a server
// may have put a secret.
func (g *guard) Do(req *http.Request) (*http.Response, error) {
	resp, err := g.Client.Do(req)
	outer := (*url.Error)(nil)
	if err == nil {
		return unchanged(req, resp)
	}
	if !errors.As(err, &outer) {
		return resp, err
	}
	shown := *outer
	if u, failed := url.Parse(outer.URL); failed == nil {
		shown.URL = withoutQuery(u)
	}
	if strings.Contains(outer.Err.Error(), "Location header") {
		shown.Err = errors.New("the server redirects to an address that cannot be read")
	}
	return resp, &shown
}

// unchanged returns the answer to a request, or an error if it is one to another method, because
// something below has followed a redirect.
func unchanged(req *http.Request, resp *http.Response) (*http.Response, error) {
	if last := resp.Request; last != nil && last.URL != nil && last.Method != req.Method && last.Response != nil {
		if err := checkRedirect(last, req); err != nil {
			resp.Body.Close()
			return nil, err
		}
	}
	return resp, nil
}

func withoutQuery(u *url.URL) string {
	shown := *u
	shown.User, shown.RawQuery, shown.ForceQuery, shown.Fragment = nil, "", false, ""
	return shown.String()
}
