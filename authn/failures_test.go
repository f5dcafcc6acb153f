package authn_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mangadex-go/mangadex/api"
	"github.com/mangadex-go/mangadex/authn"
)

const realmError = `{"error":%q,"error_description":"what the realm says"}`

// What happens to a renewal, and what the user is told. Except for the refusals nothing is lost.
var failures = []struct {
	name      string
	handler   http.HandlerFunc
	is        []error
	isNot     []error
	retryable bool
	refused   bool
	says      string
}{
	{name: "network error", handler: drop, is: []error{authn.ErrUnavailable}, isNot: []error{authn.ErrNotJSON}, retryable: true, says: "try again later"},
	{name: "429", handler: answerWith(429, "application/json", `{"result":"error","errors":[]}`), is: []error{authn.ErrUnavailable, api.ErrRateLimited}, isNot: []error{api.ErrServer, authn.ErrNotJSON}, retryable: true, says: "429"},
	{name: "500", handler: answerWith(500, "application/json", `{"error":"unknown_error"}`), is: []error{authn.ErrUnavailable, api.ErrServer}, isNot: []error{authn.ErrNotJSON}, retryable: true, says: "500"},
	{name: "502 with HTML", handler: answerWith(502, "text/html", "<html><h1>502 Bad Gateway</h1>"), is: []error{authn.ErrUnavailable, api.ErrServer, authn.ErrNotJSON}, retryable: true, says: "502 Bad Gateway</h1>"},
	{name: "503 of the API", handler: func(w http.ResponseWriter, _ *http.Request) {
		apiError(w, 503, "service_unavailable_http_exception", "maintenance until noon")
	}, is: []error{authn.ErrUnavailable, api.ErrServer}, retryable: true, says: "maintenance until noon"},
	{name: "empty 200", handler: answerWith(200, "application/json", ""), is: []error{authn.ErrNotJSON}, isNot: []error{authn.ErrUnavailable}, retryable: true, says: "an empty answer"},
	{name: "HTML 200", handler: answerWith(200, "text/html", "<html>log in to this wireless network"), is: []error{authn.ErrNotJSON}, isNot: []error{authn.ErrUnavailable}, retryable: true, says: "wireless network"},
	{name: "truncated JSON", handler: answerWith(200, "application/json", `{"access_token":"eyJhbGciOiJSUzI1NiIsInR5cCIgOiAiSldUIn0`), is: []error{authn.ErrNotJSON}, retryable: true, says: "damaged or cut off"},
	{name: "connection lost in the body", handler: func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "1000")
		_, _ = io.WriteString(w, `{"access_token":"eyJ`)
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	}, is: []error{authn.ErrUnavailable, io.ErrUnexpectedEOF}, retryable: true, says: "try again"},
	{name: "form", handler: answerWith(200, "text/plain", "access_token=eyJhbGciOiJSUzI1NiIsInR5cCIgOiAiSldUIn0&refresh_token=x"), is: []error{authn.ErrNotJSON}, retryable: true},
	{name: "JSON of something else", handler: answerWith(200, "application/json", `{"hello":"world"}`), isNot: []error{authn.ErrNotJSON, authn.ErrUnavailable}, retryable: true, says: "without a usable token"},
	{name: "array", handler: answerWith(200, "application/json", `[]`), retryable: true},
	{name: "types of another world", handler: answerWith(200, "application/json", `{"access_token":{"a":1},"token":[1]}`), retryable: true},
	{name: "token with a line break", handler: answerWith(200, "application/json", `{"access_token":"a\nb","token":{"session":"a\nb"}}`), retryable: true},
	{name: "endless", handler: func(w http.ResponseWriter, _ *http.Request) {
		chunk := strings.Repeat("a", 1<<16)
		for _, err := io.WriteString(w, `{"access_token":"`); err == nil; {
			_, err = io.WriteString(w, chunk)
		}
	}, is: []error{authn.ErrUnavailable}, retryable: true, says: "longer than"},
	{name: "redirect", handler: func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Location", "https://auth.mangadex.example/token")
		w.WriteHeader(307)
	}, isNot: []error{authn.ErrUnavailable}, says: "redirects"},
	{name: "403 of a guard", handler: answerWith(403, "text/html", "<html>blocked"), is: []error{api.ErrForbidden, authn.ErrNotJSON}, isNot: []error{authn.ErrUnauthorized}, says: "blocked"},
	{name: "404 of the API", handler: func(w http.ResponseWriter, _ *http.Request) { apiError(w, 404, "not_found_http_exception", "no route") }, isNot: []error{authn.ErrUnavailable, authn.ErrNotJSON}, says: "no such endpoint (404 Not Found: no route); check the address"},
	{name: "404", handler: answerWith(404, "text/plain", "no such thing"), is: []error{authn.ErrNotJSON}, says: "no such thing"},
}

