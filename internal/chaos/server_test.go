package chaos_test

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	stdlog "log"
	"math/big"
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

type connKey struct{}

// handle answers a request, well or not.
func (c *chaos) handle(w http.ResponseWriter, r *http.Request) {
	secured := r.Context().Value(connKey{}).(*tls.Conn)
	conn := secured.NetConn().(*end)
	fault := c.fault(requestFaults)
	c.arrive(r)
	hang := func(s standing) { // on the whole connection, or with HTTP/2 perhaps on this stream alone
		if r.ProtoMajor < 2 || mathrand.IntN(4) == 0 {
			conn.stand(s)
		}
		conn.untilGone(r.Context().Done()) // which net/http does not see while a body is not read
		panic(http.ErrAbortHandler)
	}
	abort := func() {
		if r.ProtoMajor < 2 || mathrand.IntN(2) == 0 {
			conn.Close()
		}
		panic(http.ErrAbortHandler)
	}
	switch fault {
	case "nothing taken":
		hang(deaf)
	case "half taken":
		io.CopyN(io.Discard, r.Body, r.ContentLength/2)
		hang(deaf)
	case "closed":
		conn.Close()
		panic(http.ErrAbortHandler)
	}
	if _, err := io.Copy(io.Discard, r.Body); err != nil {
		panic(http.ErrAbortHandler)
	}
	applied := mathrand.IntN(2) == 0
	switch fault {
	case "429", "429 and when", "redirect", "101":
		applied = false
	case "", "103", "many 1xx", "trailer", "longer than said", "dead afterwards", "closed afterwards", "going away":
		applied = true
	}
	if applied {
		c.apply(r)
	}
	body := c.answer(r)
	header := w.Header()
	header.Set("Content-Type", "application/json")
	header.Set("Content-Length", fmt.Sprint(len(body)))
	header["Date"] = nil
	flush := func(n int) {
		w.WriteHeader(http.StatusOK)
		io.WriteString(w, body[:n])
		http.NewResponseController(w).Flush()
	}
	status := func(code int) {
		header.Set("Content-Length", "0")
		w.WriteHeader(code)
	}
	raw := func(text string) { // which net/http does not write
		if r.ProtoMajor < 2 {
			secured.SetReadDeadline(time.Time{})
			io.WriteString(secured, text)
		}
	}
	switch fault {
	case "reset":
		abort()
	case "silent":
		hang(lost)
	case "half a header":
		raw("HTTP/1.1 200 OK\r\nContent-Ty")
		hang(lost)
	case "101":
		raw("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n")
		hang(lost)
	case "no body":
		flush(0)
		hang(lost)
	case "half a body":
		flush(len(body) / 2)
		hang(lost)
	case "cut":
		flush(len(body) / 2)
		abort()
	case "cut chunk":
		header.Del("Content-Length")
		flush(len(body) / 2)
		abort()
	case "longer than said":
		raw(fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", len(body), body+body))
		abort()
	case "many 1xx":
		for range 20 {
			w.WriteHeader(http.StatusProcessing)
		}
	case "103":
		header.Set("Link", "</style.css>; rel=preload")
		w.WriteHeader(http.StatusEarlyHints)
	case "500", "502", "503", "504", "524":
		if fault == "503" {
			header.Set("Retry-After", "3")
		}
		var code int
		fmt.Sscan(fault, &code)
		status(code)
		return
	case "html":
		header.Set("Content-Type", "text/html")
		header.Del("Content-Length")
		io.WriteString(w, "<html>")
		return
	case "429 and when":
		header.Set("Retry-After", "5")
		status(http.StatusTooManyRequests)
		return
	case "429":
		status(http.StatusTooManyRequests)
		return
	case "redirect":
		if strings.HasPrefix(r.URL.Path, "/moved") {
			status(http.StatusServiceUnavailable)
			return
		}
		target := "/moved" + r.URL.Path
		if mathrand.IntN(2) == 0 {
			target = elsewhere + r.URL.Path
		}
		header.Set("Location", target)
		status([]int{301, 302, 303, 307, 308}[mathrand.IntN(5)])
		return
	case "protocol error":
		if r.ProtoMajor == 2 { // a GOAWAY with the error COMPRESSION_ERROR
			secured.Write([]byte{0, 0, 8, 7, 0, 0, 0, 0, 0, 0x7f, 0xff, 0xff, 0xff, 0, 0, 0, 9})
		} else {
			io.WriteString(secured, "HTTP/1.1 200\r\nno header\r\n\r\n")
		}
		abort()
	case "going away":
		header.Set("Connection", "close")
	case "trailer":
		header.Del("Content-Length")
		header.Set("Trailer", "X-Sum")
		defer header.Set("X-Sum", "1")
	}
	if _, err := io.WriteString(w, body); err != nil {
		panic(http.ErrAbortHandler)
	}
	switch fault {
	case "dead afterwards":
		http.NewResponseController(w).Flush()
		conn.stand(lost)
	case "closed afterwards":
		http.NewResponseController(w).Flush()
		conn.Close()
	}
}

// arrive notes a request.
func (c *chaos) arrive(r *http.Request) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if strings.HasPrefix(r.Host, "elsewhere.") {
		if r.Method != http.MethodGet && r.Method != http.MethodHead || r.Header.Get("Authorization") != "" {
			c.wrong = append(c.wrong, fmt.Sprintf("%s %s at another host, token %t", r.Method, r.URL, r.Header.Get("Authorization") != ""))
		}
		return
	}
	if r.Header.Get("Authorization") == "" {
		c.wrong = append(c.wrong, fmt.Sprintf("%s %s without the token", r.Method, r.URL))
	}
	now := time.Since(c.start)
	c.arrived[""] = append(c.arrived[""], now)
	for prefix := range limits {
		if prefix != "" && strings.HasPrefix(r.URL.Path, prefix) {
			c.arrived[prefix] = append(c.arrived[prefix], now)
		}
	}
}

func (c *chaos) apply(r *http.Request) {
	if r.Method == http.MethodPost {
		c.mu.Lock()
		c.applied[idOf(r)]++
		c.mu.Unlock()
	}
}

// idOf is the id in the path of a request.
func idOf(r *http.Request) uuid.UUID {
	for part := range strings.SplitSeq(r.URL.Path, "/") {
		if id, err := uuid.Parse(part); err == nil {
			return id
		}
	}
	return uuid.Max
}

// answer is that of an operation of the run.
func (c *chaos) answer(r *http.Request) string {
	switch {
	case strings.Contains(r.URL.Path, "/at-home/"):
		return fmt.Sprintf(`{"result":"ok","baseUrl":"https://node.example","chapter":{"hash":"%s","data":[],"dataSaver":[]}}`, idOf(r))
	case r.Method == http.MethodGet:
		return fmt.Sprintf(`{"result":"ok","response":"entity","data":{"id":"%s","type":"manga","attributes":{"description":{"en":%q}},"relationships":[]}}`, idOf(r), strings.Repeat("word ", 200))
	}
	return `{"result":"ok"}`
}

// A authority is what the certificate of all hosts comes from.
type authority struct {
	pool        *x509.CertPool
	certificate tls.Certificate
}

// certified makes it once, as all that share it only read.
var certified = sync.OnceValue(func() authority {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Unix(0, 0), NotAfter: time.Date(2200, 1, 1, 0, 0, 0, 0, time.UTC),
		DNSNames: []string{"api.mangadex.org", "elsewhere.example"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	der, failed := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	leaf, unread := x509.ParseCertificate(der)
	if err := errors.Join(err, failed, unread); err != nil {
		panic(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(leaf)
	return authority{pool, tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}}
})
