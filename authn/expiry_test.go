package authn_test

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mangadex-go/mangadex/authn"
)

// jwt is a token that says when it expires.
func jwt(exp any) string {
	encode := func(text string) string { return base64.RawURLEncoding.EncodeToString([]byte(text)) }
	return encode(`{"alg":"none"}`) + "." + encode(fmt.Sprintf(`{"exp":%v}`, exp)) + ".signature"
}

// When a token expires: by expires_in, otherwise by its exp against the Date of the answer,
// otherwise after 15 minutes.
func TestExpiry(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 5, 7, 12, 0, 0, 0, time.UTC)
	for name, test := range map[string]struct {
		expiresIn string // JSON; empty for none
		token     string
		date      time.Time // of the server; zero for none
		delay     time.Duration
		want      time.Duration // after the request was sent
	}{
		"expires_in":                    {"900", "opaque", at, 0, 900 * time.Second},
		"expires_in, slow answer":       {"900", "opaque", at, 10 * time.Second, 900 * time.Second},
		"expires_in, wrong clock":       {"900", jwt(at.Add(time.Hour).Unix()), at.Add(-time.Hour), 0, 900 * time.Second},
		"expires_in as a string":        {`"900"`, "opaque", at, 0, 900 * time.Second},
		"expires_in of a year and more": {"99999999999", "opaque", at, 0, 365 * 24 * time.Hour},
		"exp":                           {"", jwt(at.Add(600 * time.Second).Unix()), at, 0, 600 * time.Second},
		"exp, server ahead":             {"", jwt(at.Add(time.Hour + 600*time.Second).Unix()), at.Add(time.Hour), 0, 600 * time.Second},
		"exp, server behind":            {"", jwt(at.Add(-time.Hour + 600*time.Second).Unix()), at.Add(-time.Hour), 0, 600 * time.Second},
		"exp, no Date":                  {"", jwt(at.Add(600 * time.Second).Unix()), time.Time{}, 0, 600 * time.Second},
		"exp with a fraction":           {"", jwt(fmt.Sprintf("%d.5", at.Add(600*time.Second).Unix())), at, 0, 600*time.Second + 500*time.Millisecond},
		"exp in the past":               {"", jwt(at.Add(-time.Hour).Unix()), at, 0, 15 * time.Minute},
		"exp of another kind":           {"", jwt(`"soon"`), at, 0, 15 * time.Minute},
		"exp beyond all bounds":         {"", jwt("1e300"), at, 0, 365 * 24 * time.Hour},
		"no exp":                        {"", "opaque", at, 0, 15 * time.Minute},
		"three parts that are no JWT":   {"", "a.b.c", at, 0, 15 * time.Minute},
		"expires_in of zero":            {"0", "opaque", at, 0, 15 * time.Minute},
		"expires_in below zero":         {"-1", "opaque", at, 0, 15 * time.Minute},
		"expires_in far below zero":     {"-99999999999", "opaque", at, 0, 15 * time.Minute},
	} {
		for _, legacy := range []bool{false, true} {
			if legacy && test.expiresIn != "" {
				continue
			}
			t.Run(fmt.Sprintf("%s/legacy=%v", name, legacy), func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					time.Sleep(time.Until(at))
					f := newFake()
					w := f.inMemory()
					body := fmt.Sprintf(`{"access_token":%q,"refresh_token":"r","expires_in":%s}`, test.token, test.expiresIn)
					if test.expiresIn == "" {
						body = fmt.Sprintf(`{"access_token":%q,"refresh_token":"r","token":{"session":%q,"refresh":"r"}}`, test.token, test.token)
					}
					answer := func(rw http.ResponseWriter, _ *http.Request) {
						time.Sleep(test.delay)
						if !test.date.IsZero() {
							rw.Header().Set("Date", test.date.Format(http.TimeFormat))
						}
						sendJSON(rw, 200, body)
					}
					protocol, endpoint := w.protocol(legacy)
					f.fail(endpoint, answer)
					s := w.session(t, protocol, authn.WithoutCheck(), authn.WithRefreshToken("seed"))
					token, err := s.Token(t.Context())
					if err != nil {
						t.Fatal(err)
					}
					if got := token.Expiry.Sub(at); got != test.want {
						t.Errorf("expires after %v, want %v", got, test.want)
					}
				})
			})
		}
	}
}

// A server whose expires_in is wrong: too long, and the API refuses the token before; too short, and
// it is renewed before it would have to be. Calls succeed all the time.
func TestWrongLifetimes(t *testing.T) {
	t.Parallel()
	for _, skew := range []time.Duration{-14 * time.Minute, -5 * time.Minute, 0, 5 * time.Minute, 24 * time.Hour} {
		t.Run(skew.String(), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				f := newFake()
				f.skew = skew
				w := f.inMemory()
				s := w.session(t, w.personal(), authn.WithRefreshToken(f.seed()))
				c := w.use(t, s)
				for range 240 {
					w.mustFollow(t, c)
					time.Sleep(time.Minute)
				}
				if n := w.refreshes(); n < 240/16 || n > 240+1 {
					t.Errorf("%d renewals in four hours", n)
				}
			})
		})
	}
}