// Those of OAuth2 alone.
type realmFailure struct {
	code      string
	status    int
	is        []error
	isNot     []error
	retryable bool
	refused   bool
}

var realmFailures = []realmFailure{
	{"invalid_grant", 400, []error{authn.ErrRefreshTokenRefused, authn.ErrUnauthorized}, []error{authn.ErrWrongPassword, authn.ErrClientRefused}, false, true},
	{"invalid_grant", 401, []error{authn.ErrRefreshTokenRefused}, nil, false, true},
	{"invalid_grant", 200, []error{authn.ErrRefreshTokenRefused}, nil, false, true},
	{"invalid_client", 401, []error{authn.ErrClientRefused, authn.ErrUnauthorized}, []error{authn.ErrRefreshTokenRefused, authn.ErrUnavailable}, false, false},
	{"unauthorized_client", 400, []error{authn.ErrClientRefused}, []error{authn.ErrRefreshTokenRefused}, false, false},
	{"temporarily_unavailable", 400, []error{authn.ErrUnavailable}, []error{authn.ErrRefreshTokenRefused}, true, false},
	{"something_new", 418, nil, []error{authn.ErrRefreshTokenRefused, authn.ErrUnavailable}, false, false},
	{"something_new", 503, []error{authn.ErrUnavailable, api.ErrServer}, nil, true, false},
}

func TestFailuresOfARenewal(t *testing.T) {
	t.Parallel()
	for _, legacy := range []bool{false, true} {
		for _, failure := range failures {
			t.Run(fmt.Sprintf("%s/legacy=%v", failure.name, legacy), func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					f := newFake()
					err := failAndRecover(t, f, f.pipe(t), legacy, failure.handler)
					mustBe(t, err, failure.is, failure.isNot)
					var tokenErr *authn.TokenError
					if !errors.As(err, &tokenErr) || tokenErr.Operation != "refresh" || tokenErr.Retryable != failure.retryable {
						t.Errorf("got %#v", err)
					}
					if !strings.Contains(err.Error(), failure.says) || strings.Contains(err.Error(), "eyJ") || strings.ContainsAny(err.Error(), "\n\t") {
						t.Errorf("the error says %q", err)
					}
				})
			})
		}
	}
}

// Calls wait half a minute for an answer. The session waits longer, because it may be the only one
// that has the new refresh token; after two minutes it asks again.
func TestRenewalTimesOut(t *testing.T) {
	t.Parallel()
	for _, legacy := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			f := newFake()
			w := f.inMemory()
			start := time.Now()
			err := failAndRecover(t, f, w, legacy, f.after(time.Hour))
			if waited := time.Since(start); waited != 30*time.Second+longestExchange {
				t.Errorf("waited %v", waited)
			}
			var tokenErr *authn.TokenError
			if !errors.Is(err, authn.ErrUnavailable) || !errors.Is(err, context.DeadlineExceeded) || !errors.As(err, &tokenErr) || !tokenErr.Retryable {
				t.Errorf("got %v, want ErrUnavailable and DeadlineExceeded", err)
			}
		})
	}
}

