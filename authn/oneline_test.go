package authn_test

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"unicode"

	"github.com/mangadex-go/mangadex/authn"
)

type network func(*http.Request) (*http.Response, error)

func (f network) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// TestErrorOnOneLine prints what a proxy, or a server that is not the right one, says without what
// could draw on a terminal.
func TestErrorOnOneLine(t *testing.T) {
	t.Parallel()
	for name, answer := range map[string]network{
		"no answer": func(*http.Request) (*http.Response, error) { return nil, errors.New("\x1b[2Jpay\n\u202eattention\a") },
		"code": func(*http.Request) (*http.Response, error) {
			return &http.Response{
				StatusCode: http.StatusBadRequest, Header: http.Header{"Content-Type": {"application/json"}},
				Body: io.NopCloser(strings.NewReader(`{"error": "\u001b[2Jpay", "error_description": "\u202eattention\n\u0007"}`)),
			}, nil
		},
	} {
		session, err := authn.New(authn.WithHTTPClient(&http.Client{Transport: answer}),
			authn.WithPersonalClient("id", "secret"), authn.WithPassword("reader", "password"))
		if err != nil {
			t.Fatal(err)
		}
		err = session.Login(t.Context())
		if err == nil || !strings.Contains(err.Error(), "attention") {
			t.Fatalf("%s: the error is %v", name, err)
		}
		if text := err.Error(); strings.ContainsFunc(text, func(r rune) bool { return unicode.In(r, unicode.Cc, unicode.Bidi_Control) }) {
			t.Errorf("%s: %q can draw on a terminal", name, text)
		}
		session.Close()
	}
}
