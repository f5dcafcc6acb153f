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
// there, whether a redirect to it carries the token along, and whether pages come from it.
func TestOneAnswerForAll(t *testing.T) {
	t.Parallel()
	for address, ours := range map[string]bool{
		"https://api.mangadex.org":                 true,
		"https://API.MangaDex.ORG":                 true,
		"https://api.mangadex.org:443":             true,
		"https://api.mangadex.org.":                true,
		"https://Api.Mangadex.Org.:443":            true,
		"http://api.mangadex.org":                  false,
		"http://api.mangadex.org:443":              false,
		"https://api.mangadex.org:444":             false,
		"https://api.mangadex.org.example":         false,
		"https://evil.api.mangadex.org":            false,
		"https://api.mangadex.org@other.example":   false,
		"https://other.example/api.mangadex.org":   false,
		"https://xn--pi-7lc.mangadex.org":          false,
		"https://api-mangadex.org":                 false,
		"https://[2001:db8::1]":                    false,
		"https://api.mangadex.dev":                 false,
		"https://uploads.mangadex.org":             false,
		"https://api.mangadex.org..":               false,
		"https://api.mangadex.org%2eother.invalid": false,
	} {
		t.Run(address, func(t *testing.T) {
			t.Parallel()
			limits := limitsHold(t, address)
			token, redirected := tokens(t, address)
			if limits != ours || token != ours || redirected != ours {
				t.Errorf("limits hold: %t, a token goes there: %t, and along with a redirect: %t; want %t for all", limits, token, redirected, ours)
			}
		})
	}
}

// limitsHold reports whether the transport for [api.Production] keeps limits for an address. What is
// no address is kept from every server.
func limitsHold(t *testing.T, address string) bool {
	polite, err := transport.New(transport.WithServer(api.Production), transport.WithBase(new(everywhere)), transport.WithMaxWait(0))
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

// tokens reports whether a session for [api.Production] gives a request for an address its token, and
// whether a redirect to it does.
func tokens(t *testing.T, address string) (edited, redirected bool) {
	net := new(everywhere)
	session, err := authn.New(authn.WithPersonalClient("client", "secret"), authn.WithPassword("name", "password"), authn.WithHTTPClient(&http.Client{Transport: net}))
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

	client, err := api.New(api.Production, api.WithHTTPClient(&http.Client{Transport: net}), api.WithoutRetry(), authn.Use(session))
	if err != nil {
		t.Fatal(err)
	}
	net.redirect = address + "/manga/tag"
	if _, err := client.ListTags(authn.WithToken(t.Context())); err != nil {
		t.Fatal(err)
	}
	last := net.last()
	if !strings.HasPrefix(last.URL.String(), strings.Split(address, "@")[0]) && !strings.HasPrefix(address, last.URL.Scheme) {
		t.Errorf("the redirect was not followed, but %s", last.URL)
	}
	return edited, strings.HasPrefix(last.Header.Get("Authorization"), "Bearer ") // not a name in the address, which net/http sends as Basic
}

// A page is fetched from wherever the API says that its node is, without a token.
func TestPagesOfANode(t *testing.T) {
	t.Parallel()
	for _, node := range []string{"https://node.mangadex.network", "https://NODE.mangadex.network:443/token/abc", "https://node.mangadex.network.:44300", "https://cdn.example", "http://127.0.0.1:1"} {
		net := &everywhere{node: node}
		hc := &http.Client{Transport: net}
		client, err := api.New(api.Production, api.WithHTTPClient(hc), api.WithRequestEditorFn(func(_ context.Context, req *http.Request) error {
			req.Header.Set("Authorization", "Bearer access")
			return nil
		}))
		if err != nil {
			t.Fatal(err)
		}
		id := uuid.MustParse("00000000-0000-4000-8000-0000000000c1")
		details := api.Chapter{ID: id}
		details.Attributes.Pages = 1
		chapter, err := athome.Open(t.Context(), client, id, athome.WithDetails(details), athome.WithHTTPClient(hc), athome.WithoutReports())
		if err != nil {
			t.Errorf("%s: %v", node, err)
			continue
		}
		image, err := chapter.Fetch(t.Context(), chapter.Pages()[0])
		if err != nil || string(image.Data) != page {
			t.Errorf("%s: %q, %v", node, image.Data, err)
		}
		if last := net.last(); last.Header.Get("Authorization") != "" || !strings.HasPrefix(last.URL.String(), node) {
			t.Errorf("%s: the page was asked for at %s with %v", node, last.URL, last.Header)
		}
		chapter.Close()
	}
}
