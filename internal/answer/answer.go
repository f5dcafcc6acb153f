// Package answer says what an answer of a server means: what its body is, whether the request was
// carried out, when to come back, and what in it must not be shown.
//
// It is the one place that decides on a status, a content type or an error of the network. The
// packages for users have errors of their own, which are built on what is said here.
package answer

import (
	"bytes"
	"errors"
	"mime"
	"net/http"
	"strings"
)

// What an answer is, for [errors.Is]. Package api shows them to users.
var (
	ErrUnauthorized = errors.New("unauthorized")
	ErrForbidden    = errors.New("forbidden")
	ErrNotFound     = errors.New("not found")
	ErrConflict     = errors.New("conflict")
	ErrRateLimited  = errors.New("rate limited")
	ErrServer       = errors.New("server error")
	ErrNotJSON      = errors.New("not JSON")
)

// Is reports whether a status is what one of the errors above stands for.
func Is(status int, target error) bool {
	switch target {
	case ErrUnauthorized:
		return status == http.StatusUnauthorized
	case ErrForbidden:
		return status == http.StatusForbidden
	case ErrNotFound:
		return status == http.StatusNotFound
	case ErrConflict:
		return status == http.StatusConflict
	case ErrRateLimited:
		return status == http.StatusTooManyRequests
	case ErrServer:
		return status >= 500
	}
	return false
}

// Success reports whether a status says that the request was carried out.
func Success(status int) bool { return 200 <= status && status < 300 }

// Whole reports whether a status says that the body is all of what was asked for.
func Whole(status int) bool { return status == http.StatusOK }

// WithoutBody reports whether a status is that of a success whose body is empty.
func WithoutBody(status int) bool {
	return status == http.StatusNoContent || status == http.StatusResetContent
}

// Redirect reports whether a status leads elsewhere.
func Redirect(status int) bool { return 300 <= status && status < 400 }

// Switched reports whether a server goes on in another protocol.
func Switched(status int) bool { return status == http.StatusSwitchingProtocols }

// TurnsAway reports whether a status turns down whoever asks, whatever it is that they ask for.
func TurnsAway(status int) bool {
	return status == http.StatusUnauthorized || status == http.StatusForbidden || status == http.StatusGone
}

// TooLong reports whether a status finds the address of the request too long.
func TooLong(status int) bool { return status == http.StatusRequestURITooLong }

// BadContent reports whether a status turns a request down for what its body holds.
func BadContent(status int) bool {
	switch status {
	case http.StatusBadRequest, http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType, http.StatusUnprocessableEntity:
		return true
	}
	return false
}

// A Kind says what a body is.
type Kind uint8

// Kinds of bodies.
const (
	Empty Kind = iota
	JSON       // an object or a list, or what begins like one
	HTML       // a page for people: of a proxy, of a guard, of a hotel's network
	Text       // anything else
)

// KindOf tells what a body is. The body decides, because proxies give wrong types; a type of HTML is
// believed. JSON may begin with a byte order mark.
func KindOf(contentType string, body []byte) Kind {
	body = Trim(body)
	switch {
	case len(body) == 0:
		return Empty
	case isHTML(contentType), body[0] == '<':
		return HTML
	case body[0] == '{' || body[0] == '[':
		return JSON
	}
	return Text
}

func isHTML(contentType string) bool {
	if contentType == "application/json" { // as nearly always
		return false
	}
	mediaType, _, _ := mime.ParseMediaType(contentType)
	return mediaType == "text/html" || mediaType == "application/xhtml+xml"
}

// Trim takes white space and a byte order mark off the beginning of a body.
func Trim(body []byte) []byte {
	return bytes.TrimLeft(bytes.TrimPrefix(bytes.TrimLeft(body, " \t\r\n"), []byte("\xEF\xBB\xBF")), " \t\r\n")
}

// SiteKey returns the key of the captcha that an answer asks for in its header, empty if it asks for
// none.
func SiteKey(header http.Header) string { return header.Get("X-Captcha-Sitekey") }

// MayWantCaptcha reports whether an answer of this status may ask for a captcha: 403 today, 412 in
// the past.
func MayWantCaptcha(status int) bool {
	return status == http.StatusForbidden || status == http.StatusPreconditionFailed
}

// LooksLikeBan tells a 403 of the guard in front of the API from one of the API itself, which is
// JSON, or asks for a captcha.
func LooksLikeBan(status int, header http.Header) bool {
	return status == http.StatusForbidden && SiteKey(header) == "" && !strings.Contains(strings.ToLower(header.Get("Content-Type")), "json")
}
