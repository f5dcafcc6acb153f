package api_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"path"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/mangadex-go/mangadex/api"
)

var sentinels = map[string]error{
	"ErrUnauthorized": api.ErrUnauthorized, "ErrForbidden": api.ErrForbidden, "ErrNotFound": api.ErrNotFound, "ErrConflict": api.ErrConflict,
	"ErrRateLimited": api.ErrRateLimited, "ErrCaptchaRequired": api.ErrCaptchaRequired, "ErrServer": api.ErrServer, "ErrNotJSON": api.ErrNotJSON,
}

// is checks that an error matches these sentinels and no others.
func is(t *testing.T, err error, names ...string) {
	t.Helper()
	want := strings.Join(names, " ")
	for name, sentinel := range sentinels {
		if errors.Is(err, sentinel) != (name != "" && strings.Contains(" "+want+" ", " "+name+" ")) {
			t.Errorf("%v: errors.Is(%s) is %v", err, name, errors.Is(err, sentinel))
		}
	}
}

// one checks that an error is one line that can be put into a log.
func one(t *testing.T, err error) {
	t.Helper()
	text := err.Error()
	if !utf8.ValidString(text) || len(text) > 2000 {
		t.Errorf("%d bytes, %q", len(text), text[:min(len(text), 200)])
	}
	for _, r := range text {
		if unicode.IsControl(r) || r == '\u2028' || r == '\u2029' {
			t.Errorf("%q is in %.200q", r, text)
			break
		}
	}
}

// errorBodies are the bodies that a failure can come with.
var errorBodies = []struct {
	name, contentType, body string
	notJSON                 bool
	details                 int
	says                    string // what the error has to say
}{
	{"JSON", "application/json", `{"result":"error","errors":[{"id":"a","status":400,"title":"invented_exception","detail":"Something is wrong","context":null}]}`, false, 1, "invented_exception: Something is wrong"},
	{"JSON with a charset", "application/json; charset=utf-8", `{"result":"error","errors":[{"id":"a","status":400,"title":"invented_exception","detail":null}]}`, false, 1, "invented_exception"},
	{"JSON without a type", "", `{"result":"error","errors":[{"id":"a"},{"id":"b","detail":"x"}]}`, false, 2, "error a; x"},
	{"JSON of another kind", "application/problem+json", `{"type":"about:blank"}`, false, 0, ""},
	{"ko", "application/json", `{"result":"ko"}`, false, 0, ""},
	{"errors in many lines", "application/json", "{\"errors\":[{\"id\":\"a\",\"title\":\"one\\ntwo\",\"detail\":\"three\\u2028four\\r\\n\\u0000\"}]}", false, 1, "one two: three four"},
	{"HTML", "text/html; charset=utf-8", "<html>\n<head>\n\t<title>Just a moment</title>\r\n</head>\n</html>", true, 0, "<title>Just a moment</title>"},
	{"HTML that says it is JSON", "application/json", "<!doctype html>\n<p>No.</p>", true, 0, "<!doctype html> <p>No.</p>"},
	{"text", "text/plain", "Bad\nUser-Agent", true, 0, "Bad User-Agent"},
	{"text without a type", "", "nothing here", true, 0, "nothing here"},
	{"empty", "application/json", "", true, 0, "empty"},
	{"empty without a type", "", "", true, 0, "empty"},
	{"white space", "application/json", " \r\n\t", true, 0, ""},
	{"null", "application/json", "null", true, 0, ""},
	{"cut off", "application/json", `{"result":"error","errors":[{"id":"a","status":40`, false, 0, "cannot be decoded"},
	{"damaged", "application/json", `{"result":"error" "errors"}`, false, 0, "cannot be decoded"},
	{"a list", "application/json", `[]`, false, 0, ""},
	{"errors of another form", "application/json", `{"errors":["x"]}`, false, 0, "cannot be decoded"},
	{"binary", "application/octet-stream", "\x00\x01\xff\xfe\x1b[31m", true, 0, ""},
	{"huge JSON", "application/json", `{"result":"error","errors":[{"id":"a","detail":"` + strings.Repeat("é", 1<<19) + `"}]}`, false, -1, ""},
	{"huge HTML", "text/html", "<html>" + strings.Repeat("<br>\n", 1<<20), true, 0, "<html>"},
	{"many errors", "application/json", `{"errors":[` + strings.Repeat(`{"id":"a","detail":"x"},`, 999) + `{"id":"b","detail":"y"}]}`, false, 1000, "x; x"},
}

