package main_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// generated are the files that come from the document and the overlay.
func generated(t *testing.T) []string {
	t.Helper()
	paths := []string{"api/apitest/openapi.gen.json", "internal/operation/table.gen.go"}
	code, err := filepath.Glob("../../api/*.gen.go")
	if err != nil || len(code) == 0 {
		t.Fatalf("no generated code: %v", err)
	}
	for _, path := range code {
		paths = append(paths, "api/"+filepath.Base(path))
	}
	return paths
}

// run runs a program in a directory and returns what it prints.
func run(t *testing.T, dir string, env []string, name string, args ...string) (string, error) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), append(env, "GOWORK=off")...)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func mustRun(t *testing.T, dir string, env []string, name string, args ...string) string {
	t.Helper()
	out, err := run(t, dir, env, name, args...)
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", filepath.Base(name), strings.Join(args, " "), err, out)
	}
	return out
}

// tools returns the programs that turn a document into code.
func tools(t *testing.T) (specimport, apigen string) {
	t.Helper()
	if testing.Short() {
		t.Skip("generates and builds for a minute")
	}
	if _, err := exec.LookPath("go"); err != nil {
		t.Skip("there is no go command")
	}
	buildOnce.Do(func() {
		if programs, buildErr = os.MkdirTemp("", "apigen"); buildErr == nil {
			build := exec.Command("go", "build", "-o", programs, "./internal/specimport", "./internal/apigen")
			build.Dir = "../.."
			if out, err := build.CombinedOutput(); err != nil {
				buildErr = fmt.Errorf("%w\n%s", err, out)
			}
		}
	})
	if buildErr != nil {
		t.Fatal(buildErr)
	}
	return filepath.Join(programs, "specimport"), filepath.Join(programs, "apigen")
}

var (
	buildOnce sync.Once
	programs  string // the directory they are in
	buildErr  error
)

func TestMain(m *testing.M) {
	status := m.Run()
	if programs != "" {
		os.RemoveAll(programs)
	}
	os.Exit(status)
}

// module copies the module to a directory of its own.
func module(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	err := filepath.WalkDir("../..", func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		target := filepath.Join(dir, strings.TrimPrefix(path, "../.."))
		if entry.IsDir() {
			if entry.Name() == ".git" {
				return filepath.SkipDir
			}
			return os.MkdirAll(target, 0o755)
		}
		content, err := os.ReadFile(path)
		if errors.Is(err, fs.ErrNotExist) || !entry.Type().IsRegular() {
			return nil
		}
		if err != nil {
			return err
		}
		return os.WriteFile(target, content, 0o644)
	})
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// upstream is one of the documents of MangaDex, which are not part of the module.
func upstream(t *testing.T, name string) string {
	t.Helper()
	path, err := filepath.Abs(filepath.Join("../../../shared/spec", name))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path); err != nil {
		t.Skip("the document is not here")
	}
	return path
}

// importDocument imports a document and generates everything from it. The exit status of the
// import is 3 when the document differs from the one that was there.
func importDocument(t *testing.T, dir, specimport, apigen, document string, status int) {
	t.Helper()
	out, err := run(t, dir, nil, specimport, document)
	var exit *exec.ExitError
	if got := 0; err != nil && (!errors.As(err, &exit) || exit.ExitCode() != status) || err == nil && status != got {
		t.Fatalf("specimport: %v, want the status %d\n%s", err, status, out)
	}
	mustRun(t, dir, nil, apigen)
}

// compile builds every package without linking the programs.
func compile(t *testing.T, dir string) {
	t.Helper()
	mustRun(t, dir, nil, "go", "list", "-export", "./...")
}

// TestRepeatable generates from the committed document, twice, and compares with what is committed.
func TestRepeatable(t *testing.T) {
	t.Parallel()
	_, apigen := tools(t)
	dir := module(t)
	for range 2 {
		for _, path := range generated(t) {
			if err := os.Remove(filepath.Join(dir, path)); err != nil {
				t.Fatal(err)
			}
		}
		mustRun(t, dir, nil, apigen, "-strict")
		for _, path := range generated(t) {
			same(t, path, filepath.Join(dir, path))
		}
	}
}

