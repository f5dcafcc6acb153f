package answer

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strconv"
)

// A ProxyError says that a proxy did not make the connection that it was asked for. Nothing was sent
// to the server.
type ProxyError struct {
	Proxy  string // its address, without user name and password
	Target string // host and port that it was to connect with
	Status string // what it said, such as "407 Proxy Authentication Required"
	Code   int
}

// Error implements error.
func (e *ProxyError) Error() string {
	text := "the proxy " + e.Proxy + " refuses to connect to " + e.Target + ": " + Shorten(OneLine(e.Status), 120)
	if e.Code == http.StatusProxyAuthRequired {
		text += "; give its user name and password in the address of the proxy"
	}
	return text
}

// Is reports whether target is [ErrNotSent].
func (e *ProxyError) Is(target error) bool { return target == ErrNotSent }

// RefusedByProxy is the OnProxyConnectResponse of a transport of net/http, which would give the
// text of the status for the whole error.
func RefusedByProxy(_ context.Context, proxy *url.URL, connect *http.Request, resp *http.Response) error {
	if resp.StatusCode == http.StatusOK {
		return nil
	}
	return &ProxyError{Proxy: address(proxy), Target: connect.Host, Status: resp.Status, Code: resp.StatusCode}
}

// NamedProxy returns the error of a round trip with the name of the proxy, if it is the text of a
// status, as a transport of net/http without RefusedByProxy gives it.
func NamedProxy(err error, base http.RoundTripper, req *http.Request) error {
	if base == nil {
		base = http.DefaultTransport
	}
	t, ok := base.(*http.Transport)
	if !ok || t.Proxy == nil || err == nil || errors.Unwrap(err) != nil || req.URL.Scheme != "https" {
		return err
	}
	for code := 300; code < 600; code++ {
		if text := http.StatusText(code); text == "" || text != err.Error() {
			continue
		}
		proxy, failed := t.Proxy(req)
		if failed != nil || proxy == nil {
			return err
		}
		return &ProxyError{Proxy: address(proxy), Target: req.URL.Host, Status: strconv.Itoa(code) + " " + err.Error(), Code: code}
	}
	return err
}

// address is that of a proxy, as it may be shown.
func address(proxy *url.URL) string {
	return (&url.URL{Scheme: proxy.Scheme, Host: proxy.Host}).String()
}