// TestErrors answers calls with every status and every kind of body.
func TestErrors(t *testing.T) {
	t.Parallel()
	const requestID = "20000000-0000-4000-8000-000000000001"
	manga := uuid.MustParse(idA)
	calls := map[string]func(c *api.Client) (any, error){
		"SearchManga": func(c *api.Client) (any, error) {
			result, err := c.SearchManga(t.Context(), &api.SearchMangaParams{Title: api.Ptr("hidden-query")},
				func(_ context.Context, req *http.Request) error {
					req.Header.Set("Authorization", "Bearer hidden-token")
					return nil
				})
			return result == nil, err
		},
		"FollowManga": func(c *api.Client) (any, error) { return true, c.FollowManga(t.Context(), manga) },
		"GetSettingsTemplate": func(c *api.Client) (any, error) {
			result, err := c.GetSettingsTemplate(t.Context())
			return result == nil, err
		},
	}
	for status, names := range map[int][]string{
		400: {}, 401: {"ErrUnauthorized"}, 403: {"ErrForbidden"}, 404: {"ErrNotFound"}, 409: {"ErrConflict"}, 412: {}, 418: {}, 429: {"ErrRateLimited"},
		500: {"ErrServer"}, 502: {"ErrServer"}, 503: {"ErrServer"}, 520: {"ErrServer"},
	} {
		for _, body := range errorBodies {
			for op, call := range calls {
				t.Run(fmt.Sprintf("%d/%s/%s", status, body.name, op), func(t *testing.T) {
					t.Parallel()
					none, err := call(answering(t, status, body.contentType, body.body, "X-Request-Id", requestID))
					var failure *api.Error
					if !errors.As(err, &failure) || none != true {
						t.Fatalf("the result is nil: %v, the error %v", none, err)
					}
					want := names
					if body.notJSON {
						want = append(want[:len(want):len(want)], "ErrNotJSON")
					}
					is(t, err, want...)
					one(t, err)
					for _, part := range []string{"api: " + op + ": ", failure.Method + " " + failure.Path, fmt.Sprint(": ", status), requestID, body.says} {
						if !strings.Contains(err.Error(), part) {
							t.Errorf("%q is not in %.300q", part, err)
						}
					}
					for _, secret := range []string{"hidden", "?", "Bearer"} {
						if strings.Contains(fmt.Sprintf("%v %+v %s %q", err, err, err, err), secret) && !strings.Contains(body.body, secret) {
							t.Errorf("%q is in %.300q", secret, err)
						}
					}
					if failure.Operation != op || failure.StatusCode != status || failure.RequestID != requestID || failure.Header.Get("X-Request-Id") != requestID || !strings.HasPrefix(failure.Path, "/") {
						t.Errorf("%+v", *failure)
					}
					if len(failure.Body) != min(len(body.body), 4<<10) || !strings.HasPrefix(body.body, string(failure.Body)) {
						t.Errorf("%d bytes of the body are kept, of %d", len(failure.Body), len(body.body))
					}
					if len(failure.Errors) != body.details && body.details >= 0 {
						t.Errorf("%d details", len(failure.Errors))
					}
				})
			}
		}
	}
}

