package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/mangadex-go/mangadex/internal/document"
)

// upstream is a document with everything that the import has to look at, and
// imported what becomes of it.
var (
	upstream = mustRead("../document/testdata/upstream.yaml")
	imported = mustRead("../document/testdata/facts.yaml")
)

func mustRead(path string) string {
	content, err := os.ReadFile(path)
	if err != nil {
		panic(err)
	}
	return string(content)
}

// A result is what a run printed and how it ended.
type result struct {
	status         int
	stdout, stderr string
}

func runWith(args ...string) result {
	var stdout, stderr strings.Builder
	status := run(args, &stdout, &stderr)
	return result{status, stdout.String(), stderr.String()}
}

// write puts a file into a new directory and returns its path.
func write(t *testing.T, name, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

func read(t *testing.T, path string) string {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

// imports runs the program on a document, with no file to replace, and returns
// what it wrote.
func imports(t *testing.T, source string) string {
	t.Helper()
	target := filepath.Join(t.TempDir(), "openapi.yaml")
	if r := runWith("-o", target, source); r.status != exitChanged || r.stderr != "" || !strings.Contains(r.stdout, "new file") {
		t.Fatalf("import of %s: %+v", source, r)
	}
	return read(t, target)
}

func TestFacts(t *testing.T) {
	t.Parallel()
	if got := imports(t, write(t, "api.yaml", upstream)); got != imported {
		t.Errorf("openapi.yaml differs from testdata/facts.yaml:\n%s", got)
	}
}

// TestStrings writes strings that some YAML reader takes for something else.
func TestStrings(t *testing.T) {
	t.Parallel()
	words := []any{
		"on", "No", "y", "~", "null", "true", "1.0", "1e3", "0x1f", "0o7", "1_000", "2020-01-01", "12:30:45", "=", "<<", ".inf",
		"", " ", " a", "a ", "a: b", "a #b", "#a", "- a", "?", "*a", "&a", "!a", "%a", "@a", "`a", "{a", "[a", "'a'", `"a"`,
		"a\nb", "a\n", "\n", "\t", "\x00", "\x7f", "\u0085", "\u00a0", "\u2028", "\ufeff", "é", "日本", "😀", strings.Repeat("long ", 99), "---", "...",
	}
	keyed := map[string]any{}
	for _, word := range words {
		keyed[word.(string)] = word
	}
	doc := map[string]any{
		"openapi": "3.1.0",
		"info":    map[string]any{"version": "1\n# 2"},
		"paths":   map[string]any{"/on": map[string]any{"get": map[string]any{"x-words": words, "x-keys": keyed}}},
	}
	content, err := json.Marshal(doc)
	if err != nil {
		t.Fatal(err)
	}
	var got map[string]any
	if err := yaml.Unmarshal([]byte(imports(t, write(t, "api.json", string(content)))), &got); err != nil {
		t.Fatal(err)
	}
	doc["info"].(map[string]any)["title"] = "MangaDex API"
	if !reflect.DeepEqual(got, doc) {
		t.Errorf("got  %v\nwant %v", got, doc)
	}
}

func TestNumbers(t *testing.T) {
	t.Parallel()
	const document = "openapi: 3.0.0\ninfo: {version: 6.0}\npaths: {/a: {x-n: [%s]}}\n"
	got := imports(t, write(t, "api.yaml", fmt.Sprintf(document, "1.0, 0x10, 1_000, -0.0, +5, .5, 1e3, 1e30, 9007199254740993, 18446744073709551615")))
	want := []string{"1", "16", "1000", "0", "5", "0.5", "1000", "1e+30", "9007199254740993", "18446744073709551615"}
	if !strings.Contains(got, "- "+strings.Join(want, "\n      - ")+"\n") || !strings.Contains(got, "version: '6.0'") {
		t.Error(got)
	}
}

const minimal = "openapi: 3.0.0\ninfo: {version: '1'}\npaths: {/a: {get: {responses: {'200': {description: ''}}}}}\n"

func TestRefusals(t *testing.T) {
	t.Parallel()
	const rest = "\ninfo: {version: '1'}\npaths: {/a: {get: {%s}}}\n"
	for name, test := range map[string]struct{ document, want string }{
		"empty":                {"", "is empty"},
		"white":                {" \n\t\n", "is empty"},
		"comment":              {"# nothing\n", "all of it is empty"},
		"web page":             {"\n<!DOCTYPE html><html></html>", "is a web page"},
		"words":                {"Not Found", "all of it is a string"},
		"list":                 {"[1, 2]", "all of it is a list"},
		"number":               {"404", "all of it is a number"},
		"binary":               {"\x00\x01\xff", "is neither JSON nor YAML"},
		"error answer":         {`{"result": "error", "errors": []}`, "has no key openapi"},
		"Swagger":              {"swagger: '2.0'\npaths: {}\n", "is a Swagger 2.0 document"},
		"OpenAPI 2":            {"openapi: 2.0.0\n", `is an OpenAPI "2.0.0" document`},
		"OpenAPI 3.2":          {"openapi: 3.2.0\n", `is an OpenAPI "3.2.0" document`},
		"OpenAPI 3.10":         {"openapi: 3.10.0\n", `is an OpenAPI "3.10.0" document`},
		"no version":           {"openapi: 3.0.0\ninfo: {}\npaths: {/a: {}}\n", "has no info.version"},
		"no paths":             {"openapi: 3.0.0\ninfo: {version: '1'}\n", "has no paths"},
		"empty paths":          {"openapi: 3.0.0\ninfo: {version: '1'}\npaths:\n", "has no paths"},
		"cut off JSON":         {`{"openapi": "3.0.0", "info": {"ver`, "is cut off (unexpected end of JSON input)"},
		"cut off YAML":         {"openapi: 3.0.0\ninfo: {version: '1", "or is cut off (yaml: "},
		"cut off at a key":     {minimal + "components:\n  schemas:\n    Manga:\n", "components.schemas.Manga has to be an object and is empty"},
		"cut off at a list":    {minimal + "servers:\n", "servers has to be a list and is empty"},
		"two documents":        {minimal + "---\n" + minimal, "more than one YAML document"},
		"same key in JSON":     {`{"openapi": "3.0.0", "openapi": "3.0.0"}`, `key "openapi" occurs twice`},
		"same key in YAML":     {minimal + "openapi: 3.0.0\n", `key "openapi" occurs twice`},
		"key of a kind":        {minimal + "? [a]\n: b\n", "a key is not a word"},
		"bad merge":            {minimal + "x-a: {<<: [1]}\n", "a merge key does not name an object"},
		"alias in itself":      {minimal + "x-a: &a [*a]\n", "nested more than 500 deep"},
		"alias bomb":           {minimal + bomb(), "more than 1000000 values"},
		"deep JSON":            {strings.Repeat(`{"a":`, 600) + "1" + strings.Repeat("}", 600), "nested more than 500 deep"},
		"not a number":         {minimal + "x-a: .nan\n", "no number of JSON's"},
		"not a truth value":    {minimal + "x-a: !!bool 7\n", "is neither JSON nor YAML"},
		"wrong kind":           {"openapi: 3.0.0\ninfo: {version: '1'}\npaths: {/a: {get: [1]}}\n", "paths./a.get has to be an object and is a list"},
		"wrong kind in a list": {"openapi: 3.0.0" + fmt.Sprintf(rest, "parameters: [a]"), "paths./a.get.parameters[0] has to be an object and is a string"},
		"dangling ref":         {"openapi: 3.0.0" + fmt.Sprintf(rest, "responses: {'200': {$ref: '#/components/responses/OK'}}"), "paths./a.get.responses.200 refers to #/components/responses/OK, which is not there"},
		"dangling mapping":     {minimal + "components: {schemas: {A: {discriminator: {mapping: {b: '#/components/schemas/B'}}}}}", "refers to #/components/schemas/B, which is not there"},
		"ref of a kind":        {minimal + "components: {schemas: {A: {$ref: 7}}}", "components.schemas.A: $ref is a number"},
		"ref into a file":      {minimal + "components: {schemas: {A: {$ref: 'b.yaml#/B'}}}", "refers to another document at components.schemas.A (b.yaml#/B)"},
		"unknown scheme":       {minimal + "security: [{Bearer: []}]", "security names the scheme Bearer, which is not there"},
		"security of a kind":   {minimal + "security:\n", "security is empty, not a list"},
		"requirement":          {"openapi: 3.0.0" + fmt.Sprintf(rest, "security: [Bearer]"), "an item of paths./a.get.security is a string, not an object"},
		"scopes":               {minimal + "security:\n  - Bearer:\n", "Bearer of security is empty, not a list"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			refused(t, write(t, "document", test.document), test.want)
		})
	}
}

// bomb is a small YAML value that aliases make a large one.
func bomb() string {
	var b strings.Builder
	b.WriteString("x-0: &a0 [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]\n")
	for i := 1; i < 9; i++ {
		fmt.Fprintf(&b, "x-%d: &a%d [%s]\n", i, i, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*a%d, ", i-1), 10), ", "))
	}
	return b.String()
}

// refused expects that a document is refused in one line with these words, and
// that the old file is as it was.
func refused(t *testing.T, source, words string, flags ...string) {
	t.Helper()
	const old = "the old file"
	target := write(t, "openapi.yaml", old)
	r := runWith(slices.Concat([]string{"-o", target}, flags, []string{source})...)
	if r.status != exitError || r.stdout != "" {
		t.Errorf("status %d, stdout %q", r.status, r.stdout)
	}
	if !strings.HasPrefix(r.stderr, "specimport: ") || !strings.Contains(r.stderr, words) || strings.Count(r.stderr, "\n") != 1 {
		t.Errorf("stderr has not %q:\n%s", words, r.stderr)
	}
	if got := read(t, target); got != old {
		t.Errorf("the old file is now %q", got)
	}
	if entries, err := os.ReadDir(filepath.Dir(target)); err != nil || len(entries) != 1 {
		t.Errorf("files are left behind: %v, %v", entries, err)
	}
}

func TestArguments(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		args   []string
		status int
		want   string
	}{
		"none":    {nil, exitError, "specimport: no document was named"},
		"two":     {[]string{"a", "-check"}, exitError, "specimport: one document is imported at a time, and 2 arguments were given"},
		"unknown": {[]string{"-x"}, exitError, "specimport: flag provided but not defined: -x; specimport -h lists the flags\n"},
		"help":    {[]string{"-h"}, exitSame, "Exit status: 0 nothing changed, 1 error (the old file is as it was), 3 changed.\n"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if r := runWith(test.args...); r.status != test.status || !strings.Contains(r.stdout+r.stderr, test.want) {
				t.Errorf("%+v", r)
			}
		})
	}
}

