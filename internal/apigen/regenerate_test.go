package main_test

import (
	"bytes"
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
var generated = []string{
	"api/apitest/openapi.gen.json", "api/bodies.gen.go", "api/calls.gen.go", "api/codecs.gen.go", "api/rawclient.gen.go",
	"api/related.gen.go", "api/types.gen.go", "api/internal/operation/table.gen.go",
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

// TestRepeatable generates from the committed document, twice, and compares with what is committed.
func TestRepeatable(t *testing.T) {
	t.Parallel()
	_, apigen := tools(t)
	dir := module(t)
	for range 2 {
		for _, path := range generated {
			if err := os.Remove(filepath.Join(dir, path)); err != nil {
				t.Fatal(err)
			}
		}
		mustRun(t, dir, nil, apigen, "-strict")
		for _, path := range generated {
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
	for _, path := range append(generated, "openapi.yaml") {
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
			mustRun(t, dir, nil, "go", "build", "./...")
			if packages != "" {
				mustRun(t, dir, nil, "go", "test", "-short", packages)
			}
		})
	}
}

// TestImportTomorrow imports a document with an operation, a parameter, a property and a schema
// that nobody has heard of, and without the operations that are deprecated today.
func TestImportTomorrow(t *testing.T) {
	t.Parallel()
	specimport, apigen := tools(t)
	dir := module(t)
	document := filepath.Join(t.TempDir(), "tomorrow.json")
	mustRun(t, "../..", []string{"SPECIMPORT_TOMORROW_OUT=" + document}, "go", "test", "-count=1", "-run", "^TestTomorrow$", "./internal/specimport")
	importDocument(t, dir, specimport, apigen, document, 3)
	program := filepath.Join(dir, "internal", "tomorrow", "main.go")
	if err := os.MkdirAll(filepath.Dir(program), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(program, []byte(tomorrow), 0o644); err != nil {
		t.Fatal(err)
	}
	mustRun(t, dir, nil, "go", "build", "./...")
	const want = "GET /manga/10000000-0000-4000-8000-00000000000a/mood?moods%5B%5D=bright\nbright true 1\nmood=dark\ndormant\nx none\n"
	if got := mustRun(t, dir, nil, "go", "run", "./internal/tomorrow"); got != want {
		t.Errorf("the program prints %q, want %q", got, want)
	}
}

// tomorrow is a program that uses what is new.
const tomorrow = `// Command tomorrow uses what the document of tomorrow adds.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/google/uuid"

	"github.com/mangadex-go/mangadex/api"
)

type server struct{ target, body string }

func (s *server) Do(req *http.Request) (*http.Response, error) {
	s.target = req.Method + " " + req.URL.RequestURI()
	header := http.Header{"Content-Type": {"application/json"}}
	return &http.Response{StatusCode: 200, Header: header, Body: io.NopCloser(strings.NewReader(s.body)), Request: req}, nil
}

func main() {
	s := &server{body: ` + "`" + `{"result":"ok","response":"entity","data":{"mood":"bright","title":null,"newer":1}}` + "`" + `}
	client, err := api.New("https://api.example.test", api.WithHTTPClient(s), api.WithoutRateLimit())
	if err != nil {
		panic(err)
	}
	id := uuid.MustParse("10000000-0000-4000-8000-00000000000a")
	answer, err := client.GetMangaIDMood(context.Background(), id, &api.GetMangaIDMoodParams{Moods: []api.GetMangaIDMoodParamsMoods{"bright"}})
	if err != nil {
		panic(err)
	}
	fmt.Println(s.target)
	again, err := json.Marshal(answer)
	if err != nil {
		panic(err)
	}
	var mood struct{ Data struct{ Mood string; Title *string; Newer int } }
	if err := json.Unmarshal(again, &mood); err != nil {
		panic(err)
	}
	fmt.Println(mood.Data.Mood, mood.Data.Title == nil, mood.Data.Newer)
	s.body = ` + "`" + `{"result":"ok","response":"collection","data":[{"attributes":{"status":"dormant"}}],"limit":1,"offset":0,"total":1}` + "`" + `
	list, err := client.SearchManga(context.Background(), &api.SearchMangaParams{Mood: api.Ptr("dark")})
	if err != nil {
		panic(err)
	}
	_, query, _ := strings.Cut(s.target, "?")
	fmt.Println(query)
	fmt.Println(list.Data[0].Attributes.Status)
	mine := "x"
	chapter := api.ChapterAttributes{Mood: &mine}
	login := "none"
	for _, op := range api.Operations() {
		if op.Deprecated {
			login = op.ID
		}
	}
	fmt.Println(*chapter.Mood, login)
	_ = api.PublicationStatusDormant
}
`
