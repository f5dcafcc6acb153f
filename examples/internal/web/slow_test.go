package web

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// TestTimeouts has browsers that send or read so slowly that they would hold a request open for ever. Time is
// that of the bubble, so connections are pipes.
func TestTimeouts(t *testing.T) {
	t.Parallel()
	const request = "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n"
	drip := func(conn net.Conn, text string) error { // a byte a second
		for {
			time.Sleep(time.Second)
			if _, err := io.WriteString(conn, text); err != nil {
				return err
			}
		}
	}
	for name, test := range map[string]struct {
		do   func(net.Conn) error // ends when the server ends the connection
		most time.Duration
	}{
		"nothing is sent": {func(conn net.Conn) error { _, err := io.ReadAll(conn); return err }, headerTimeout},
		"slow header": {func(conn net.Conn) error {
			if _, err := io.WriteString(conn, request+"X: "); err != nil {
				return err
			}
			return drip(conn, "x")
		}, headerTimeout},
		"slow body": {func(conn net.Conn) error {
			go io.Copy(io.Discard, conn)
			if _, err := io.WriteString(conn, request+"\r\n"); err != nil {
				return err
			}
			return drip(conn, "x")
		}, requestTimeout},
		"slow reading": {func(conn net.Conn) error {
			if _, err := io.WriteString(conn, "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"); err != nil {
				return err
			}
			b := make([]byte, 1)
			for {
				time.Sleep(time.Second)
				if _, err := conn.Read(b); err != nil {
					return err
				}
			}
		}, answerTimeout},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				l := &pipes{conns: make(chan net.Conn), closed: make(chan struct{})}
				ctx, stop := context.WithCancel(t.Context())
				var server sync.WaitGroup
				server.Go(func() {
					handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
						if _, err := io.Copy(io.Discard, r.Body); err == nil {
							io.WriteString(w, strings.Repeat("x", 1<<20))
						}
					})
					if err := Serve(ctx, l, handler); err != nil {
						t.Error(err)
					}
				})
				began := time.Now()
				if err := test.do(l.dial()); err == nil && name != "nothing is sent" {
					t.Error("the connection has no end")
				}
				if d := time.Since(began); d > test.most+2*time.Second {
					t.Errorf("it was held open for %v, want at most %v", d, test.most)
				}
				// Others are served.
				conn := l.dial()
				go io.WriteString(conn, "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
				if resp, err := http.ReadResponse(bufio.NewReader(conn), nil); err != nil || resp.StatusCode != http.StatusOK {
					t.Errorf("the next request: %v", err)
				}
				conn.Close()
				stop()
				server.Wait()
			})
		})
	}
}

// pipes is a listener without a network.
type pipes struct {
	conns  chan net.Conn
	once   sync.Once
	closed chan struct{}
}

func (p *pipes) dial() net.Conn {
	here, there := net.Pipe()
	p.conns <- there
	return here
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case conn := <-p.conns:
		return conn, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error {
	p.once.Do(func() { close(p.closed) })
	return nil
}

func (p *pipes) Addr() net.Addr { return &net.TCPAddr{} }