// TestUnusable gives answers that have the status of a success and are of no use.
func TestUnusable(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, contentType, body string
		notJSON                 bool
		says                    string
		harmless                bool // for a call that is promised a word or nothing
	}{
		{"HTML", "text/html", "<html>\n<p>Maintenance</p>", true, `of type text/html`, false},
		{"HTML that says it is JSON", "application/json", "<html>", true, "<html>", false},
		{"HTML without a type", "", "\n<html>", true, "<html>", false},
		{"JSON that says it is HTML", "text/html", `{"result":"ok"}`, true, "text/html", false},
		{"text", "text/plain", "hello\nthere", true, "hello there", true},
		{"empty", "application/json", "", true, "an empty answer", true},
		{"null", "application/json", "null", true, "null", true},
		{"cut off", "application/json", `{"result":"ok","data":{"id":"` + idA + `","type":"ma`, false, "cannot be decoded", false},
		{"cut off in a list", "application/json", `{"result":"ok","data":[{"id":"` + idA + `",`, false, "cannot be decoded", false},
		{"more than one", "application/json", `{"result":"ok"}{"result":"ok"}`, false, "cannot be decoded", false},
		{"damaged", "application/json", `{"result":"ok",,}`, false, "cannot be decoded", false},
		{"deep", "application/json", `{"a":` + strings.Repeat(`[`, 1<<14), false, "cannot be decoded", false},
		{"the wrong type", "application/json", `{"result":{"a":1}}`, false, "cannot be decoded", false},
		{"an error", "application/json", `{"result":"error","errors":[{"id":"a","status":404,"title":"t","detail":"d","context":null}]}`, false, "t: d", false},
		{"an error without a reason", "application/json", `{"result":"error"}`, false, "gives no reason", false},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			for _, op := range api.Operations() {
				client := answering(t, 200, test.contentType, test.body, "X-Request-Id", "r")
				_, err := invoke(t, client, op.ID, &filler{t: t})
				raw := strings.HasPrefix(op.ID, "GetSettingsTemplate") || op.ID == "CreateSettingsTemplate"
				if op.ID == "Ping" && test.harmless || raw && !test.notJSON && strings.HasSuffix(test.body, "}") && !strings.Contains(test.body, "}{") && !strings.Contains(test.body, ",,") {
					if err != nil {
						t.Errorf("%s: %v", op.ID, err)
					}
					continue
				}
				if op.ID == "UploadPages" && strings.HasPrefix(test.name, "an error") {
					continue // its errors are those of single files
				}
				var failure *api.Error
				if !errors.As(err, &failure) || failure.StatusCode != 200 || failure.RequestID != "r" {
					t.Errorf("%s: %v", op.ID, err)
					continue
				}
				one(t, err)
				if errors.Is(err, api.ErrNotJSON) != test.notJSON {
					t.Errorf("%s: errors.Is(ErrNotJSON) is %v: %v", op.ID, !test.notJSON, err)
				}
				says := test.says
				if raw && !test.notJSON {
					says = "cannot be decoded"
				}
				if !strings.Contains(err.Error(), says) && !hasSecret(op.ID) {
					t.Errorf("%s: %q is not in %v", op.ID, says, err)
				}
			}
		})
	}
}

// TestUnusableDetails checks that the reasons of a failure are there whatever its status is.
func TestUnusableDetails(t *testing.T) {
	t.Parallel()
	_, err := answering(t, 200, "application/json", `{"result":"error","errors":[{"id":"a","status":404,"title":"t","detail":"d","context":{"b":1}}]}`).GetManga(t.Context(), id(idA), nil)
	var failure *api.Error
	if !errors.As(err, &failure) || len(failure.Errors) != 1 || string(failure.Errors[0].Context) != `{"b":1}` {
		t.Errorf("%+v", err)
	}
}

// hasSecret reports whether the answer of an operation is a secret.
func hasSecret(op string) bool {
	return op == "LegacyLogin" || op == "LegacyRefresh" || strings.HasSuffix(op, "APIClientSecret")
}

// TestErrorSecrets checks that an answer that holds a secret and cannot be used leaves no trace of it.
func TestErrorSecrets(t *testing.T) {
	t.Parallel()
	for _, op := range api.Operations() {
		if !hasSecret(op.ID) {
			continue
		}
		for _, test := range []struct{ contentType, body string }{
			{"text/html", `{"result":"ok","token":{"session":"hidden","refresh":"hidden"},"data":"hidden"}`},
			{"text/plain", `hidden`},
			{"application/json", `{"result":"ok","token":{"session":"hidden","refresh":"hidden`},
			{"application/json", `{"result":"ok","token":"hidden","data":{"a":"hidden"}}`},
			{"application/json", `{"result":"ok","token":{"session":{"hidden":1}},"data":["hidden"]}`},
		} {
			_, err := invoke(t, answering(t, 200, test.contentType, test.body), op.ID, &filler{t: t})
			if err == nil {
				t.Errorf("%s: no error for %s", op.ID, test.body)
				continue
			}
			for e := err; e != nil; e = errors.Unwrap(e) {
				if text := fmt.Sprintf("%v %+v %#v %s", e, e, e, e); strings.Contains(text, "hidden") {
					t.Errorf("%s: %s", op.ID, text)
				}
			}
			var failure *api.Error
			if !errors.As(err, &failure) || bytes.Contains(failure.Body, []byte("hidden")) {
				t.Errorf("%s: %v", op.ID, err)
			}
		}
	}
}

