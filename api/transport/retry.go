package transport

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/mangadex-go/mangadex/internal/header"
)

// longestHint bounds the Retry-After of an answer other than 429 that is waited for.
const longestHint = time.Minute

// A backoff says how long to wait after an attempt.
type backoff struct{ first, longest time.Duration }

// ceiling is the longest wait: it doubles with every attempt.
func (b backoff) ceiling(attempt int) time.Duration {
	d := b.first
	for ; attempt > 1 && d < b.longest; attempt-- {
		d *= 2
	}
	return min(d, b.longest)
}

// jittered is a random wait up to the ceiling, so that clients that failed together do not come
// back together.
func (b backoff) jittered(attempt int) time.Duration {
	return rand.N(b.ceiling(attempt) + 1)
}

// A budget bounds the repetitions of all requests together: with a server that fails them all,
// repeating each is no help to anyone. Every success gives one back.
type budget struct{ left atomic.Int64 }

const budgetSize = 100

func (b *budget) fill() { b.left.Store(budgetSize) }

func (b *budget) take() bool {
	if b.left.Add(-1) >= 0 {
		return true
	}
	b.left.Add(1)
	return false
}

func (b *budget) give() {
	if b.left.Load() < budgetSize {
		b.left.Add(1)
	}
}

// again decides whether there is another attempt, and when.
func (e *exchange) again() bool {
	wait := e.delay // of a 429, as long as there is no limiter
	e.delay = 0
	e.why = e.trouble()
	if e.why == "" {
		if e.err == nil {
			e.t.budget.give()
		}
		return false
	}
	if e.attempt >= e.t.attempts || e.req.Context().Err() != nil {
		return false
	}
	if e.req.Body != nil && e.req.Body != http.NoBody && e.req.GetBody == nil {
		return false
	}
	switch {
	case e.err == nil && e.resp.StatusCode == http.StatusTooManyRequests:
		if e.t.limiter == nil {
			if wait > e.t.maxWait {
				return false
			}
			e.delay = wait
		}
	case e.err == nil:
		hint := header.RetryAfter(e.resp.StatusCode, e.resp.Header, time.Now())
		if hint > longestHint {
			return false
		}
		e.delay = hint + e.t.backoff.jittered(e.attempt)
	default:
		e.delay = e.t.backoff.jittered(e.attempt)
	}
	if deadline, ok := e.req.Context().Deadline(); ok && time.Until(deadline) <= e.delay {
		e.delay = 0
		return false
	}
	if !e.t.budget.take() {
		return false
	}
	e.t.stats.retries.Add(1)
	e.logRetry()
	return true
}

// trouble says what is wrong with the last attempt that another may mend; empty: nothing.
func (e *exchange) trouble() string {
	switch {
	case e.err != nil && e.idempotent && isNetwork(e.err), e.err != nil && isUnsent(e.err):
		return "network error"
	case e.err != nil || !e.idempotent:
		return ""
	case e.cut:
		return "answer cut off"
	case repeatable(e.resp.StatusCode):
		return "status"
	case e.op != nil && e.resp.StatusCode == http.StatusOK && strings.HasPrefix(e.resp.Header.Get("Content-Type"), "text/html"):
		return "HTML instead of an answer"
	}
	return ""
}

// idempotent tells whether a request of a method can be repeated without doing more than once.
func idempotent(method string) bool {
	switch method {
	case "", http.MethodGet, http.MethodHead, http.MethodOptions, http.MethodTrace, http.MethodPut, http.MethodDelete:
		return true
	}
	return false
}

// repeatable tells whether a status may be another one soon. 520 to 524 are of the proxies in
// front of the API.
func repeatable(status int) bool {
	switch status {
	case http.StatusTooManyRequests, http.StatusInternalServerError, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true
	}
	return 520 <= status && status <= 524
}

// isNetwork tells an error of the network from one of TLS, of the request or of the caller.
func isNetwork(err error) bool {
	if outer := (*url.Error)(nil); errors.As(err, &outer) {
		err = outer.Err // which says of every error that it is one of the network
	}
	if errors.Is(err, context.Canceled) || isTLS(err) {
		return false
	}
	if dns := (*net.DNSError)(nil); errors.As(err, &dns) && dns.IsNotFound {
		return false
	}
	if known := net.Error(nil); errors.As(err, &known) {
		return true
	}
	for _, target := range []error{io.EOF, io.ErrUnexpectedEOF, net.ErrClosed, syscall.ECONNRESET, syscall.EPIPE} {
		if errors.Is(err, target) {
			return true
		}
	}
	// net/http has no types for these.
	for _, text := range []string{"http2: ", "stream error: ", "http: server closed idle connection", "connection broken"} {
		if strings.Contains(err.Error(), text) {
			return true
		}
	}
	return false
}

// isUnsent tells whether an error came before there was a connection.
func isUnsent(err error) bool {
	op := (*net.OpError)(nil)
	if dns := (*net.DNSError)(nil); errors.As(err, &dns) && dns.IsNotFound {
		return false
	}
	return errors.As(err, &op) && (op.Op == "dial" || op.Op == "proxyconnect") && !errors.Is(err, context.Canceled) && !isTLS(err)
}

// isTLS tells whether the two sides could not agree on a safe connection.
func isTLS(err error) bool {
	var (
		verification *tls.CertificateVerificationError
		record       tls.RecordHeaderError
		alert        tls.AlertError
		authority    x509.UnknownAuthorityError
		hostname     x509.HostnameError
		invalid      x509.CertificateInvalidError
		op           *net.OpError
	)
	return errors.As(err, &verification) || errors.As(err, &record) || errors.As(err, &alert) ||
		errors.As(err, &authority) || errors.As(err, &hostname) || errors.As(err, &invalid) ||
		errors.As(err, &op) && (op.Op == "remote error" || op.Op == "local error")
}
