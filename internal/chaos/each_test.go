package chaos_test

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/mangadex-go/mangadex/api/transport"
)

// TestEachFault meets each fault once on real sockets, with HTTP/1.1 and HTTP/2, and with bounds of
// seconds. What can be repeated succeeds all the same.
func TestEachFault(t *testing.T) {
	t.Parallel()
	certified()
	var wg sync.WaitGroup // not the parallel tests of go test, of which there are as many as processors
	for _, fault := range requestFaults {
		for _, protocol := range []string{"http/1.1", "h2"} {
			for n, call := range calls {
				if call.once {
					wg.Go(func() { meet(t, fault, protocol, n) })
				}
			}
		}
	}
	wg.Wait()
}

// meet makes two calls on one connection, the second of which meets a fault.
func meet(t *testing.T, fault, protocol string, n int) {
	var armed atomic.Bool
	c := newChaos(func([]string) string {
		if armed.Swap(false) {
			return fault
		}
		return ""
	})
	c.TLSConfig = &tls.Config{Certificates: []tls.Certificate{certified().certificate}, NextProtos: []string{protocol}}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Error(err)
		return
	}
	c.serve(sockets{listener})
	base := transport.Base()
	base.HTTP2 = &http.HTTP2Config{SendPingTimeout: time.Second, PingTimeout: time.Second, WriteByteTimeout: time.Second}
	dial := base.DialContext
	base.DialContext = func(ctx context.Context, network, _ string) (net.Conn, error) {
		return dial(ctx, network, listener.Addr().String())
	}
	client, _ := makeClient(t, c, mangadex, base, transport.WithoutRateLimit(), transport.WithStallTimeout(2*time.Second), transport.WithBackoff(0, 0))
	c.check(t.Context(), t, client, n)
	armed.Store(true)
	good := false
	for tries := 0; armed.Load() && tries < 10; tries++ { // a busy machine may fail one by itself
		good = c.check(t.Context(), t, client, n)
	}
	again := calls[n].again
	if fault == "redirect" {
		again = strings.HasPrefix(calls[n].name, "Get") || calls[n].name == "HEAD"
	}
	if !good && again && (fault != "101" || protocol == "h2") {
		t.Errorf("%s, %s: %s does not succeed", fault, protocol, calls[n].name)
	}
	base.CloseIdleConnections()
	c.stop()
	for _, wrong := range c.wrong {
		t.Errorf("%s, %s: %s", fault, protocol, wrong)
	}
	if c.met[fault] != 1 {
		t.Errorf("%s, %s: met %v", fault, protocol, c.met)
	}
}

// A sockets is a real one.
type sockets struct{ net.Listener }

func (l sockets) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &end{Conn: conn, gone: make(chan struct{})}, nil
}
