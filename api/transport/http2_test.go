package transport_test

import (
	"crypto/tls"
	"io"
	stdlog "log"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/mangadex-go/mangadex/api/transport"
)

// A tunnel passes bytes on to a server until it is frozen: then its connections stay open and are
// silent, like those behind a router that has forgotten them.
type tunnel struct {
	net.Listener
	to    string
	froze atomic.Int64 // connections up to this one are frozen
	made  atomic.Int64
	wg    sync.WaitGroup
}

func newTunnel(t *testing.T, to string) *tunnel {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	tun := &tunnel{Listener: listener, to: to}
	tun.wg.Go(func() {
		for {
			near, err := listener.Accept()
			if err != nil {
				return
			}
			far, err := net.Dial("tcp", to)
			if err != nil {
				near.Close()
				return
			}
			n := tun.made.Add(1)
			tun.wg.Go(func() { tun.pass(far, near, n) })
			tun.wg.Go(func() { tun.pass(near, far, n) })
		}
	})
	return tun
}

func (tun *tunnel) pass(to, from net.Conn, n int64) {
	defer to.Close()
	buffer := make([]byte, 32<<10)
	for {
		read, err := from.Read(buffer)
		if err != nil {
			return
		}
		if n <= tun.froze.Load() {
			continue // lost
		}
		if _, err := to.Write(buffer[:read]); err != nil {
			return
		}
	}
}

// freeze silences all connections that there are.
func (tun *tunnel) freeze() { tun.froze.Store(tun.made.Load()) }

// TestDeadHTTP2 checks on real connections that one of HTTP/2 whose other end has gone is found by a
// ping, and taken neither for the repetition nor for the next call.
func TestDeadHTTP2(t *testing.T) {
	t.Parallel()
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ProtoMajor != 2 {
			t.Errorf("a request by %s", r.Proto)
		}
		w.Header().Set("Content-Type", "application/json")
		io.WriteString(w, whole)
	}))
	s.EnableHTTP2 = true
	s.Config.ErrorLog = stdlog.New(io.Discard, "", 0)
	s.StartTLS()
	defer s.Close()
	tun := newTunnel(t, s.Listener.Addr().String())
	if base := transport.Base(); base.HTTP2 == nil || base.HTTP2.SendPingTimeout <= 0 || base.HTTP2.SendPingTimeout > 15*time.Second {
		t.Errorf("pings of the default: %+v", base.HTTP2)
	}
	base := transport.Base()
	base.TLSClientConfig = &tls.Config{RootCAs: s.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs, ServerName: "example.com"}
	base.HTTP2 = &http.HTTP2Config{SendPingTimeout: 200 * time.Millisecond, PingTimeout: 200 * time.Millisecond} // scaled
	at := "https://" + tun.Addr().String()
	client, polite := newClient(t, base, transport.WithAPIServer(at), transport.WithoutRateLimit(), transport.WithBackoff(0, 0))
	get := func() {
		t.Helper()
		resp, err := client.Get(at + "/manga")
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		if text, err := io.ReadAll(resp.Body); err != nil || string(text) != whole {
			t.Errorf("%s %v", text, err)
		}
	}
	get()
	tun.freeze()
	before := polite.Stats().Requests
	get()
	get()
	if n := polite.Stats().Requests - before; n > 3 {
		t.Errorf("two calls took %d attempts", n)
	}
	base.CloseIdleConnections()
	s.CloseClientConnections()
	tun.Close()
}
