package transport

import (
	"context"
	"net"
	"net/http"
	"runtime"
	"time"

	"github.com/mangadex-go/mangadex/internal/answer"
)

// Bounds of the transport of net/http.
const (
	longestDial = 10 * time.Second
	pingAfter   = 10 * time.Second // of silence on a connection of HTTP/2
	pingWait    = 10 * time.Second
)

// Base returns a copy of [http.DefaultTransport], with what a program has set there, and adds the time
// limits that it lacks: 10 s to connect, 60 s until the answer begins, and a ping on an HTTP/2
// connection that has been silent for 10 s, so that a dead connection is found within 20 s. A proxy
// that refuses to connect is named in the error. Where http.DefaultTransport has been replaced by
// something else, the copy is of the original.
func Base() *http.Transport {
	var base *http.Transport
	if standard, ok := http.DefaultTransport.(*http.Transport); ok {
		base = standard.Clone()
	} else {
		base = &http.Transport{
			Proxy:                 http.ProxyFromEnvironment,
			ForceAttemptHTTP2:     true,
			MaxIdleConns:          100,
			IdleConnTimeout:       90 * time.Second,
			TLSHandshakeTimeout:   10 * time.Second,
			ExpectContinueTimeout: time.Second,
		}
		if runtime.GOOS != "js" { // where a dialer would keep net/http from using fetch
			base.DialContext = (&net.Dialer{KeepAlive: 30 * time.Second}).DialContext
		}
	}
	if dial := base.DialContext; dial != nil {
		base.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
			ctx, cancel := context.WithTimeout(ctx, longestDial)
			defer cancel()
			return dial(ctx, network, address)
		}
	}
	if base.MaxIdleConnsPerHost == 0 {
		base.MaxIdleConnsPerHost = 8
	}
	if base.ResponseHeaderTimeout == 0 {
		base.ResponseHeaderTimeout = 2 * longestStall
	}
	if base.HTTP2 == nil {
		base.HTTP2 = &http.HTTP2Config{SendPingTimeout: pingAfter, PingTimeout: pingWait, WriteByteTimeout: longestStall}
	}
	if base.OnProxyConnectResponse == nil {
		base.OnProxyConnectResponse = answer.RefusedByProxy
	}
	return base
}

// standard is the transport of a client that was given none: what stands in [http.DefaultTransport]
// when the request is made, as in net/http, so that a program that replaces it (httpmock, gock, an
// agent) sees our requests, too. As long as nobody has, it is a copy with more patience.
type standard struct {
	of   *http.Transport // what was in http.DefaultTransport; nil if that was another kind
	copy *http.Transport
}

func newStandard() *standard {
	of, _ := http.DefaultTransport.(*http.Transport)
	return &standard{of: of, copy: Base()}
}

func (s *standard) now() http.RoundTripper {
	switch now := http.DefaultTransport.(type) {
	case *http.Transport:
		if now == s.of {
			return s.copy
		}
	case *Transport: // which stands on this one, perhaps
		return s.copy
	}
	return http.DefaultTransport
}

// RoundTrip implements [http.RoundTripper].
func (s *standard) RoundTrip(req *http.Request) (*http.Response, error) {
	return s.now().RoundTrip(req)
}

// CloseIdleConnections closes the connections that are not in use.
func (s *standard) CloseIdleConnections() {
	if c, ok := s.now().(interface{ CloseIdleConnections() }); ok {
		c.CloseIdleConnections()
	}
}