// An auth server that asks for patience gets it: whatever the program calls meanwhile, it is asked
// once, and again when the time has come.
func TestServerWantsToBeLeftAlone(t *testing.T) {
	t.Parallel()
	const wait = 90 * time.Second
	for name, test := range map[string]struct {
		status int
		header string
		value  func() string
	}{
		"seconds":   {429, "Retry-After", func() string { return "90" }},
		"date":      {503, "Retry-After", func() string { return time.Now().Add(wait).UTC().Format(http.TimeFormat) }},
		"unix time": {429, "X-RateLimit-Retry-After", func() string { return fmt.Sprint(time.Now().Add(wait).Unix()) }},
	} {
		for _, legacy := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/legacy=%v", name, legacy), func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					f := newFake()
					w := f.inMemory()
					protocol, endpoint := w.protocol(legacy)
					s := w.loggedIn(t, protocol, w.withPassword())
					c := w.use(t, s)
					w.revokeAccess()
					f.fail(endpoint, func(rw http.ResponseWriter, _ *http.Request) {
						rw.Header().Set(test.header, test.value())
						apiError(rw, test.status, "too_many_requests", "slowly")
					})
					if err := c.FollowManga(t.Context(), w.manga); err == nil {
						t.Fatal("the call succeeds")
					}
					time.Sleep(wait / 2)
					before := len(w.requests())
					for range 10 {
						err := c.FollowManga(t.Context(), w.manga)
						var tokenErr *authn.TokenError
						if !errors.As(err, &tokenErr) || tokenErr.RetryAfter != wait/2 || !errors.Is(err, authn.ErrUnavailable) || !strings.Contains(err.Error(), "try again in 45s") {
							t.Fatalf("got %v", err)
						}
					}
					if n := len(w.requests()) - before; n != 0 {
						t.Errorf("%d requests before the time has come", n)
					}
					if left := w.logins(); left != 1 {
						t.Errorf("%d logins", left)
					}
					time.Sleep(wait / 2)
					if err := c.FollowManga(t.Context(), w.manga); err != nil {
						t.Errorf("when the time has come: %v", err)
					}
				})
			})
		}
	}
}

// A refusal that uses up the allowance: what has not been sent is not refused, and not dropped.
func TestRefusalWithNothingLeft(t *testing.T) {
	t.Parallel()
	const wait = time.Minute
	refuse := func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-RateLimit-Remaining", "0")
		w.Header().Set("Retry-After", "60")
		sendJSON(w, 401, `{"error":"invalid_grant"}`)
	}
	for _, legacy := range []bool{false, true} {
		for name, test := range map[string]struct {
			first, next string // operations
			login       bool   // by hand
			refused     error
		}{
			"another password":        {first: "login", next: "login", login: true, refused: authn.ErrWrongPassword},
			"another refresh token":   {first: "refresh", next: "refresh", refused: authn.ErrRefreshTokenRefused},
			"a password for a change": {first: "refresh", next: "login", refused: authn.ErrRefreshTokenRefused},
		} {
			t.Run(fmt.Sprintf("%s/legacy=%v", name, legacy), func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					f := newFake()
					w := f.inMemory()
					protocol, endpoint := w.protocol(legacy)
					if legacy && test.first == "login" {
						endpoint = "POST /auth/login"
					}
					f.fail(endpoint, refuse)
					options := []authn.Option{protocol}
					if test.first == "refresh" {
						options = append(options, authn.WithStore(storeWith(t, authn.Token{RefreshToken: "of long ago"})))
					}
					switch {
					case test.login:
					case test.next == "refresh":
						options = append(options, authn.WithRefreshToken(f.seed()))
					default:
						options = append(options, w.withPassword())
					}
					s := w.session(t, options...)
					ask := s.Login
					if test.login {
						if err := s.LoginWith(t.Context(), username, "not the password"); !errors.Is(err, test.refused) {
							t.Fatalf("got %v, want %v", err, test.refused)
						}
						ask = func(ctx context.Context) error { return s.LoginWith(ctx, username, password) }
					}
					err := ask(t.Context())
					mustBe(t, err, []error{authn.ErrUnavailable}, []error{test.refused, authn.ErrUnauthorized})
					var tokenErr *authn.TokenError
					if !errors.As(err, &tokenErr) || tokenErr.Operation != test.next || tokenErr.RetryAfter != wait || !tokenErr.Retryable {
						t.Errorf("got %#v", err)
					}
					if n := len(w.requests()); n != 1 {
						t.Errorf("%d requests, want the one that was refused", n)
					}
					time.Sleep(wait)
					if err := ask(t.Context()); err != nil {
						t.Errorf("when the time has come: %v", err)
					}
				})
			})
		}
	}
}

