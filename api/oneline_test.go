package api_test

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"unicode"

	"github.com/mangadex-go/mangadex/api"
)

// TestErrorOfProxy prints what a proxy says on one line, without what could draw on a terminal. The
// witness is net/http, which puts the words of a proxy into its error.
func TestErrorOfProxy(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			http.ReadRequest(bufio.NewReader(conn))
			io.WriteString(conn, "HTTP/1.1 407 \x1b[2Jpay\x07 \u202eattention\r\nContent-Length: 0\r\n\r\n")
			conn.Close()
		}
	}()
	proxy := &http.Transport{Proxy: http.ProxyURL(&url.URL{Scheme: "http", Host: listener.Addr().String()})}
	client, err := api.New(api.Production, api.WithHTTPClient(&http.Client{Transport: proxy}), api.WithoutRetry())
	if err != nil {
		t.Fatal(err)
	}
	_, err = client.ListTags(t.Context())
	if err == nil || !strings.Contains(err.Error(), "attention") {
		t.Fatalf("the error is %v", err)
	}
	if text := err.Error(); strings.ContainsFunc(text, func(r rune) bool { return unicode.In(r, unicode.Cc, unicode.Bidi_Control) }) {
		t.Errorf("%q can draw on a terminal", text)
	}
}
