package origin_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/google/uuid"

	"github.com/mangadex-go/mangadex/api"
	"github.com/mangadex-go/mangadex/api/athome"
	"github.com/mangadex-go/mangadex/api/transport"
	"github.com/mangadex-go/mangadex/authn"
)

const page = "\xFF\xD8\xFF\xE0 not much of a picture \xFF\xD9"

// everywhere answers for every host, and keeps the requests.
type everywhere struct {
	mu       sync.Mutex
	seen     []*http.Request
	redirect string // where GET /manga/tag leads
	node     string // base of the node of a chapter
}

func (e *everywhere) RoundTrip(req *http.Request) (*http.Response, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.seen = append(e.seen, req)
	answer := func(status int, contentType, body string) (*http.Response, error) {
		return &http.Response{
			StatusCode: status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, ContentLength: int64(len(body)), Request: req,
			Header: http.Header{"Content-Type": {contentType}}, Body: io.NopCloser(strings.NewReader(body)),
		}, nil
	}
	const json = "application/json"
	switch path := req.URL.Path; {
	case strings.HasSuffix(path, "/token"):
		return answer(200, json, `{"access_token":"access","refresh_token":"refresh","expires_in":900,"token_type":"Bearer"}`)
	case strings.HasSuffix(path, "/auth/check"):
		return answer(200, json, `{"result":"ok","isAuthenticated":true,"roles":[],"permissions":[]}`)
	case strings.HasSuffix(path, "/manga/tag") && e.redirect != "":
		to := e.redirect
		e.redirect = ""
		resp, err := answer(307, "text/plain", "")
		resp.Header.Set("Location", to)
		return resp, err
	case strings.Contains(path, "/at-home/server/"):
		return answer(200, json, fmt.Sprintf(`{"result":"ok","baseUrl":%q,"chapter":{"hash":"0123","data":["1.jpg"],"dataSaver":["1.jpg"]}}`, e.node))
	case strings.Contains(path, "/data/"):
		return answer(200, "image/jpeg", page)
	}
	return answer(200, json, `{"result":"ok","response":"collection","data":[],"limit":100,"offset":0,"total":0}`)
}

// last is the last request.
func (e *everywhere) last() *http.Request {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.seen[len(e.seen)-1]
}

// One address gets one answer from every package: whether the limits hold, whether a token goes
// there, whether a redirect to it carries the token along. A page of a node is fetched from any address
// of a host, and carries no token, whatever the others say.
func TestOneAnswerForAll(t *testing.T) {
	t.Parallel()
	const (
		mangadex = api.Production
		six      = "https://[2001:db8::1]/base"
		local    = "http://127.0.0.1:8080"
	)
	type want struct{ ours, redirected, page bool }
	mine, other, nowhere := want{true, true, true}, want{false, false, true}, want{false, false, false}
	beside := want{false, true, true} // the server leads there itself, and it is its own origin
	for server, addresses := range map[string]map[string]want{
		mangadex: {
			"https://api.mangadex.org":                 mine,
			"https://API.MangaDex.ORG":                 mine,
			"HTTPS://api.mangadex.org":                 mine,
			"https://api.mangadex.org:443":             mine,
			"https://api.mangadex.org:0443":            mine,
			"https://api.mangadex.org.":                mine,
			"https://Api.Mangadex.Org.:443":            mine,
			"https://api.mangadex.org/elsewhere":       mine,
			"http://api.mangadex.org":                  other,
			"http://api.mangadex.org:443":              other,
			"https://api.mangadex.org:444":             other,
			"https://api.mangadex.org.example":         other,
			"https://evil.api.mangadex.org":            other,
			"https://other.example/api.mangadex.org":   other,
			"https://xn--pi-7lc.mangadex.org":          other,
			"https://api-mangadex.org":                 other,
			"https://[2001:db8::1]":                    other,
			"https://[::ffff:127.0.0.1]":               other,
			"https://api.mangadex.dev":                 other,
			"https://uploads.mangadex.org":             other,
			"https://api.mangadex.org%2eother.invalid": nowhere,
			"https://api.mangadex.org..":               nowhere,
			"https://api.mangadex.org@other.example":   nowhere,
			"https://name:word@api.mangadex.org":       {true, true, false}, // of MangaDex, but no address of a node
			"https://api.mangadеx.org":                 nowhere,             // one letter is Cyrillic
			"https://аpi.mangadex.org":                 nowhere,
			"https://api.mangadex.org。":                nowhere, // a full stop of Chinese, which some take for a dot
			"https://api。mangadex.org":                 nowhere,
		},
		six: {
			"https://[2001:db8::1]/base":           mine,
			"https://[2001:DB8::1]/base":           mine,
			"https://[2001:db8:0:0:0:0:0:1]/base":  mine,
			"https://[2001:db8::1]:443/base":       mine,
			"https://[2001:db8::1]/base/and/more":  mine,
			"https://[2001:db8::1]":                beside,
			"https://[2001:db8::1]/bases":          beside,
			"https://[2001:db8::1]/other/base":     beside,
			"https://[2001:db8::2]/base":           other,
			"http://[2001:db8::1]/base":            other,
			"https://[2001:db8::1]/base/../other":  {false, true, false},
			"https://[2001:db8::1%25eth0]/base":    other,
			"https://[2001:db8::1]:8443/base":      other,
			"https://2001-db8--1.example/base":     other,
			"https://[2001:db8::1]@x.example/base": nowhere,
		},
		local: {
			"http://127.0.0.1:8080":           mine,
			"http://[::ffff:127.0.0.1]:8080":  mine,
			"http://127.0.0.1:08080":          mine,
			"http://127.0.0.1":                other,
			"http://127.0.0.1:8081":           other,
			"https://127.0.0.1:8080":          other,
			"http://localhost:8080":           other,
			"http://127.0.0.1:8080.other.tld": nowhere,
			"http://127.0.0.1:80800":          nowhere,
		},
	} {
		for address, want := range addresses {
			t.Run(server+" "+address, func(t *testing.T) {
				t.Parallel()
				limits := limitsHold(t, server, address)
				token, redirected := tokens(t, server, address)
				if limits != want.ours || token != want.ours || redirected != want.redirected {
					t.Errorf("limits hold: %t, a token goes there: %t, and along with a redirect: %t; want %+v", limits, token, redirected, want)
				}
				if page := pageComes(t, address); page != want.page {
					t.Errorf("a page is fetched: %t", page)
				}
			})
		}
	}
}