func TestFiles(t *testing.T) {
	t.Parallel()
	t.Run("none", func(t *testing.T) {
		t.Parallel()
		refused(t, filepath.Join(t.TempDir(), "none.yaml"), "; give the path of a file or an http(s) URL")
	})
	t.Run("directory", func(t *testing.T) {
		t.Parallel()
		refused(t, t.TempDir(), "cannot be read to its end")
	})
	t.Run("too large", func(t *testing.T) {
		t.Parallel()
		path := write(t, "large.yaml", "")
		if err := os.Truncate(path, document.MaxBytes+1); err != nil {
			t.Fatal(err)
		}
		refused(t, path, "has more than 64 MiB")
	})
	t.Run("old file broken", func(t *testing.T) {
		t.Parallel()
		refused(t, write(t, "api.yaml", upstream), "openapi.yaml, the file to replace, is not an OpenAPI document, as all of it is a string: look whether it is the right one; restore it, or delete it")
	})
	t.Run("no directory", func(t *testing.T) {
		t.Parallel()
		r := runWith("-o", filepath.Join(t.TempDir(), "none", "openapi.yaml"), write(t, "api.yaml", upstream))
		if r.status != exitError || !strings.HasPrefix(r.stderr, "specimport: ") {
			t.Errorf("%+v", r)
		}
	})
	t.Run("target is a directory", func(t *testing.T) {
		t.Parallel()
		r := runWith("-o", t.TempDir(), write(t, "api.yaml", upstream))
		if r.status != exitError || !strings.Contains(r.stderr, "the file to replace cannot be read") {
			t.Errorf("%+v", r)
		}
	})
	t.Run("mode", func(t *testing.T) {
		t.Parallel()
		if runtime.GOOS == "windows" {
			t.Skip("files have no mode there")
		}
		target := write(t, "openapi.yaml", imported)
		if err := os.Chmod(target, 0o600); err != nil {
			t.Fatal(err)
		}
		if r := runWith("-o", target, write(t, "api.yaml", upstream+"x-new: 1\n")); r.status != exitChanged {
			t.Fatalf("%+v", r)
		}
		if info, err := os.Stat(target); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%v, %v", info.Mode(), err)
		}
	})
}

