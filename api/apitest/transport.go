package apitest

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"sync"
	"time"
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
		return nil, recorder.end(io.EOF) // as from a connection that ends too soon
	}
	return recorder.response(t.server, r), nil
}

// A recorder keeps an answer.
type recorder struct {
	header  http.Header
	status  int
	pieces  []piece
	aborted bool
	isReset bool
}

// A piece is a part of a body, and how long the server waits before it.
type piece struct {
	wait time.Duration
	data []byte
}

func (r *recorder) Header() http.Header { return r.header }

func (r *recorder) WriteHeader(status int) { r.status = status }

// Write keeps what a server sends, which is never changed afterwards.
func (r *recorder) Write(p []byte) (int, error) {
	r.pieces = append(r.pieces, piece{data: p})
	return len(p), nil
}

func (r *recorder) FlushError() error { return nil }

// pause implements pauser.
func (r *recorder) pause(d time.Duration) { r.pieces = append(r.pieces, piece{wait: d}) }

// reset implements resetter.
func (r *recorder) reset() { r.isReset = true }

// end is what a client reads where the connection ends.
func (r *recorder) end(usual error) error {
	if r.isReset {
		return &net.OpError{Op: "read", Net: "tcp", Err: os.NewSyscallError("read", errReset)}
	}
	return usual
}

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

func (r *recorder) response(server *Server, req *http.Request) *http.Response {
	body := &paced{server: server, request: req, pieces: r.pieces, end: io.EOF, closed: make(chan struct{})}
	if r.aborted {
		body.end = r.end(io.ErrUnexpectedEOF)
	}
	length, err := strconv.ParseInt(r.header.Get("Content-Length"), 10, 64)
	if err != nil && r.status != http.StatusNoContent {
		length = -1
	}
	return &http.Response{
		Status: fmt.Sprintf("%d %s", r.status, http.StatusText(r.status)), StatusCode: r.status,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: r.header, Body: body, ContentLength: length, Request: req,
	}
}

// A paced is a body that comes as slowly as the server sends it.
type paced struct {
	server  *Server
	request *http.Request
	pieces  []piece
	end     error // after the last piece
	once    sync.Once
	closed  chan struct{}
}

func (b *paced) Read(p []byte) (int, error) {
	for len(b.pieces) > 0 {
		select {
		case <-b.closed:
			return 0, http.ErrBodyReadAfterClose
		default:
		}
		next := &b.pieces[0]
		if err := b.wait(next.wait); err != nil {
			return 0, err
		}
		next.wait = 0
		if len(next.data) == 0 {
			b.pieces = b.pieces[1:]
			continue
		}
		n := copy(p, next.data)
		next.data = next.data[n:]
		return n, nil
	}
	return 0, b.end
}

func (b *paced) wait(d time.Duration) error {
	if d <= 0 {
		return nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-b.request.Context().Done():
		return b.request.Context().Err()
	case <-b.server.closing:
		return io.ErrUnexpectedEOF
	case <-b.closed:
		return http.ErrBodyReadAfterClose
	}
}

func (b *paced) Close() error {
	b.once.Do(func() { close(b.closed) })
	return nil
}