// limitsHold reports whether the transport for a server keeps limits for an address. What is
// no address is kept from every server.
func limitsHold(t *testing.T, server, address string) bool {
	polite, err := transport.New(transport.WithAPIServer(server), transport.WithBase(new(everywhere)), transport.WithMaxWait(0))
	if err != nil {
		t.Fatal(err)
	}
	refused := 0
	for range 20 {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address+"/manga", nil)
		if err != nil {
			return false
		}
		resp, err := polite.RoundTrip(req)
		if errors.Is(err, api.ErrRateLimited) {
			refused++
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
	}
	if refused != 0 && refused < 14 {
		t.Errorf("%d of 20 requests were refused", refused)
	}
	return refused > 0
}

// tokens reports whether a session for a server gives a request for an address its token, and
// whether a redirect to it does.
func tokens(t *testing.T, server, address string) (edited, redirected bool) {
	net := new(everywhere)
	session, err := authn.New(authn.WithAPIServer(server), authn.WithAuthServer("https://auth.example/realm"), authn.WithPersonalClient("client", "secret"), authn.WithPassword("name", "password"), authn.WithHTTPClient(&http.Client{Transport: net}))
	if err != nil {
		t.Fatal(err)
	}
	defer session.Close()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address+"/user/me", nil)
	if err != nil {
		return false, false
	}
	if err := session.Edit(t.Context(), req); err == nil {
		edited = req.Header.Get("Authorization") != ""
	} else if req.Header.Get("Authorization") != "" {
		t.Errorf("refused, but with a token: %v", err)
	}

	client, err := api.New(server, api.WithHTTPClient(&http.Client{Transport: net}), api.WithoutRetry(), authn.Use(session))
	if err != nil {
		t.Fatal(err)
	}
	net.redirect = address + "/manga/tag"
	if _, err := client.ListTags(authn.ContextWithToken(t.Context())); err != nil {
		t.Fatal(err)
	}
	last := net.last()
	if !strings.HasPrefix(last.URL.String(), strings.Split(address, "@")[0]) && !strings.HasPrefix(strings.ToLower(address), last.URL.Scheme) {
		t.Errorf("the redirect was not followed, but %s", last.URL)
	}
	return edited, strings.HasPrefix(last.Header.Get("Authorization"), "Bearer ") // not a name in the address, which net/http sends as Basic
}

// pageComes reports whether a page is fetched from a node of an address. It must be asked for there, and
// without a token.
func pageComes(t *testing.T, node string) bool {
	net := &everywhere{node: node}
	client, err := api.New(api.Production, api.WithHTTPClient(&http.Client{Transport: net}), api.WithRequestEditorFn(func(_ context.Context, req *http.Request) error {
		req.Header.Set("Authorization", "Bearer access")
		return nil
	}))
	if err != nil {
		t.Fatal(err)
	}
	id := uuid.MustParse("00000000-0000-4000-8000-0000000000c1")
	details := api.Chapter{ID: id}
	details.Attributes.Pages = 1
	chapter, err := athome.Open(t.Context(), client, id, athome.WithDetails(details), athome.WithoutReports())
	if err != nil {
		return false
	}
	defer chapter.Close()
	image, err := chapter.Fetch(t.Context(), chapter.Pages()[0])
	if err != nil || string(image.Data) != page {
		t.Errorf("%q, %v", image.Data, err)
	}
	want, err := http.NewRequestWithContext(t.Context(), http.MethodGet, node+"/data/0123/1.jpg", nil)
	if err != nil {
		t.Fatal(err)
	}
	if last := net.last(); last.Header.Get("Authorization") != "" || last.URL.String() != want.URL.String() {
		t.Errorf("the page was asked for at %s with %v", last.URL, last.Header)
	}
	return true
}
