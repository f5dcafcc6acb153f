package athome

import (
	"net"
	"net/http"
	"net/url"
	"time"

	"github.com/mangadex-go/mangadex/api/transport"
)

// A way is how requests to hosts of pictures leave.
type way struct {
	http  *http.Client
	proxy func(*http.Request) (*url.URL, error) // may be nil
	close func()                                // frees what http holds if it is our own
	agent string
}

// wayOf is the way that was given, or that of the API client, or one of our own.
func wayOf(s *settings) way {
	w := way{http: s.http, close: func() {}, agent: transport.Product()}
	var below *transport.Transport
	if s.client != nil {
		below = s.client.Transport()
		w.agent = below.UserAgent()
	}
	if s.agent != "" {
		w.agent = s.agent
	}
	switch {
	case w.http != nil:
	case below != nil && below.HasBase():
		w.http = &http.Client{Transport: below.Base()}
	default:
		own := transport.Base()
		if own.DialContext != nil { // not in a browser
			own.DialContext = (&net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second, ControlContext: refusePrivate}).DialContext
		}
		own.MaxIdleConns, own.MaxIdleConnsPerHost = 2*s.parallel, s.parallel
		own.ResponseHeaderTimeout = 0 // WithStallTimeout says how long a host may be silent
		w.http, w.close = &http.Client{Transport: own}, own.CloseIdleConnections
	}
	w.proxy = http.ProxyFromEnvironment
	if known, ok := w.http.Transport.(*http.Transport); ok {
		w.proxy = known.Proxy
	}
	return w
}