// longestExchange is longer than a renewal takes at the most, and than the first pause.
const longestExchange = 2*time.Minute + time.Second

// failAndRecover has a renewal fail, and checks that it succeeds afterwards without a login, but not
// at once. It belongs into a bubble.
func failAndRecover(t *testing.T, f *fake, w *world, legacy bool, handler http.HandlerFunc) error {
	t.Helper()
	protocol, endpoint := w.protocol(legacy)
	store := authn.NewMemoryStore()
	s := w.loggedIn(t, protocol, w.withPassword(), authn.WithStore(store))
	c := w.use(t, s)
	kept, logins := s.RefreshToken(), w.logins()
	f.fail(endpoint, handler)
	w.revokeAccess()
	err := c.FollowManga(t.Context(), w.manga)
	if err == nil {
		t.Fatal("the call succeeds")
	}
	mustHold(t, s, store, kept)
	if s.Anonymous() {
		t.Error("the session is anonymous")
	}
	before := len(w.requests())
	if again := c.FollowManga(t.Context(), w.manga); again == nil || len(w.requests()) != before {
		t.Errorf("at once: %v after %d requests, want the error without a request", again, len(w.requests())-before)
	}
	if _, err := c.SearchManga(t.Context(), nil); err != nil {
		t.Errorf("what is public does not work: %v", err)
	}
	if _, err := c.GetManga(t.Context(), w.manga, nil); err != nil {
		t.Errorf("what can do without a token does not work: %v", err)
	}
	time.Sleep(longestExchange)
	if err := c.FollowManga(t.Context(), w.manga); err != nil {
		t.Errorf("after the recovery: %v", err)
	}
	if n := w.logins() - logins; n != 0 {
		t.Errorf("%d logins", n)
	}
	return err
}

func TestFailuresOfTheRealm(t *testing.T) {
	t.Parallel()
	for _, failure := range realmFailures {
		t.Run(fmt.Sprintf("%s %d", failure.code, failure.status), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) { testFailureOfTheRealm(t, failure) })
		})
	}
}

func testFailureOfTheRealm(t *testing.T, failure realmFailure) {
	f := newFake()
	w := f.inMemory()
	handler := answerWith(failure.status, "application/json", fmt.Sprintf(realmError, failure.code))
	var err error
	if !failure.refused {
		err = failAndRecover(t, f, w, false, handler)
	} else {
		store := authn.NewMemoryStore()
		s := w.loggedIn(t, w.personal(), authn.WithRefreshToken(f.seed()), authn.WithStore(store))
		f.fail(tokenPath, handler, handler)
		w.revokeAccess()
		kept := s.RefreshToken()
		_, err = s.User(t.Context())
		mustHold(t, s, store, kept) // it is looked at twice
		time.Sleep(time.Second)
		_, again := s.User(t.Context())
		mustBe(t, again, failure.is, failure.isNot)
		mustHoldNothing(t, s, store)
		before := len(w.requests())
		if _, err := s.User(t.Context()); !errors.Is(err, authn.ErrRefreshTokenRefused) {
			t.Errorf("the second call: %v", err)
		}
		if n := len(w.requests()) - before; n != 0 {
			t.Errorf("%d requests though nothing is left to send", n)
		}
	}
	mustBe(t, err, failure.is, failure.isNot)
	var tokenErr *authn.TokenError
	if !errors.As(err, &tokenErr) || tokenErr.Code != failure.code || tokenErr.Description != "what the realm says" || tokenErr.Retryable != failure.retryable || tokenErr.StatusCode != failure.status {
		t.Errorf("got %#v", err)
	}
	if !strings.Contains(err.Error(), failure.code+": what the realm says") {
		t.Errorf("the error says %q", err)
	}
}

