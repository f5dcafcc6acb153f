package apitest

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
)

// Transport returns a transport that hands requests to this server without the network: in the
// goroutine of the caller, so that it can be used within [testing/synctest]. It refuses requests
// to other servers.
func (s *Server) Transport() http.RoundTripper { return transport{s} }

type transport struct{ server *Server }

func (t transport) RoundTrip(r *http.Request) (resp *http.Response, err error) {
	if r.URL == nil {
		return nil, errors.New("apitest: the request has no URL")
	}
	select {
	case <-t.server.closing:
		return nil, errors.New("apitest: the server is closed")
	default:
	}
	handler := t.server.hosts[r.URL.Scheme+"://"+r.URL.Host]
	if handler == nil {
		return nil, fmt.Errorf("apitest: %s is not a host of this server", r.URL.Host)
	}
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	arrived := r.Clone(r.Context())
	arrived.URL = &url.URL{Path: r.URL.Path, RawPath: r.URL.RawPath, RawQuery: r.URL.RawQuery}
	if arrived.URL.Path == "" {
		arrived.URL.Path = "/"
	}
	arrived.RequestURI = arrived.URL.RequestURI()
	arrived.RemoteAddr = "192.0.2.1:1"
	if arrived.Host == "" {
		arrived.Host = r.URL.Host
	}
	if arrived.Body == nil {
		arrived.Body = http.NoBody
	}
	if _, ok := arrived.Header["User-Agent"]; !ok {
		arrived.Header.Set("User-Agent", "Go-http-client/1.1")
	}
	defer arrived.Body.Close()
	recorder := &recorder{header: http.Header{}}
	recorder.serve(handler, arrived)
	switch {
	case r.Context().Err() != nil:
		return nil, r.Context().Err()
	case recorder.status == 0:
		return nil, io.EOF // as from a connection that ends too soon
	}
	return recorder.response(r), nil
}

// A recorder keeps an answer.
type recorder struct {
	header  http.Header
	status  int
	body    strings.Builder
	aborted bool
}

func (r *recorder) Header() http.Header { return r.header }

func (r *recorder) WriteHeader(status int) { r.status = status }

func (r *recorder) Write(p []byte) (int, error) { return r.body.Write(p) }

func (r *recorder) FlushError() error { return nil }

func (r *recorder) serve(handler http.Handler, req *http.Request) {
	defer func() {
		if v := recover(); v == http.ErrAbortHandler {
			r.aborted = true
		} else if v != nil {
			panic(v)
		}
	}()
	handler.ServeHTTP(r, req)
}

func (r *recorder) response(req *http.Request) *http.Response {
	var body io.Reader = strings.NewReader(r.body.String())
	if r.aborted {
		body = io.MultiReader(body, failing{})
	}
	length := int64(r.body.Len())
	if r.aborted {
		length = -1
	}
	return &http.Response{
		Status: fmt.Sprintf("%d %s", r.status, http.StatusText(r.status)), StatusCode: r.status,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: r.header, Body: io.NopCloser(body), ContentLength: length, Request: req,
	}
}

type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }
