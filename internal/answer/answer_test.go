package answer_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"testing/iotest"

	"github.com/mangadex-go/mangadex/internal/answer"
)

func TestKindOf(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		contentType, body string
		want              answer.Kind
	}{
		{"application/json", `{"a":1}`, answer.JSON},
		{"application/json; charset=utf-8", ` [1]`, answer.JSON},
		{"", `{}`, answer.JSON},
		{"text/plain", `{}`, answer.JSON},
		{"application/problem+json", "\xEF\xBB\xBF\n{}", answer.JSON},
		{"nonsense;;", `{}`, answer.JSON},
		{"text/html; charset=utf-8", `{}`, answer.HTML},
		{"TEXT/HTML", `busy`, answer.HTML},
		{"application/json", "  <!DOCTYPE html>", answer.HTML},
		{"text/plain", "pong", answer.Text},
		{"application/json", " \r\n", answer.Empty},
		{"application/json", "\xEF\xBB\xBF", answer.Empty},
		{"text/html", "", answer.Empty},
	} {
		if got := answer.KindOf(test.contentType, []byte(test.body)); got != test.want {
			t.Errorf("%q %q: %v, want %v", test.contentType, test.body, got, test.want)
		}
	}
}

func TestOf(t *testing.T) {
	t.Parallel()
	done := answer.Verdict{Effect: answer.Done}
	refused := answer.Verdict{Effect: answer.NotDone, Refused: true}
	comeBack := answer.Verdict{Effect: answer.NotDone, Temporary: true}
	lost := answer.Verdict{Effect: answer.MayBeDone, Temporary: true}
	uncertain := answer.Verdict{Effect: answer.MayBeDone}
	for status, want := range map[int]answer.Verdict{
		200: done, 201: done, 204: done, 206: done,
		101: uncertain, 301: uncertain, 302: uncertain, 303: uncertain, 304: uncertain, 307: refused, 308: refused,
		400: refused, 401: refused, 403: refused, 404: refused, 409: refused, 412: refused, 413: refused, 422: refused, 451: refused,
		408: lost, 425: comeBack, 429: comeBack,
		500: lost, 502: lost, 503: lost, 504: lost, 520: lost, 524: lost, 501: refused, 505: refused, 525: uncertain, 599: uncertain, 999: uncertain,
	} {
		if got := answer.Of(status, answer.JSON); got != want {
			t.Errorf("%d: %+v, want %+v", status, got, want)
		}
	}
	if got := answer.Of(200, answer.HTML); got != lost {
		t.Errorf("a page with 200: %+v, want %+v", got, lost)
	}
}

