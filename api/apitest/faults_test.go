package apitest_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/mangadex-go/mangadex/api"
	"github.com/mangadex-go/mangadex/api/apitest"
)

// exchange sends a request over the network and reads the answer as far as it goes.
func exchange(t testing.TB, target string, header ...string) (resp *http.Response, body string, err error) {
	t.Helper()
	r, err := http.NewRequest(http.MethodGet, target, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	transport := &http.Transport{DisableKeepAlives: true} // nothing is sent again by itself
	resp, err = transport.RoundTrip(r)
	if err != nil {
		return nil, "", err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	return resp, string(text), err
}

func TestFaults(t *testing.T) {
	t.Parallel()
	srv := apitest.Start(t)
	title := srv.URL + "/manga/" + srv.State().Manga()[0].ID.String()
	_, good, err := exchange(t, title)
	if err != nil {
		t.Fatal(err)
	}
	healthy := func(name string) {
		t.Helper()
		if resp, body, err := exchange(t, title); err != nil || resp.StatusCode != 200 || body != good {
			t.Errorf("after %s: %v, %.80s", name, err, body)
		}
	}

	srv.Fail(apitest.Fault{Operation: "GetManga", Count: 2, Status: 503})
	for range 2 {
		if resp, body, _ := exchange(t, title); resp.StatusCode != 503 || !strings.Contains(body, `"status":503`) {
			t.Errorf("status: %d %s", resp.StatusCode, body)
		}
		if resp, _, _ := exchange(t, srv.URL+"/ping"); resp.StatusCode != 200 {
			t.Errorf("another operation gets %d", resp.StatusCode)
		}
	}
	healthy("a status")

	srv.Fail(apitest.Fault{Status: 502, HTML: true})
	if resp, body, _ := exchange(t, srv.URL+"/ping"); resp.StatusCode != 502 || !strings.HasPrefix(body, "<html>") || !strings.HasPrefix(resp.Header.Get("Content-Type"), "text/html") {
		t.Errorf("HTML of any operation: %d %s", resp.StatusCode, body)
	}
	healthy("HTML")

	srv.Fail(apitest.Fault{Operation: "GetManga", HTML: true})
	if resp, body, _ := exchange(t, title); resp.StatusCode != 200 || !strings.HasPrefix(body, "<html>") {
		t.Errorf("HTML in place of a success: %d %s", resp.StatusCode, body)
	}

	srv.Fail(apitest.Fault{Operation: "GetManga", Drop: true})
	if _, _, err := exchange(t, title); err == nil {
		t.Error("the dropped connection answers")
	}
	healthy("a dropped connection")

	srv.Fail(apitest.Fault{Operation: "GetManga", Truncate: true})
	if resp, body, err := exchange(t, title); !errors.Is(err, io.ErrUnexpectedEOF) || resp.StatusCode != 200 || body != good[:len(good)/2] {
		t.Errorf("truncated: %v, %d of %d bytes", err, len(body), len(good))
	}
	healthy("a truncated body")

	srv.Fail(apitest.Fault{Operation: "GetManga", Corrupt: true})
	if _, body, err := exchange(t, title); err != nil || len(body) != len(good) || body == good {
		t.Errorf("corrupt: %v, %d of %d bytes", err, len(body), len(good))
	}
	healthy("a corrupt body")

	srv.Fail(apitest.Fault{Operation: "GetManga", Delay: 50 * time.Millisecond}, apitest.Fault{Operation: "GetManga", Slow: 50 * time.Millisecond})
	for _, name := range []string{"a delay", "a slow body"} {
		begun := time.Now()
		_, body, err := exchange(t, title)
		if took := time.Since(begun); err != nil || body != good || took < 45*time.Millisecond {
			t.Errorf("%s took %v, %v", name, took, err)
		}
	}

	srv.Fail(apitest.Fault{Operation: "GetManga", Skew: -time.Hour})
	resp, _, _ := exchange(t, title)
	if date, err := http.ParseTime(resp.Header.Get("Date")); err != nil || time.Since(date) < 59*time.Minute {
		t.Errorf("the date is %v, %v", date, err)
	}

	srv.Fail(apitest.Fault{Operation: "GetManga", Count: apitest.Always, Status: 500})
	for range 5 {
		if resp, _, _ := exchange(t, title); resp.StatusCode != 500 {
			t.Errorf("always: %d", resp.StatusCode)
		}
	}
	srv.Heal()
	healthy("healing")

	srv.Fail(apitest.Fault{Operation: "GetManga", Probability: 0.5, Status: 500})
	struck := 0
	for range 200 {
		if resp, _, _ := exchange(t, title); resp.StatusCode == 500 {
			struck++
		}
	}
	if struck < 50 || struck > 150 {
		t.Errorf("with a probability of a half, %d of 200 are struck", struck)
	}
}

func TestFaultsOfTokens(t *testing.T) {
	t.Parallel()
	srv := apitest.Start(t, apitest.WithoutNetwork())
	r := newRealm(t, srv)

	body := r.password()
	srv.Fail(apitest.Fault{Operation: "GetCurrentUser", ForgetToken: true})
	if status := r.me(body["access_token"]); status != 401 {
		t.Errorf("with a forgotten token: %d", status)
	}
	if status := r.me(body["access_token"]); status != 401 {
		t.Errorf("it came back: %d", status)
	}
	srv.Fail(apitest.Fault{Operation: "Token", ForgetToken: true})
	if status, answer := r.refresh(body["refresh_token"]); status != 400 || answer["error"] != "invalid_grant" {
		t.Errorf("with a forgotten refresh token: %d %v", status, answer)
	}

	srv.Fail(apitest.Fault{Operation: "Token", Status: 503, HTML: true})
	if status, answer := r.token("grant_type", "password"); status != 503 || answer != nil {
		t.Errorf("the auth server is away: %d %v", status, answer)
	}

	body = r.password()
	srv.Tokens().ExpireAccess()
	if status := r.me(body["access_token"]); status != 401 {
		t.Errorf("expired: %d", status)
	}
	_, body = r.refresh(body["refresh_token"])
	if status := r.me(body["access_token"]); status != 200 {
		t.Errorf("a new one: %d", status)
	}
	srv.Tokens().RevokeAccess()
	if status := r.me(body["access_token"]); status != 401 {
		t.Errorf("revoked: %d", status)
	}
	if n := len(srv.Tokens().Access()); n != 0 {
		t.Errorf("%d access tokens hold", n)
	}
	srv.Tokens().EndSessions()
	if status, _ := r.refresh(body["refresh_token"]); status != 400 {
		t.Errorf("refresh after the end: %d", status)
	}
	body = r.password()
	if n := len(srv.Tokens().Refresh()); n != 1 {
		t.Errorf("%d refresh tokens hold", n)
	}
	srv.Tokens().Forget()
	if status, _ := r.refresh(body["refresh_token"]); status != 400 {
		t.Errorf("refresh after all was forgotten: %d", status)
	}
	if _, _, err := srv.Tokens().Issue("nobody"); err == nil {
		t.Error("nobody can log in")
	}
}

func TestCaptcha(t *testing.T) {
	t.Parallel()
	for name, solve := range map[string]func(*api.Client) error{
		"by a header": nil,
		"by the operation": func(c *api.Client) error {
			return c.SolveCaptcha(t.Context(), api.CaptchaSolution{CaptchaChallenge: "solution"})
		},
	} {
		srv := apitest.Start(t, apitest.WithoutNetwork())
		client := newClient(t, srv)
		srv.Fail(apitest.Fault{Operation: "ListTags", Captcha: true})
		for range 2 {
			_, err := client.ListTags(t.Context())
			var captcha *api.CaptchaError
			if !errors.As(err, &captcha) || captcha.SiteKey == "" || !errors.Is(err, api.ErrForbidden) {
				t.Fatalf("%s: %v", name, err)
			}
		}
		header := []string{}
		if solve == nil {
			header = []string{"X-Captcha-Result", "solution"}
		} else if err := solve(client); err != nil {
			t.Fatal(err)
		}
		if status, text := do(t, srv, "GET", "/manga/tag", "", header...); status != 200 {
			t.Errorf("%s: %d %s", name, status, text)
		}
		if _, err := client.ListTags(t.Context()); err != nil {
			t.Errorf("%s, once more: %v", name, err)
		}
	}
}

func TestFaultsOfPages(t *testing.T) {
	t.Parallel()
	srv := apitest.Start(t)
	client := newClient(t, srv)
	chapter := readable(t, client)
	page := func() (string, string) {
		server := must[*api.AtHomeServer](t)(client.GetAtHomeServer(t.Context(), chapter.ID, nil))
		return server.BaseURL + "/data/" + server.Chapter.Hash + "/" + server.Chapter.Data[0], server.Chapter.Data[0]
	}
	target, name := page()
	matches := func(body string) bool {
		sum := sha256.Sum256([]byte(body))
		return strings.Contains(name, hex.EncodeToString(sum[:]))
	}
	srv.Fail(apitest.Fault{Operation: "Page", Corrupt: true})
	if _, body, err := exchange(t, target); err != nil || matches(body) {
		t.Errorf("the corrupt page matches its checksum, or %v", err)
	}
	if _, body, err := exchange(t, target); err != nil || !matches(body) {
		t.Errorf("the next one does not match its checksum, or %v", err)
	}
	srv.Fail(apitest.Fault{Operation: "Page", ExpireBaseURL: true})
	for range 2 {
		if resp, _, _ := exchange(t, target); resp.StatusCode != 403 {
			t.Errorf("an expired base URL gets %d", resp.StatusCode)
		}
	}
	target, _ = page()
	if resp, _, _ := exchange(t, target); resp.StatusCode != 200 {
		t.Errorf("a new base URL gets %d", resp.StatusCode)
	}
	srv.Fail(apitest.Fault{Operation: "Page", Status: 500})
	if resp, _, _ := exchange(t, target); resp.StatusCode != 500 {
		t.Errorf("a page gets %d", resp.StatusCode)
	}
}

// Of the files of a request, some are taken and some are not.
func TestFaultOfUploads(t *testing.T) {
	t.Parallel()
	srv := apitest.Start(t, apitest.WithoutNetwork())
	c, _ := login(t, srv, srv.Account.Username)
	session := must[*api.UploadSessionResponse](t)(c.BeginUpload(t.Context(), nil, api.UploadSessionCreate{Manga: srv.State().Manga()[0].ID, Groups: []uuid.UUID{}}))
	for _, test := range []struct{ refused, data, errors int }{{2, 1, 2}, {3, 0, 3}, {9, 0, 3}, {0, 3, 0}} {
		pages := api.Pages{}
		for _, name := range []string{"1.png", "2.png", "3.png"} {
			pages = append(pages, api.File{Name: name, Content: bytes.NewReader(picture(t, 3, 4))})
		}
		srv.Fail(apitest.Fault{Operation: "UploadPages", RefusePages: test.refused})
		answer := must[*api.UploadPagesResponse](t)(c.UploadPages(t.Context(), session.Data.ID, pages))
		if len(answer.Data) != test.data || len(answer.Errors) != test.errors || test.data > 0 && answer.Data[0].Attributes.OriginalFileName != "1.png" {
			t.Errorf("%d refused: %+v, %+v", test.refused, answer.Data, answer.Errors)
		}
	}
}

// A function chooses faults by all that a request says, after those of Fail and until Heal. Headers are
// set, and left out, over the network and without it in the same way.
func TestFailFunc(t *testing.T) {
	t.Parallel()
	for name, options := range map[string][]apitest.Option{"network": nil, "transport": {apitest.WithoutNetwork()}} {
		srv := apitest.Start(t, options...)
		client := http.DefaultClient
		if options != nil {
			client = &http.Client{Transport: srv.Transport()}
		}
		id := srv.State().Manga()[1].ID.String()
		srv.FailFunc(func(r apitest.Request) *apitest.Fault {
			if r.Operation != "GetManga" || r.URL.Path != "/manga/"+id || "http://"+r.Host != srv.URL && "https://"+r.Host != srv.URL {
				return nil
			}
			return &apitest.Fault{Header: http.Header{"Content-Length": nil, "X-Cache": nil, "Retry-After": {"7"}}, Rewrite: func([]byte) []byte { return []byte("some") }}
		})
		srv.Fail(apitest.Fault{Operation: "GetManga", Status: 503})
		get := func(path string) (*http.Response, string) {
			r, _ := http.NewRequest(http.MethodGet, srv.URL+path, nil)
			return send(t, client, r)
		}
		if resp, _ := get("/manga/" + id); resp.StatusCode != http.StatusServiceUnavailable {
			t.Errorf("%s: the fault of Fail comes second: %d", name, resp.StatusCode)
		}
		resp, body := get("/manga/" + id)
		if resp.ContentLength != -1 || resp.Header["X-Cache"] != nil || resp.Header.Get("Retry-After") != "7" || body != "some" {
			t.Errorf("%s: %d bytes, %v, %q", name, resp.ContentLength, resp.Header, body)
		}
		if resp, body := get("/manga/" + srv.State().Manga()[0].ID.String()); resp.ContentLength != int64(len(body)) || resp.Header.Get("Retry-After") != "" {
			t.Errorf("%s: another title is struck: %v", name, resp.Header)
		}
		srv.Heal()
		if resp, _ := get("/manga/" + id); resp.Header.Get("Retry-After") != "" {
			t.Errorf("%s: it is not healed: %v", name, resp.Header)
		}
	}
	srv, err := apitest.NewServer(apitest.WithoutNetwork())
	if err != nil {
		t.Fatal(err)
	}
	defer srv.Close()
	srv.FailFunc(func(apitest.Request) *apitest.Fault { return &apitest.Fault{Status: 9000} })
	if status, _ := do(t, srv, "GET", "/ping", ""); status != http.StatusOK {
		t.Errorf("a fault that cannot be makes the answer %d", status)
	}
}