// TestImportPresent imports the document that openapi.yaml came from.
func TestImportPresent(t *testing.T) {
	t.Parallel()
	document := upstream(t, "upstream-5.13.1.yaml")
	specimport, apigen := tools(t)
	dir := module(t)
	if present, err := os.ReadFile("../../openapi.yaml"); err != nil || !bytes.Contains(present, []byte("version: '5.13.1'")) {
		t.Skip("openapi.yaml came from another document")
	}
	importDocument(t, dir, specimport, apigen, document, 0)
	for _, path := range append(generated(t), "openapi.yaml") {
		same(t, path, filepath.Join(dir, path))
	}
}

func same(t *testing.T, path, other string) {
	t.Helper()
	want, err := os.ReadFile(filepath.Join("../..", path))
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(other)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(want, got) {
		t.Errorf("%s is not what go generate writes", path)
	}
}

// TestImportPast imports documents of the past: the module builds, and with the one before the
// present the tests pass.
func TestImportPast(t *testing.T) {
	t.Parallel()
	for document, packages := range map[string]string{"upstream-5.10.0.yaml": "", "upstream-5.12.0.json": "./api"} {
		t.Run(document, func(t *testing.T) {
			document := upstream(t, document)
			specimport, apigen := tools(t)
			dir := module(t)
			importDocument(t, dir, specimport, apigen, document, 3)
			compile(t, dir)
			if packages != "" {
				mustRun(t, dir, nil, "go", "test", "-short", packages)
			}
		})
	}
}

// TestImportTomorrow imports a document with an operation, a parameter, a property and schemas
// that nobody has heard of, and without the operations that are deprecated today. To these it adds
// whatever OpenAPI allows and MangaDex has not used yet, and names that are taken.
func TestImportTomorrow(t *testing.T) {
	t.Parallel()
	specimport, apigen := tools(t)
	dir := module(t)
	document := filepath.Join(t.TempDir(), "tomorrow.json")
	mustRun(t, "../..", []string{"SPECIMPORT_TOMORROW_OUT=" + document}, "go", "test", "-count=1", "-run", "^TestTomorrow$", "./internal/specimport")
	merge(t, document, "testdata/odd.json")
	importDocument(t, dir, specimport, apigen, document, 3)
	if err := os.CopyFS(filepath.Join(dir, "internal", "tomorrow"), os.DirFS("testdata/tomorrow")); err != nil {
		t.Fatal(err)
	}
	compile(t, dir)
	if types, err := os.ReadFile(filepath.Join(dir, "api", "types.gen.go")); err != nil || bytes.Contains(types, []byte("Forgotten")) {
		t.Errorf("there is a type that no operation uses: %v", err)
	}
	want, err := os.ReadFile("testdata/tomorrow/output.txt")
	if err != nil {
		t.Fatal(err)
	}
	if got := mustRun(t, dir, nil, "go", "run", "./internal/tomorrow"); got != string(want) {
		t.Errorf("the program prints\n%s\nwant\n%s", got, want)
	}
}

// merge adds the paths and schemas of a document to another one.
func merge(t *testing.T, document, more string) {
	t.Helper()
	type part struct {
		Paths      map[string]json.RawMessage
		Components struct{ Schemas map[string]json.RawMessage }
	}
	var added part
	var whole map[string]any
	for path, v := range map[string]any{document: &whole, more: &added} {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(data, v); err != nil {
			t.Fatal(err)
		}
	}
	for path, item := range added.Paths {
		whole["paths"].(map[string]any)[path] = item
	}
	for name, schema := range added.Components.Schemas {
		whole["components"].(map[string]any)["schemas"].(map[string]any)[name] = schema
	}
	data, err := json.Marshal(whole)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(document, data, 0o644); err != nil {
		t.Fatal(err)
	}
}
