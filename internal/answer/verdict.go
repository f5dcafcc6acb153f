package answer

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
)

// An Effect says what an attempt did on the server.
type Effect uint8

// Effects. The zero value is the careful one.
const (
	MayBeDone Effect = iota // carried out or not: nobody can tell from what came back
	NotDone                 // surely not carried out: never sent, or turned down
	Done                    // carried out
)

// String returns the effect in words.
func (e Effect) String() string {
	switch e {
	case NotDone:
		return "not done"
	case Done:
		return "done"
	}
	return "may be done"
}

// A Verdict says what an attempt came to.
type Verdict struct {
	Effect    Effect
	Temporary bool // the same request may go well soon
	Refused   bool // the server has a reason that another attempt does not change
}

var (
	done      = Verdict{Effect: Done}
	refused   = Verdict{Effect: NotDone, Refused: true}
	comeBack  = Verdict{Effect: NotDone, Temporary: true}
	lost      = Verdict{Effect: MayBeDone, Temporary: true}
	uncertain = Verdict{Effect: MayBeDone}
	unsent    = Verdict{Effect: NotDone}
)

// Of says what an answer means, by its status and the kind of its body. A page for people with the
// status of a success is not an answer of the API: a proxy or a guard has written it.
//
// A redirect says nothing about whether the request was carried out, but for 307 and 308, which ask
// to send it again.
func Of(status int, kind Kind) Verdict {
	switch {
	case Success(status) && kind == HTML:
		return lost
	case Success(status):
		return done
	case status == http.StatusTemporaryRedirect, status == http.StatusPermanentRedirect:
		return refused
	case status == http.StatusTooManyRequests, status == http.StatusTooEarly:
		return comeBack
	case status == http.StatusRequestTimeout:
		return lost
	case 400 <= status && status < 500, status == http.StatusNotImplemented, status == http.StatusHTTPVersionNotSupported:
		return refused
	case temporary(status):
		return lost
	}
	return uncertain
}

// temporary tells whether a status of a server that has trouble may be another one soon. 520 to 524
// are of the proxies in front of the API.
func temporary(status int) bool {
	switch status {
	case http.StatusInternalServerError, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true
	}
	return 520 <= status && status <= 524
}

// ErrNotSent marks errors of requests that were never sent: errors.Is(err, ErrNotSent).
var ErrNotSent = errors.New("the request was not sent")

// An UnsentError is an error of a request of which nothing was sent. It is [ErrNotSent], and as
// temporary as what it wraps.
type UnsentError struct{ Err error }

func (e *UnsentError) Error() string   { return e.Err.Error() }
func (e *UnsentError) Unwrap() []error { return []error{e.Err, ErrNotSent} }

// OfError says what an error of a request without an answer means.
func OfError(err error) Verdict {
	if outer := (*url.Error)(nil); errors.As(err, &outer) {
		err = outer.Err // which says of every error that it is one of the network
	}
	dns := (*net.DNSError)(nil)
	unknownHost := errors.As(err, &dns) && dns.IsNotFound
	proxy, way := (*ProxyError)(nil), (*UnsentError)(nil)
	switch {
	case err == nil:
		return done
	case errors.As(err, &way):
		return Verdict{Effect: NotDone, Temporary: OfError(way.Err).Temporary}
	case errors.As(err, &proxy):
		return Verdict{Effect: NotDone, Temporary: temporary(proxy.Code)}
	case errors.Is(err, ErrNotSent):
		return unsent
	case isDial(err):
		return Verdict{Effect: NotDone, Temporary: !unknownHost && !isTLS(err) && !errors.Is(err, context.Canceled)}
	case isHandshake(err), unknownHost:
		return unsent
	case errors.Is(err, context.Canceled), isTLS(err):
		return uncertain
	case isNetwork(err):
		return lost
	}
	return uncertain
}

// isDial tells whether an error came before there was a connection.
func isDial(err error) bool {
	op := (*net.OpError)(nil)
	return errors.As(err, &op) && (op.Op == "dial" || op.Op == "proxyconnect")
}

// isNetwork tells an error of the network from one of the request.
func isNetwork(err error) bool {
	if known := net.Error(nil); errors.As(err, &known) { // those of the system, too
		return true
	}
	for _, target := range []error{io.EOF, io.ErrUnexpectedEOF, net.ErrClosed} {
		if errors.Is(err, target) {
			return true
		}
	}
	// net/http has no types for these.
	for _, text := range []string{"http2: ", "stream error: ", "connection error: ", "http: server closed idle connection", "connection broken"} {
		if strings.Contains(err.Error(), text) {
			return true
		}
	}
	return false
}

// isHandshake tells whether the two sides could not agree on a safe connection, so that nothing was
// sent.
func isHandshake(err error) bool {
	var (
		verification *tls.CertificateVerificationError
		record       tls.RecordHeaderError
		authority    x509.UnknownAuthorityError
		hostname     x509.HostnameError
		invalid      x509.CertificateInvalidError
	)
	return errors.As(err, &verification) || errors.As(err, &record) || errors.As(err, &authority) ||
		errors.As(err, &hostname) || errors.As(err, &invalid) || errors.Is(err, http.ErrSchemeMismatch)
}

// isTLS tells whether TLS failed. An alert can come at any time.
func isTLS(err error) bool {
	var alert tls.AlertError
	op := (*net.OpError)(nil)
	return isHandshake(err) || errors.As(err, &alert) ||
		errors.As(err, &op) && (op.Op == "remote error" || op.Op == "local error")
}
