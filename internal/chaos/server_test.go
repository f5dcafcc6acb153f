package chaos_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	stdlog "log"
	mathrand "math/rand/v2"
	"net"
	"net/http"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/google/uuid"
)

// The hosts of a run with chaos: the API, a place that it redirects to, and a proxy.
const (
	mangadex  = "https://api.mangadex.org"
	elsewhere = "https://elsewhere.example"
	proxy     = "http://user:pa55word@proxy.example:3128"
)

// What can go wrong, by where it does. The empty one is that all goes well.
var (
	// dialFaults are of the way to the server.
	dialFaults = []string{"refused", "no network", "the name server does not answer", "no answer to the connection",
		"slow to connect", "deaf from the start", "no TLS", "closed in the handshake", "half a handshake"}
	// proxyFaults are of a proxy that is asked to CONNECT.
	proxyFaults = []string{"407", "403", "502", "503", "no HTTP", "closed", "silent"}
	// requestFaults are of a request and its answer.
	requestFaults = []string{"closed", "reset", "half taken", "nothing taken", "silent", "half a header", "no body", "half a body",
		"cut", "cut chunk", "longer than said", "101", "103", "many 1xx", "500", "502", "503", "504", "524", "html", "429", "429 and when", "redirect",
		"dead afterwards", "closed afterwards", "going away", "protocol error", "trailer"}
)

// A chaos is MangaDex, on connections on which everything goes wrong that can.
type chaos struct {
	http.Server
	pick  func(faults []string) string // for each event; empty: nothing
	start time.Time

	mu      sync.Mutex
	arrived map[string][]time.Duration // requests, by allowance; "" is everything
	applied map[uuid.UUID]int          // POSTs carried out, by title
	met     map[string]int             // faults that happened
	wrong   []string                   // what must not be sent
	open    map[*end]string            // connections, with what went wrong at their beginning
	conns   chan net.Conn
	done    chan struct{}
	wg      sync.WaitGroup
}

func newChaos(pick func([]string) string) *chaos {
	c := &chaos{pick: pick, start: time.Now(), arrived: map[string][]time.Duration{}, applied: map[uuid.UUID]int{}, met: map[string]int{}, open: map[*end]string{},
		conns: make(chan net.Conn), done: make(chan struct{})}
	c.Handler = http.HandlerFunc(c.handle)
	c.ErrorLog = stdlog.New(io.Discard, "", 0)
	c.ConnContext = func(ctx context.Context, conn net.Conn) context.Context {
		return context.WithValue(ctx, connKey{}, conn)
	}
	authority := certified()
	c.TLSConfig = &tls.Config{GetConfigForClient: func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
		protocol := []string{"h2", "http/1.1"}[mathrand.IntN(2)]
		if protocol == "h2" {
			hello.Conn.(*end).client.unbounded()
		}
		return &tls.Config{
			Certificates:           []tls.Certificate{authority.certificate},
			NextProtos:             []string{protocol},
			SessionTicketsDisabled: true, // which are written while nobody reads
		}, nil
	}}
	return c
}

// fault decides whether something goes wrong, and counts it.
func (c *chaos) fault(faults []string) string {
	fault := c.pick(faults)
	if fault != "" {
		c.mu.Lock()
		c.met[fault]++
		c.mu.Unlock()
	}
	return fault
}

// serve serves what comes from a listener, until stop.
func (c *chaos) serve(l net.Listener) { c.wg.Go(func() { c.Server.ServeTLS(l, "", "") }) }

// stop ends the server and waits until its connections have ended.
func (c *chaos) stop() {
	close(c.done)
	c.Close()
	c.wg.Wait()
}

// Accept, Addr and the Close of pipes make it a listener of what dial connects.
type pipes struct{ *chaos }

func (c pipes) Accept() (net.Conn, error) {
	select {
	case conn := <-c.conns:
		return conn, nil
	case <-c.done:
		return nil, net.ErrClosed
	}
}
func (c pipes) Addr() net.Addr { return &net.TCPAddr{} }
func (c pipes) Close() error   { return nil }

// dial is the DialContext of a client whose connections are pipes.
func (c *chaos) dial(ctx context.Context, _, address string) (net.Conn, error) {
	fault := c.fault(dialFaults)
	failed := func(err error) (net.Conn, error) { return nil, &net.OpError{Op: "dial", Net: "tcp", Err: err} }
	switch fault {
	case "refused":
		return failed(syscall.ECONNREFUSED)
	case "no network":
		return failed(syscall.ENETUNREACH)
	case "the name server does not answer":
		return failed(&net.DNSError{Err: "server misbehaving", Name: address, IsTemporary: true})
	case "no answer to the connection":
		ctx, cancel := context.WithTimeout(ctx, 10*time.Second) // as transport.Base has it
		defer cancel()
		<-ctx.Done()
		return failed(ctx.Err())
	case "slow to connect":
		time.Sleep(mathrand.N(3 * time.Second))
	}
	near, far := net.Pipe()
	here := newClient(near)
	there := &end{Conn: far, client: here, gone: make(chan struct{})}
	c.wg.Go(here.pump)
	c.label(there, address+", "+fault)
	there.ended = func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		delete(c.open, there)
	}
	c.wg.Go(func() {
		if strings.HasPrefix(address, "proxy.example") && !c.connect(there) {
			there.Close()
			return
		}
		switch fault {
		case "slow to connect", "deaf from the start":
			there.stand(deaf)
		case "half a handshake":
			io.ReadFull(there, make([]byte, 5))
			there.stand(deaf)
		case "closed in the handshake":
			io.ReadFull(there, make([]byte, 5))
			there.Close()
			return
		case "no TLS":
			io.ReadFull(there, make([]byte, 5))
			io.WriteString(there, "HTTP/1.1 400 Bad Request\r\n\r\nThis is no place for TLS.\n")
			there.Close()
			return
		}
		select {
		case c.conns <- there:
		case <-c.done:
			there.Close()
		}
	})
	return here, nil
}

// label says of a connection what happened to it.
func (c *chaos) label(e *end, text string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.open[e] = text
}

// connect is the proxy. It reports whether the connection goes on.
func (c *chaos) connect(conn *end) bool {
	req, err := http.ReadRequest(bufio.NewReader(conn))
	if err != nil {
		return false
	}
	if req.Method != http.MethodConnect {
		c.accuse("a proxy was asked for %s %s", req.Method, req.URL)
		return false
	}
	fault := c.fault(proxyFaults)
	if fault != "" {
		c.label(conn, "proxy, "+fault)
	}
	switch fault {
	case "407", "403", "502", "503":
		fmt.Fprintf(conn, "HTTP/1.1 %s No\r\nContent-Length: 0\r\n\r\n", fault)
		return false
	case "no HTTP":
		io.WriteString(conn, "220 ready\r\n")
		return false
	case "closed":
		return false
	case "silent":
		io.Copy(io.Discard, conn)
		return false
	}
	_, err = io.WriteString(conn, "HTTP/1.1 200 OK\r\n\r\n")
	return err == nil
}

func (c *chaos) accuse(format string, args ...any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.wrong = append(c.wrong, fmt.Sprintf(format, args...))
}
