package chaos_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"math/big"
	mathrand "math/rand/v2"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"
)

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