func TestOfError(t *testing.T) {
	t.Parallel()
	dial := func(err error) error {
		return &url.Error{Op: "Get", URL: "https://x.test", Err: &net.OpError{Op: "dial", Net: "tcp", Err: err}}
	}
	read := func(err error) error {
		return &url.Error{Op: "Post", URL: "https://x.test", Err: &net.OpError{Op: "read", Net: "tcp", Err: err}}
	}
	comeBack := answer.Verdict{Effect: answer.NotDone, Temporary: true}
	unsent := answer.Verdict{Effect: answer.NotDone}
	lost := answer.Verdict{Effect: answer.MayBeDone, Temporary: true}
	uncertain := answer.Verdict{Effect: answer.MayBeDone}
	for name, test := range map[string]struct {
		err  error
		want answer.Verdict
	}{
		"refused connection":    {dial(syscall.ECONNREFUSED), comeBack},
		"dial that timed out":   {dial(context.DeadlineExceeded), comeBack},
		"cancelled dial":        {dial(context.Canceled), unsent},
		"proxy away":            {&net.OpError{Op: "proxyconnect", Err: syscall.ECONNREFUSED}, comeBack},
		"no such host":          {dial(&net.DNSError{IsNotFound: true}), unsent},
		"name server away":      {dial(&net.DNSError{IsTimeout: true}), comeBack},
		"unknown authority":     {fmt.Errorf("x: %w", x509.UnknownAuthorityError{}), unsent},
		"bad certificate":       {&tls.CertificateVerificationError{Err: errors.New("x")}, unsent},
		"alert":                 {read(tls.AlertError(40)), uncertain},
		"reset":                 {read(syscall.ECONNRESET), lost},
		"end of file":           {fmt.Errorf("x: %w", io.EOF), lost},
		"half an answer":        {io.ErrUnexpectedEOF, lost},
		"server closed":         {errors.New("http: server closed idle connection"), lost},
		"stream error":          {errors.New("stream error: stream ID 5; INTERNAL_ERROR"), lost},
		"deadline":              {fmt.Errorf("x: %w", context.DeadlineExceeded), lost},
		"cancelled":             {fmt.Errorf("x: %w", context.Canceled), uncertain},
		"something else":        {errors.New("something else"), uncertain},
		"not sent by our limit": {fmt.Errorf("x: %w", answer.ErrNotSent), unsent},
		"nothing":               {nil, answer.Verdict{Effect: answer.Done}},
	} {
		if got := answer.OfError(test.err); got != test.want {
			t.Errorf("%s: %+v, want %+v", name, got, test.want)
		}
	}
}

// response is an answer with a body that counts how often it is closed.
func response(body io.Reader, length int64) (*http.Response, *int) {
	closed := new(int)
	return &http.Response{StatusCode: 200, Body: closeCounter{body, closed}, ContentLength: length}, closed
}

type closeCounter struct {
	io.Reader
	closed *int
}

func (c closeCounter) Close() error {
	*c.closed++
	return nil
}

func TestHoldAndRead(t *testing.T) {
	t.Parallel()
	broken := io.MultiReader(strings.NewReader("01234"), iotest.ErrReader(syscall.ECONNRESET))
	for name, test := range map[string]struct {
		body   func() io.Reader
		length int64
		hold   int64
		limit  int64
		want   string
		bad    string
		cut    bool
	}{
		"short":                  {func() io.Reader { return strings.NewReader("0123456789") }, 10, 100, 100, "0123456789", "", false},
		"of unknown length":      {func() io.Reader { return strings.NewReader("0123456789") }, -1, 100, 100, "0123456789", "", false},
		"longer than is held":    {func() io.Reader { return strings.NewReader("0123456789") }, -1, 4, 100, "0123456789", "", false},
		"longer than is allowed": {func() io.Reader { return strings.NewReader("0123456789") }, -1, 100, 4, "0123", "longer than", false},
		"longer than both":       {func() io.Reader { return strings.NewReader("0123456789") }, -1, 6, 4, "0123", "longer than", false},
		"cut off":                {func() io.Reader { return broken }, -1, 100, 100, "01234", "cut off", true},
		"shorter than promised":  {func() io.Reader { return strings.NewReader("01234") }, 10, 100, 100, "01234", "cut off", true},
		"empty":                  {func() io.Reader { return strings.NewReader("") }, 0, 100, 100, "", "", false},
	} {
		for _, way := range []string{"held", "read"} {
			if name == "cut off" {
				broken = io.MultiReader(strings.NewReader("01234"), iotest.ErrReader(syscall.ECONNRESET))
			}
			resp, closed := response(test.body(), test.length)
			if way == "held" {
				if cut := answer.Hold(resp, test.hold); cut != test.cut {
					t.Errorf("%s: cut %t, want %t", name, cut, test.cut)
				}
			}
			body, err := answer.Read(resp, test.limit)
			if got := string(body.Bytes()); got != test.want {
				t.Errorf("%s, %s: %q, want %q", name, way, got, test.want)
			}
			if (err == nil) != (test.bad == "") || err != nil && !strings.Contains(err.Error(), test.bad) {
				t.Errorf("%s, %s: error %v, want %q", name, way, err, test.bad)
			}
			if err := errors.Join(body.Close(), body.Close()); err != nil || *closed != 1 || body.Bytes() != nil {
				t.Errorf("%s, %s: closed %d times, %v", name, way, *closed, err)
			}
			if _, err := body.Read(make([]byte, 1)); err == nil {
				t.Errorf("%s, %s: it can be read after Close", name, way)
			}
		}
	}
}