func TestModuleRoot(t *testing.T) {
	t.Parallel()
	root, err := moduleRoot()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(root, "internal", "specimport", "main.go")); err != nil {
		t.Error(err)
	}
}

func TestURL(t *testing.T) {
	t.Parallel()
	agents := make(chan string, 1)
	mux := http.NewServeMux()
	mux.HandleFunc("/api.yaml", func(w http.ResponseWriter, r *http.Request) {
		agents <- r.UserAgent()
		_, _ = io.WriteString(w, upstream)
	})
	mux.HandleFunc("/large", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", fmt.Sprint(document.MaxBytes+1))
	})
	mux.HandleFunc("/short", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "1000")
		_, _ = io.WriteString(w, upstream[:500])
	})
	mux.HandleFunc("/page", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "<html>")
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)

	if imports(t, server.URL+"/api.yaml") != imported {
		t.Error("the URL gives another file than the path")
	}
	if agent := <-agents; agent != "mangadex-go/specimport (+https://github.com/mangadex-go/mangadex)" {
		t.Errorf("User-Agent %q", agent)
	}
	refused(t, server.URL+"/none", "/none answers 404 Not Found instead of 200 OK")
	refused(t, server.URL+"/large", "/large has more than 64 MiB")
	refused(t, server.URL+"/short", "/short cannot be read to its end: unexpected EOF")
	refused(t, server.URL+"/page", "/page is a web page")
	refused(t, strings.Replace(server.URL, "://", "://user:secret@", 1)+"/none", "://user:xxxxx@")
	refused(t, "http://%", "the document cannot be fetched")
	server.Close()
	refused(t, server.URL+"/api.yaml", "the document cannot be fetched: ")
}