// TestErrorCode checks that the code of a mail, which is a part of the path, is not in an error.
func TestErrorCode(t *testing.T) {
	t.Parallel()
	op := operation(t, "ConfirmUserDeletion")
	code := uuid.NewString()
	client := newClient(t, func(req *http.Request) (*http.Response, error) {
		code = path.Base(req.URL.Path)
		return answer(404, "application/json", `{"result":"error","errors":[]}`), nil
	})
	if _, err := invoke(t, client, op.ID, &filler{t: t}); err == nil || strings.Contains(fmt.Sprintf("%v %#v", err, err), code) {
		t.Errorf("the code is in the error: %v", err)
	}
}

// TestErrorCutOff checks that an answer whose connection broke is told as that.
func TestErrorCutOff(t *testing.T) {
	t.Parallel()
	_, err := newClient(t, func(*http.Request) (*http.Response, error) {
		resp := answer(200, "application/json", `{"result":"ok","data":`)
		resp.ContentLength++
		return resp, nil
	}).GetManga(t.Context(), id(idA), nil)
	if !errors.Is(err, io.ErrUnexpectedEOF) || !strings.HasSuffix(err.Error(), "200 OK: the answer was cut off: unexpected EOF") {
		t.Errorf("error %v", err)
	}
}

func TestErrorIs(t *testing.T) {
	t.Parallel()
	for _, status := range []int{400, 401, 403, 404, 409, 429, 500, 503} {
		_, err := answering(t, status, "application/json", `{"result":"error","errors":[]}`).GetManga(t.Context(), id(idA), nil)
		wrapped := fmt.Errorf("while testing: %w", err)
		var failure *api.Error
		if !errors.As(wrapped, &failure) || failure.StatusCode != status {
			t.Errorf("%d: %v", status, wrapped)
		}
		if errors.Is(err, io.EOF) || errors.Is(err, nil) {
			t.Errorf("%d: matches what it is not", status)
		}
	}
}

// TestCaptcha recognises the demand for a captcha in its forms.
func TestCaptcha(t *testing.T) {
	t.Parallel()
	const detail = `{"result":"error","errors":[{"id":"a","status":403,"title":"captcha_required_exception","detail":"Solve it","context":%s}]}`
	for _, test := range []struct {
		name    string
		status  int
		body    string
		header  string
		siteKey string
		captcha bool
	}{
		{"header", 403, `{"result":"error","errors":[]}`, "key-1", "key-1", true},
		{"header of the past", 412, `{"result":"error","errors":[]}`, "key-1", "key-1", true},
		{"header and HTML", 403, `<html>`, "key-1", "key-1", true},
		{"context", 403, fmt.Sprintf(detail, `{"siteKey":"key-2"}`), "", "key-2", true},
		{"both", 403, fmt.Sprintf(detail, `{"siteKey":"key-2"}`), "key-1", "key-1", true},
		{"no key", 403, fmt.Sprintf(detail, `null`), "", "", true},
		{"odd contexts", 403, fmt.Sprintf(detail, `["siteKey"]`), "", "", true},
		{"a key of another type", 403, fmt.Sprintf(detail, `{"siteKey":{"a":1}}`), "", "", true},
		{"another 403", 403, `{"result":"error","errors":[{"id":"a","title":"forbidden","context":{"siteKey":"x"}}]}`, "", "", false},
		{"another 412", 412, `{"result":"error","errors":[]}`, "", "", false},
		{"another status", 400, fmt.Sprintf(detail, `{"siteKey":"key-2"}`), "key-1", "", false},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			headers := []string{}
			if test.header != "" {
				headers = []string{"X-Captcha-Sitekey", test.header}
			}
			err := answering(t, test.status, "", test.body, headers...).FollowManga(t.Context(), id(idA))
			var captcha *api.CaptchaError
			if errors.As(err, &captcha) != test.captcha || errors.Is(err, api.ErrCaptchaRequired) != test.captcha {
				t.Fatalf("%v", err)
			}
			if test.captcha && captcha.SiteKey != test.siteKey {
				t.Errorf("the site key is %q", captcha.SiteKey)
			}
			if test.captcha && !strings.Contains(err.Error(), "captcha") {
				t.Errorf("%v", err)
			}
			one(t, err)
		})
	}
}