// What is held reads like the body that it was read from, also where somebody has wrapped it.
func TestHeldBodyIsABody(t *testing.T) {
	t.Parallel()
	resp, _ := response(strings.NewReader("0123456789"), -1)
	answer.Hold(resp, 4)
	resp.Body = struct{ io.ReadCloser }{resp.Body}
	body, err := answer.Read(resp, 100)
	if err != nil || string(body.Bytes()) != "0123456789" {
		t.Errorf("%q, %v", body.Bytes(), err)
	}
	resp, _ = response(strings.NewReader("0123456789"), -1)
	answer.Hold(resp, 100)
	if err := iotest.TestReader(resp.Body, []byte("0123456789")); err != nil {
		t.Error(err)
	}
}

func TestScrub(t *testing.T) {
	t.Parallel()
	const secret = "pä/ss&w\"ord\n😀<1>"
	for _, said := range []string{
		secret, "p%C3%A4%2Fss%26w%22ord%0A%F0%9F%98%80%3C1%3E", "pä/ss&amp;w&#34;ord\n😀&lt;1&gt;",
		`pä/ss\u0026w\"ord\n😀\u003c1\u003e`,        // Go
		`p\u00e4\/ss&w\"ord\n\ud83d\ude00<1>`,      // PHP
		`pä\/ss\u0026w\"ord\n😀\u003c1\u003e`,       // slashes, too
		strings.Repeat("x", 40) + "." + "abcDEF-_", // looks like a token
	} {
		if got := answer.Scrub("it said "+said+".", secret); strings.Contains(got, "ss") || strings.Contains(got, "xxx") || !strings.Contains(got, answer.Redacted) {
			t.Errorf("%q: %q", said, got)
		}
	}
	if got := answer.Scrub("nothing here", ""); got != "nothing here" {
		t.Error(got)
	}
}

// TestTokenLike compares what is taken for a token with the pattern that says what is one.
func TestTokenLike(t *testing.T) {
	t.Parallel()
	pattern := regexp.MustCompile(`[A-Za-z0-9_~+/=.%-]{32,}`)
	random := rand.New(rand.NewPCG(1, 2))
	found := 0
	for range 2000 {
		var b strings.Builder
		for range random.IntN(5) {
			for range random.IntN(36) {
				b.WriteByte("AZaz09_~+/=.%-"[random.IntN(14)])
			}
			b.WriteString([]string{"", " ", "é", "\"", "@[`{", "\x00\xff"}[random.IntN(6)])
		}
		want := pattern.ReplaceAllString(b.String(), answer.Redacted)
		if got := answer.Scrub(b.String()); got != want {
			t.Fatalf("%q: %q, want %q", b.String(), got, want)
		}
		if want != b.String() {
			found++
		}
	}
	if found < 100 {
		t.Errorf("%d of the texts have a token", found)
	}
}

func TestTexts(t *testing.T) {
	t.Parallel()
	if got := answer.OneLine(" a\n\tb\x1b[31mc\u202Ed\xff "); got != "a b [31mc d\uFFFD" {
		t.Errorf("%q", got)
	}
	for n, want := range map[int]string{0: "…", 1: "…", 2: "ä…", 3: "äb"} {
		if got := answer.Shorten("äb", n); got != want {
			t.Errorf("%d: %q, want %q", n, got, want)
		}
	}
	if got := answer.Excerpt([]byte("<html>\n\x00 hi")); got != `"<html> hi"` {
		t.Error(got)
	}
}