// TestCheck prints the changes and writes nothing.
func TestCheck(t *testing.T) {
	t.Parallel()
	target := filepath.Join(t.TempDir(), "openapi.yaml")
	source := write(t, "api.yaml", upstream)
	if r := runWith("-check", "-o", target, source); r.status != exitChanged || r.stdout != "openapi.yaml: new file, version 1.2.3, 5 operations\n" {
		t.Errorf("%+v", r)
	}
	if _, err := os.Stat(target); err == nil {
		t.Error("the file was written")
	}
	target = write(t, "openapi.yaml", imported)
	if r := runWith("-check", "-o", target, source); r.status != exitSame {
		t.Errorf("%+v", r)
	}
	r := runWith("-check", "-o", target, write(t, "api.yaml", strings.Replace(upstream, "deprecated: true", "deprecated: false", 1)))
	if r.status != exitChanged || !strings.Contains(r.stdout, "~ no longer deprecated: operation GET /feed\n") {
		t.Errorf("%+v", r)
	}
	if read(t, target) != imported {
		t.Error("the file was written")
	}
}

// TestQuarter refuses a document that has lost too many operations.
func TestQuarter(t *testing.T) {
	t.Parallel()
	document := func(operations int) string {
		var b strings.Builder
		b.WriteString("openapi: 3.0.0\ninfo: {version: '1'}\npaths:\n")
		for i := range operations {
			fmt.Fprintf(&b, "  /%d: {get: {responses: {'200': {description: ''}}}}\n", i)
		}
		return b.String()
	}
	target := filepath.Join(t.TempDir(), "openapi.yaml")
	for _, step := range []struct {
		operations int
		flags      []string
		status     int
		want       string
	}{
		{8, nil, exitChanged, "8 operations"},
		{5, nil, exitError, "has lost 3 of the 8 operations that openapi.yaml has, more than a quarter"},
		{5, []string{"-check"}, exitError, "more than a quarter"},
		{6, nil, exitChanged, "- removed operation GET /6"},
		{8, nil, exitChanged, "+ added operation GET /6"},
		{5, []string{"-force"}, exitChanged, "- removed operation GET /5"},
	} {
		before, _ := os.ReadFile(target)
		args := slices.Concat([]string{"-o", target}, step.flags, []string{write(t, "api.yaml", document(step.operations))})
		r := runWith(args...)
		if r.status != step.status || !strings.Contains(r.stdout+r.stderr, step.want) {
			t.Errorf("%d operations: %+v", step.operations, r)
		}
		if r.status == exitError && read(t, target) != string(before) {
			t.Error("the old file has changed")
		}
	}
	refused(t, write(t, "api.yaml", "nonsense"), "is not an OpenAPI document", "-force")
}
