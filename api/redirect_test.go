package api_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mangadex-go/mangadex/api"
	"github.com/mangadex-go/mangadex/api/transport"
)

// TestRedirects checks for each status and method whether a redirect is followed, and that a write
// that is not sent again is an error that names the address, and not what was secret in it.
func TestRedirects(t *testing.T) {
	t.Parallel()
	const secret = "5ecret"
	var mu sync.Mutex
	var arrived []string
	record := func(where string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			mu.Lock()
			defer mu.Unlock()
			arrived = append(arrived, fmt.Sprintf("%s %s %d token %t", where, r.Method, len(body), r.Header.Get("Authorization") != ""))
			w.Header().Set("Content-Type", "application/json")
			io.WriteString(w, `{"result":"ok"}`)
		}
	}
	elsewhere := httptest.NewServer(record("elsewhere"))
	defer elsewhere.Close()
	var status int
	var target string
	mux := http.NewServeMux()
	mux.HandleFunc("/api/", func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		w.Header().Set("Location", target+"?code="+secret)
		w.WriteHeader(status)
	})
	mux.HandleFunc("/moved/", record("here"))
	here := httptest.NewServer(mux)
	defer here.Close()
	client := func(doer api.HttpRequestDoer) *api.Client {
		c, err := api.New(here.URL+"/api", api.WithHTTPClient(doer), api.WithoutRateLimit(), api.WithoutRetry())
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	plain := http.Client{Transport: transport.Base()}
	defer plain.CloseIdleConnections()
	follows := api.DoerFunc(plain.Do)
	for _, kind := range []struct {
		name string
		api  *api.Client
		own  bool // redirects are net/http's, and only seen afterwards
	}{{"an http.Client", client(&plain), false}, {"another doer that follows", client(follows), true}} {
		for _, status = range []int{301, 302, 303, 307, 308} {
			for _, other := range []bool{false, true} {
				target = "/moved/manga"
				if other {
					target = elsewhere.URL + "/manga"
				}
				for _, method := range []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"} {
					name := fmt.Sprint(kind.name, " ", method, " ", status, " elsewhere ", other)
					arrived = nil
					req, _ := http.NewRequestWithContext(t.Context(), method, here.URL+"/api/manga", nil)
					if method != "GET" && method != "HEAD" {
						req, _ = http.NewRequestWithContext(t.Context(), method, here.URL+"/api/manga", strings.NewReader("body"))
					}
					req.Header.Set("Authorization", "Bearer "+secret)
					resp, err := kind.api.Do(t.Context(), req)
					if err == nil {
						resp.Body.Close()
					}
					reads := method == "GET" || method == "HEAD"
					keeps := status == 307 || status == 308
					switch {
					case reads || keeps && !other:
						where, size := "here", 0
						if other {
							where = "elsewhere"
						}
						if !reads {
							size = 4
						}
						if want := fmt.Sprintf("[%s %s %d token %t]", where, method, size, !other || kind.own); err != nil || fmt.Sprint(arrived) != want {
							t.Errorf("%s: arrived %v, want %s: %v", name, arrived, want, err)
						}
					case kind.own && keeps: // by the other's own rules
					default:
						var redirect *api.RedirectError
						location := strings.Replace(target, "/moved", here.URL+"/moved", 1)
						if !errors.As(err, &redirect) || redirect.StatusCode != status || redirect.Method != method || redirect.Location != location {
							t.Errorf("%s: error %v", name, err)
						}
						if !kind.own && len(arrived) > 0 {
							t.Errorf("%s: arrived %v", name, arrived)
						}
					}
					if err != nil && strings.Contains(err.Error(), secret) {
						t.Errorf("%s: the error shows the query: %v", name, err)
					}
				}
			}
		}
	}
	status = 302
	for _, broken := range []string{"http://[" + secret, "http://" + secret + ":port/"} {
		target = broken
		_, err := client(&plain).ListTags(t.Context())
		if err == nil || strings.Contains(err.Error(), secret) {
			t.Errorf("error %v", err)
		}
	}
	err := client(&plain).FollowManga(t.Context(), nth(1))
	if err == nil || strings.Contains(err.Error(), secret) {
		t.Errorf("error %v", err)
	}
}

// TestClientTimeout checks that the timeout of a client is that of each attempt, and that the time in
// the queue of the limits does not count.
func TestClientTimeout(t *testing.T) {
	t.Parallel()
	for _, own := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			asked := 0
			base := roundTripper(func(req *http.Request) (*http.Response, error) {
				latency := 3 * time.Second
				if asked++; asked%5 == 1 {
					latency = time.Hour
				}
				select {
				case <-time.After(latency):
					return answer(http.StatusOK, "application/json", `{"result":"ok","response":"collection","data":[]}`), nil
				case <-req.Context().Done():
					return nil, req.Context().Err()
				}
			})
			rate, err := transport.NewLimiter(transport.WithRate(0.05, 1))
			if err != nil {
				t.Fatal(err)
			}
			limiter := transport.WithLimiter(rate)
			given := &http.Client{Transport: base, Timeout: 5 * time.Second}
			options := []api.Option{api.WithHTTPClient(given), api.WithTransport(limiter)}
			if own {
				polite, err := transport.New(transport.WithAPIServer(api.Production), transport.WithBase(base), limiter)
				if err != nil {
					t.Fatal(err)
				}
				given.Transport = polite
				options = options[:1]
			}
			client, err := api.New(api.Production, options...)
			if err != nil {
				t.Fatal(err)
			}
			for range 4 { // 20 s in the queue for each attempt
				if _, err := client.ListTags(t.Context()); err != nil {
					t.Error(err)
				}
			}
			if stats := client.Stats(); stats.Requests != 5 || stats.Retries != 1 {
				t.Errorf("stats %+v", stats)
			}
			start := time.Now()
			_, err = client.CreateCustomList(t.Context(), api.CustomListCreate{Name: "x"})
			var timeout *transport.TimeoutError
			if took := time.Since(start); !errors.As(err, &timeout) || timeout.After != 5*time.Second || took < 20*time.Second || took > 30*time.Second {
				t.Errorf("after %v: %v", took, err)
			}
			if given.Timeout != 5*time.Second {
				t.Error("the client that was given was changed")
			}
		})
	}
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }
