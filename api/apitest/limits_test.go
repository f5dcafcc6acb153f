package apitest_test

import (
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/mangadex-go/mangadex/api/apitest"
)

// limited is a server with limits whose time stands still.
func limited(t testing.TB) (*apitest.Server, *clock, func(path string) (*http.Response, string, error)) {
	t.Helper()
	clock := newClock()
	srv := apitest.Start(t, apitest.WithoutNetwork(), apitest.WithClock(clock.time), apitest.WithLimits())
	return srv, clock, func(path string) (*http.Response, string, error) {
		t.Helper()
		r, err := http.NewRequest(http.MethodGet, srv.URL+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := srv.Transport().RoundTrip(r)
		if err != nil {
			return nil, "", err
		}
		return resp, resp.Header.Get("Content-Type"), nil
	}
}

func TestLimitOfAnOperation(t *testing.T) {
	t.Parallel()
	_, clock, ask := limited(t)
	const path = "/at-home/server/" + nothing // a 404 counts, too
	begun := clock.now
	for n := range 40 {
		resp, _, _ := ask(path)
		want := map[string]string{
			"X-Ratelimit-Limit": "40", "X-Ratelimit-Remaining": strconv.Itoa(39 - n),
			"X-Ratelimit-Retry-After": strconv.FormatInt(clock.now.Unix(), 10), "X-Ratelimit-Retry-In": "0",
		}
		if n == 39 { // nothing is left: now it tells when the period ends
			want["X-Ratelimit-Retry-After"] = strconv.FormatInt(begun.Add(time.Minute).Unix(), 10)
			want["X-Ratelimit-Retry-In"] = strconv.Itoa(int(begun.Add(time.Minute).Sub(clock.now) / time.Second))
		}
		for name, value := range want {
			if got := resp.Header.Get(name); got != value {
				t.Errorf("request %d: %s is %q, want %q", n+1, name, got, value)
			}
		}
		if resp.StatusCode != 404 {
			t.Fatalf("request %d: %d", n+1, resp.StatusCode)
		}
		clock.advance(time.Second)
	}
	resp, contentType, _ := ask(path)
	if resp.StatusCode != 429 || contentType != "application/json" || resp.Header.Get("X-Ratelimit-Remaining") != "0" || resp.Header.Get("X-Ratelimit-Retry-After") != strconv.FormatInt(begun.Add(time.Minute).Unix(), 10) {
		t.Errorf("the 41st: %d %s %v", resp.StatusCode, contentType, resp.Header)
	}
	if resp, _, _ := ask("/manga/tag"); resp.StatusCode != 200 || resp.Header.Get("X-Ratelimit-Limit") != "" {
		t.Errorf("an operation without a limit of its own: %d %v", resp.StatusCode, resp.Header)
	}
	clock.advance(begun.Add(time.Minute).Sub(clock.now))
	if resp, _, _ := ask(path); resp.StatusCode != 404 || resp.Header.Get("X-Ratelimit-Remaining") != "39" {
		t.Errorf("a minute later: %d %v", resp.StatusCode, resp.Header)
	}
}

func TestGlobalLimitAndBan(t *testing.T) {
	t.Parallel()
	_, clock, ask := limited(t)
	passed := 0
	for {
		resp, contentType, _ := ask("/ping")
		if resp.StatusCode == 200 {
			passed++
			continue
		}
		if resp.StatusCode != 429 || !strings.HasPrefix(contentType, "text/html") || resp.Header.Get("Retry-After") != "1" || resp.Header.Get("X-Ratelimit-Limit") != "" {
			t.Errorf("%d %s %v", resp.StatusCode, contentType, resp.Header)
		}
		break
	}
	if passed < 5 || passed > 10 {
		t.Errorf("%d pass at once", passed)
	}
	for range 100 { // who is polite is never refused
		clock.advance(200 * time.Millisecond)
		if resp, _, _ := ask("/ping"); resp.StatusCode != 200 {
			t.Fatalf("at five requests a second: %d", resp.StatusCode)
		}
	}
	refused := 0
	for {
		resp, contentType, _ := ask("/ping")
		if resp.StatusCode == 403 {
			if !strings.HasPrefix(contentType, "text/html") {
				t.Errorf("the ban is %s", contentType)
			}
			break
		}
		if refused++; refused > 50 {
			t.Fatal("there is no ban")
		}
	}
	clock.advance(time.Minute)
	if resp, _, _ := ask("/manga/tag"); resp.StatusCode != 403 {
		t.Errorf("a minute into the ban: %d", resp.StatusCode)
	}
	dropped := false
	for range 50 {
		_, _, err := ask("/ping")
		dropped = dropped || err != nil
	}
	if !dropped {
		t.Error("who goes on is still answered")
	}
	clock.advance(5 * time.Minute)
	if resp, _, _ := ask("/ping"); resp.StatusCode != 200 {
		t.Errorf("after the ban: %d", resp.StatusCode)
	}
}

func TestSharedLimit(t *testing.T) {
	t.Parallel()
	clock := newClock()
	srv := apitest.Start(t, apitest.WithoutNetwork(), apitest.WithClock(clock.time), apitest.WithLimits(), apitest.Lenient())
	_, token := login(t, srv, srv.Account.Username)
	left := ""
	for _, path := range []string{"/upload/begin", "/upload/begin/" + nothing} {
		clock.advance(time.Second)
		r, _ := http.NewRequest(http.MethodPost, srv.URL+path, strings.NewReader("{}"))
		r.Header.Set("Authorization", "Bearer "+token)
		resp, err := srv.Transport().RoundTrip(r)
		if err != nil {
			t.Fatal(err)
		}
		left += " " + resp.Header.Get("X-Ratelimit-Remaining")
	}
	if left != " 19 18" {
		t.Errorf("the two operations leave%s; they share 20", left)
	}
}

func TestNoLimitsByDefault(t *testing.T) {
	t.Parallel()
	srv := apitest.Start(t, apitest.WithoutNetwork())
	for range 200 {
		if status, _ := do(t, srv, "GET", "/manga/random", ""); status != 200 {
			t.Fatal(status)
		}
	}
}