// TestRetryAfter reads how long the server wants us to wait.
func TestRetryAfter(t *testing.T) {
	t.Parallel()
	const date = "Mon, 02 May 2022 10:00:00 GMT" // 1651485600
	for _, test := range []struct {
		name    string
		status  int
		headers []string
		want    time.Duration
	}{
		{"unix time", 429, []string{"Date", date, "X-RateLimit-Retry-After", "1651485642"}, 42 * time.Second},
		{"in the past", 429, []string{"Date", date, "X-RateLimit-Retry-After", "1651485600"}, 0},
		{"seconds", 429, []string{"Retry-After", "7"}, 7 * time.Second},
		{"date", 503, []string{"Date", date, "Retry-After", "Mon, 02 May 2022 10:01:00 GMT"}, time.Minute},
		{"years", 429, []string{"Retry-After", "99999999999"}, time.Hour},
		{"nonsense", 429, []string{"Retry-After", "soon", "X-RateLimit-Retry-After", "-3"}, 0},
		{"nothing", 429, nil, 0},
		{"not refused", 404, []string{"Date", date, "X-RateLimit-Retry-After", "1651485642", "X-RateLimit-Remaining", "3"}, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			_, err := answering(t, test.status, "application/json", `{"result":"error","errors":[]}`, test.headers...).GetManga(t.Context(), id(idA), nil)
			var failure *api.Error
			if !errors.As(err, &failure) || failure.RetryAfter != test.want {
				t.Errorf("%v, want %v", err, test.want)
			}
			if test.want > 0 && !strings.Contains(err.Error(), test.want.String()) {
				t.Errorf("%v does not say %v", err, test.want)
			}
		})
	}
}

// TestBodyFails breaks the connection within an answer.
func TestBodyFails(t *testing.T) {
	t.Parallel()
	broken := errors.New("connection reset")
	for _, status := range []int{200, 500} {
		client := newClient(t, func(req *http.Request) (*http.Response, error) {
			resp := answer(status, "application/json", "")
			resp.Body = io.NopCloser(io.MultiReader(strings.NewReader(`{"result":"ok","da`), failingReader{broken}))
			resp.Request = req
			return resp, nil
		})
		result, err := client.GetManga(t.Context(), id(idA), nil)
		if err == nil || result != nil {
			t.Errorf("%d: %v, %v", status, result, err)
		}
		if status == 200 && !errors.Is(err, broken) {
			t.Errorf("%d: %v", status, err)
		}
	}
	// An answer without end is not read to its end.
	for _, status := range []int{200, 500} {
		client := newClient(t, func(req *http.Request) (*http.Response, error) {
			resp := answer(status, "application/json", "")
			resp.ContentLength = -1
			resp.Body = io.NopCloser(io.MultiReader(strings.NewReader(`{"a":"`), endless{}))
			resp.Request = req
			return resp, nil
		})
		if result, err := client.GetManga(t.Context(), id(idA), nil); err == nil || result != nil {
			t.Errorf("%d: %v, %v", status, result, err)
		}
	}
}

type failingReader struct{ err error }

func (r failingReader) Read([]byte) (int, error) { return 0, r.err }

type endless struct{}

func (endless) Read(p []byte) (int, error) { return copy(p, aaa), nil }

var aaa = bytes.Repeat([]byte("a"), 1<<20)

// TestFound turns the checks of follows into yes and no.
func TestFound(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		status int
		body   string
		yes    bool
		fails  bool
	}{{200, `{"result":"ok"}`, true, false}, {404, `{"result":"ko"}`, false, false}, {404, `{"result":"error","errors":[]}`, false, false}, {401, `{"result":"error","errors":[]}`, false, true}, {500, ``, false, true}} {
		client := answering(t, test.status, "application/json", test.body)
		yes, err := api.Found(client.CheckFollowedManga(t.Context(), id(idA)))
		if yes != test.yes || (err != nil) != test.fails {
			t.Errorf("%d: %v, %v", test.status, yes, err)
		}
	}
}
