package origin_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/mangadex-go/mangadex/internal/origin"
)

func TestContains(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		server, address string
		want            bool
	}{
		{"https://api.mangadex.org", "https://api.mangadex.org", true},
		{"https://api.mangadex.org", "https://api.mangadex.org/manga", true},
		{"https://api.mangadex.org/", "https://api.mangadex.org/manga", true},
		{"https://API.MangaDex.org:443", "https://api.mangadex.org/manga", true},
		{"https://api.mangadex.org.", "https://api.mangadex.org/manga", true},
		{"https://api.mangadex.org", "https://api.mangadex.org.:0443/manga", true},
		{"https://api.mangadex.org", "HTTPS://API.mangadex.ORG/manga", true},
		{"https://api.mangadex.org", "http://api.mangadex.org/manga", false},
		{"https://api.mangadex.org", "https://api.mangadex.org:80/manga", false},
		{"https://api.mangadex.org", "https://api.mangadex.org:8443/manga", false},
		{"https://api.mangadex.org", "https://api.mangadex.org.evil.example/manga", false},
		{"https://api.mangadex.org", "https://evil.example/api.mangadex.org", false},
		{"https://api.mangadex.org", "https://api.mangadex.org@evil.example/manga", false},
		{"https://api.mangadex.org", "https://api-mangadex.org/manga", false},
		{"https://api.mangadex.org", "https://xapi.mangadex.org/manga", false},
		{"https://api.mangadex.org", "https://аpi.mangadex.org/manga", false}, // the first letter is Cyrillic
		{"https://api.mangadex.org", "https://api.mangadex.org..", false},
		{"https://api.mangadex.org", "https:api.mangadex.org/manga", false},
		{"https://host.example/v1", "https://host.example/v1/manga", true},
		{"https://host.example/v1", "https://host.example/v1", true},
		{"https://host.example/v1", "https://host.example/v10/manga", false},
		{"https://host.example/v1", "https://host.example/manga", false},
		{"https://host.example/v1", "https://host.example/v1/../admin", false},
		{"https://host.example/v1", "https://host.example/v1/%2e%2e/admin", false},
		{"http://127.0.0.1:8080", "http://127.0.0.1:8080/manga", true},
		{"http://127.0.0.1:8080", "http://127.0.0.1/manga", false},
		{"http://[::1]:8080", "http://[0:0:0:0:0:0:0:1]:8080/manga", true},
		{"http://[::1]", "http://[::1]:80/manga", true},
		{"http://[::ffff:127.0.0.1]", "http://127.0.0.1/manga", true},
	} {
		server, err := origin.Parse(test.server, "https://host.example")
		if err != nil {
			t.Fatalf("%s %v", test.server, err)
		}
		u, err := url.Parse(test.address)
		if err != nil {
			t.Fatal(err)
		}
		if got := server.Contains(u); got != test.want {
			t.Errorf("%s contains %s: %t, want %t", test.server, test.address, got, test.want)
		}
		if got := server.ContainsRequest(&http.Request{URL: u, Host: "other.example"}); got {
			t.Errorf("%s contains a request for another host", test.server)
		}
	}
}

func TestParse(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]string{
		"https://API.MangaDex.ORG.:443/": "https://api.mangadex.org",
		"http://localhost:0080":          "http://localhost",
		"https://host.example/a%2Fb/":    "https://host.example/a%2Fb",
		"http://[::1]:8080//":            "http://[::1]:8080",
		"https://host.example:":          "https://host.example",
	} {
		server, err := origin.Parse(address, "https://host.example")
		if err != nil {
			t.Errorf("%s %v", address, err)
		} else if server.String() != want {
			t.Errorf("%s is %s, want %s", address, server, want)
		}
	}
	for address, want := range map[string]string{
		"":                            "is empty",
		"://secret":                   "is not a URL",
		"https://user:secret@x.test":  "user name or a password",
		"api.mangadex.org":            "needs a scheme",
		"ftp://api.mangadex.org":      "needs a scheme",
		"https://":                    "needs a scheme",
		"https://:443":                "needs a scheme",
		"https://.":                   "needs a scheme",
		"mailto:secret":               "needs a scheme",
		"https://x.test?secret=1":     "a query or a fragment",
		"https://x.test/#secret":      "a query or a fragment",
		"https://mängadex.test":       "xn--",
		"https://x.test:0":            "port",
		"https://x.test:65536":        "port",
		" https://x.test":             "space",
		" https://u:secret@x.test ":   "password",
		"https://x.test\n":            "line break",
		"https://x.test/a/../b":       "..",
		"https://u:secret@x.test:bad": "is not a URL",
	} {
		_, err := origin.Parse(address, "https://host.example")
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "secret") && address != "mailto:secret" {
			t.Errorf("%q: %v, want an error with %q", address, err, want)
		}
	}
}

func TestTrust(t *testing.T) {
	t.Parallel()
	for address, want := range map[string][2]bool{ // encrypted, of MangaDex
		"https://api.mangadex.org":         {true, true},
		"http://api.mangadex.org.":         {false, true},
		"http://API.MANGADEX.ORG":          {false, true},
		"http://api.mangadex.dev":          {false, true},
		"https://mangadex.org.example":     {true, false},
		"https://notmangadex.org":          {true, false},
		"http://localhost:8080":            {true, false},
		"http://LOCALHOST.:8080":           {true, false},
		"http://127.0.0.2":                 {true, false},
		"http://[::1]":                     {true, false},
		"http://[::ffff:127.0.0.1]":        {true, false},
		"http://localhost.example":         {false, false},
		"http://192.168.0.1":               {false, false},
		"https://x1.abc.mangadex.network":  {true, true},
		"https://mangadex.network.example": {true, false},
	} {
		server, err := origin.Parse(address, "https://host.example")
		if err != nil {
			t.Fatal(err)
		}
		if got := [2]bool{server.Encrypted(), server.OfMangaDex()}; got != want {
			t.Errorf("%s: %v, want %v", address, got, want)
		}
	}
}

func TestRelative(t *testing.T) {
	t.Parallel()
	server := origin.MustParse("https://host.example/v1")
	for address, want := range map[string]string{
		"https://HOST.example/v1/manga": "/manga",
		"https://host.example/v1":       "",
		"https://host.example/v10":      "/v10",
		"https://other.example/v1/x":    "/v1/x",
	} {
		u, err := url.Parse(address)
		if err != nil {
			t.Fatal(err)
		}
		if got := server.Relative(u); got != want {
			t.Errorf("%s: %q, want %q", address, got, want)
		}
	}
}

// Whatever an address looks like, what is taken for a server keeps being one, and contains itself.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{"https://api.mangadex.org", "http://[::1%25eth0]:80", "https://x.test/%2e%2e", "https://x.test:", "http://1.2.3.4./"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, address string) {
		server, err := origin.Parse(address, "https://host.example")
		if err != nil {
			return
		}
		again, err := origin.Parse(server.String(), "https://host.example")
		if err != nil || again.String() != server.String() {
			t.Fatalf("%q is %q, and that %v, %v", address, server, again, err)
		}
		if !server.Contains(server.URL()) {
			t.Errorf("%q does not contain itself", server)
		}
		if u, err := url.Parse(address); err != nil || !server.Contains(u) && !strings.HasSuffix(u.Path, "//") {
			t.Errorf("%q does not contain %q", server, address)
		}
	})
}
