package realms

import (
	"bufio"
	"context"
	"fmt"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// nodeServer makes a server that runs under Node. See server.mjs in the folder node.
func nodeServer(kind string) func(t *testing.T) *server {
	return func(t *testing.T) *server {
		dir := os.Getenv("REALMS_NODE")
		if dir == "" {
			t.Skip("copy the folder node, run npm install in it, and name it with REALMS_NODE")
		}
		node, err := exec.LookPath("node")
		if err != nil {
			t.Skip("there is no Node here")
		}
		cmd := exec.Command(node, "server.mjs", kind)
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "CLIENT_ID="+clientID, "CLIENT_SECRET="+clientSecret, "ACCOUNT="+username, "PASSWORD="+password,
			fmt.Sprintf("LIFETIME=%d", lifetime/time.Second))
		var words strings.Builder
		cmd.Stderr = &words
		in, err := cmd.StdinPipe() // its end is that of the server
		if err != nil {
			t.Fatal(err)
		}
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			_ = in.Close()
			_ = cmd.Wait()
		})
		port, err := bufio.NewReader(out).ReadString('\n')
		if err != nil {
			t.Fatalf("%s does not start: %v: %s", kind, err, words.String())
		}
		base := "http://127.0.0.1:" + strings.TrimSpace(port)
		to, err := url.Parse(base)
		if err != nil {
			t.Fatal(err)
		}
		at := func(path string) http.HandlerFunc {
			proxy := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
				r.SetURL(to)
				r.Out.URL.Path = path
			}}
			return proxy.ServeHTTP
		}
		s := &server{token: at("/token"), valid: func(token string) bool {
			req, err := http.NewRequestWithContext(context.Background(), http.MethodGet, base+"/valid", nil)
			if err != nil {
				return false
			}
			req.Header.Set("Authorization", "Bearer "+token)
			resp, err := http.DefaultClient.Do(req)
			if err != nil {
				return false
			}
			defer resp.Body.Close()
			return resp.StatusCode == http.StatusOK
		}}
		if kind == "oidc-provider" {
			s.revoke = at("/revoke")
		}
		return s
	}
}