func TestRefusedLogins(t *testing.T) {
	t.Parallel()
	w := newFake().inMemory()
	for _, test := range []struct {
		name     string
		protocol authn.Option
		password string
		is       error
		code     string
		says     string
	}{
		{"wrong password", w.personal(), "not the password", authn.ErrWrongPassword, "invalid_grant", "check them"},
		{"wrong password, session endpoints", authn.Options(), "not the password", authn.ErrWrongPassword, "", "User / Password does not match"},
		{"wrong client", authn.WithPersonalClient(clientID, "not the secret"), password, authn.ErrClientRefused, "unauthorized_client", "id and secret"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := w.session(t, test.protocol)
			err := s.LoginWith(t.Context(), username, test.password)
			var tokenErr *authn.TokenError
			if !errors.As(err, &tokenErr) || !errors.Is(err, test.is) || tokenErr.Code != test.code || tokenErr.Operation != "login" || tokenErr.Retryable || !errors.Is(err, authn.ErrUnauthorized) {
				t.Errorf("got %#v", err)
			}
			others := []error{authn.ErrWrongPassword, authn.ErrClientRefused, authn.ErrRefreshTokenRefused, authn.ErrUnavailable, authn.ErrNotJSON}
			mustBe(t, err, nil, slices.DeleteFunc(others, func(other error) bool { return other == test.is }))
			if !strings.Contains(err.Error(), test.says) {
				t.Errorf("the error says %q", err)
			}
		})
	}
}

// A refused client is a mistake of configuration: it must not cost the refresh token.
func TestRefusedClientKeepsRefreshToken(t *testing.T) {
	t.Parallel()
	f := newFake()
	w := f.inMemory()
	seed := f.seed()
	store := storeWith(t, authn.Token{RefreshToken: seed})
	s := w.session(t, authn.WithPersonalClient(clientID, "not the secret"), authn.WithStore(store))
	if _, err := s.User(t.Context()); !errors.Is(err, authn.ErrClientRefused) {
		t.Errorf("got %v", err)
	}
	mustHold(t, s, store, seed)
}

func TestCaptchaAtLogin(t *testing.T) {
	t.Parallel()
	f := newFake()
	w := f.inMemory()
	s := w.session(t)
	f.fail("POST /auth/login", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-Captcha-Sitekey", "00000000-0000-4000-8000-0000000000cc")
		apiError(w, 403, "captcha_required_exception", "")
	})
	err := s.LoginWith(t.Context(), username, password)
	var captcha *api.CaptchaError
	if !errors.As(err, &captcha) || captcha.SiteKey != "00000000-0000-4000-8000-0000000000cc" || !errors.Is(err, api.ErrCaptchaRequired) || !strings.Contains(err.Error(), "captcha to be solved") {
		t.Errorf("got %v", err)
	}
}

func TestAnswerWithoutRefreshTokenKeepsTheOld(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFake()
		f.rotate, f.silent = false, true
		w := f.inMemory()
		seed := f.seed()
		store := authn.NewMemoryStore()
		s := w.session(t, w.personal(), authn.WithRefreshToken(seed), authn.WithStore(store))
		for range 3 {
			token, err := s.Token(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if token.RefreshToken != seed {
				t.Error("the refresh token is lost")
			}
			mustHold(t, s, store, seed)
			time.Sleep(20 * time.Minute)
		}
	})
}
