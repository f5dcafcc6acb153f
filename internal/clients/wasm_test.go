package clients_test

import (
	"net/http"
	"net/http/httptest"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// TestFetch builds a program for JavaScript and runs it under Node, where net/http has no sockets of
// its own but uses fetch, as in a browser.
func TestFetch(t *testing.T) {
	if testing.Short() {
		t.Skip("builds a program")
	}
	node, err := exec.LookPath("node")
	if err != nil {
		t.Skip("there is no Node")
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.Write([]byte(tags))
	}))
	defer server.Close()
	program := filepath.Join(t.TempDir(), "program.wasm")
	build := exec.CommandContext(t.Context(), "go", "build", "-buildvcs=false", "-o", program, "./testdata/fetch")
	build.Env = append(build.Environ(), "GOOS=js", "GOARCH=wasm")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	run := exec.CommandContext(t.Context(), node, filepath.Join(runtime.GOROOT(), "lib", "wasm", "wasm_exec_node.js"), program, server.URL)
	run.Args[0] = "browser" // under the name of node, net/http fakes a network instead
	out, err := run.CombinedOutput()
	if err != nil || strings.TrimSpace(string(out)) != "0 tags" {
		t.Errorf("%v\n%s", err, out)
	}
}
