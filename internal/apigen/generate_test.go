package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/mangadex-go/mangadex/internal/document"
)

// importInput is the present input with another document.
func importInput(t testing.TB, content []byte) Input {
	t.Helper()
	in := presentInput(t)
	var err error
	if _, in.Document, err = document.Read(content); err != nil {
		t.Fatal(err)
	}
	return in
}

func generate(t testing.TB, in Input) (Files, *Report) {
	t.Helper()
	files, report, err := Generate(in)
	if err != nil {
		t.Fatal(err)
	}
	return files, report
}

// upstream is one of the documents of MangaDex, which are not part of the module.
func upstream(t testing.TB, name string) []byte {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(root, "../shared/spec", name))
	if errors.Is(err, os.ErrNotExist) {
		t.Skip("the document is not here")
	}
	if err != nil {
		t.Fatal(err)
	}
	return content
}

// TestCommitted generates from the committed document and compares with what is committed.
func TestCommitted(t *testing.T) {
	t.Parallel()
	files, report, err := presentFiles()
	if err != nil {
		t.Fatal(err)
	}
	if text := report.String(); text != "" {
		t.Errorf("the overlay does not fit:\n%s", text)
	}
	for path, content := range files {
		if committed, err := os.ReadFile(filepath.Join(root, path)); err != nil || !bytes.Equal(committed, content) {
			t.Errorf("%s is not what go generate writes, %v", path, err)
		}
	}
	code, err := filepath.Glob(root + "/api/*.gen.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range code {
		if files["api/"+filepath.Base(path)] == nil {
			t.Errorf("%s is there, and not generated", path)
		}
	}
}

// TestPast imports documents of the past: what is generated from them compiles, with all the code that
// is written by hand. TestImported has more of them.
func TestPast(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"upstream-5.5.7.yaml", "upstream-5.10.2.yaml", "upstream-5.12.0.json"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			files, _ := generate(t, importInput(t, upstream(t, name)))
			if _, err := typeCheck(files); err != nil {
				t.Error(err)
			}
		})
	}
	t.Run("the present one", func(t *testing.T) {
		if in := importInput(t, upstream(t, "upstream-5.13.1.yaml")); !bytes.Equal(in.Document, presentInput(t).Document) {
			t.Error("openapi.yaml is not what it is imported to")
		}
	})
}

// TestTomorrow imports a document with an operation, a parameter, a property and schemas that nobody has
// heard of, and without the operations that are deprecated today. To these it adds whatever OpenAPI
// allows and MangaDex has not used yet, and names that are taken. A program uses what is new.
func TestTomorrow(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("compiles for some seconds")
	}
	tomorrow, _ := tomorrow(t)
	files, report := generate(t, importInput(t, withOdd(t, tomorrow)))
	for _, line := range []string{
		"| new: `GET /manga/{}/mood` | `Client.GetMangaIDMood` |",
		"| | new: `Client.FollowMangaWith` |",
		"| | `Client.UnfollowManga` takes parameters, one of which must be given |",
		"| new: `mood` | `ChapterAttributes.Mood *string` |",
	} {
		if !slices.Contains(report.Became, line) {
			t.Errorf("no line %s in\n%s", line, strings.Join(report.Became, "\n"))
		}
	}
	if bytes.Contains(files[typesPath], []byte("Forgotten")) {
		t.Error("there is a type that no operation uses")
	}
	program, err := os.ReadFile("testdata/tomorrow/main.go")
	if err != nil {
		t.Fatal(err)
	}
	want, err := os.ReadFile("testdata/tomorrow/output.txt")
	if err != nil {
		t.Fatal(err)
	}
	files["internal/tomorrow/main.go"] = program
	if got := goRun(t, files, "./internal/tomorrow"); got != string(want) {
		t.Errorf("the program prints\n%s\nwant\n%s", got, want)
	}
}

// withOdd adds the paths and schemas of testdata/odd.json to a document.
func withOdd(t testing.TB, content []byte) []byte {
	t.Helper()
	odd, err := os.ReadFile("testdata/odd.json")
	if err != nil {
		t.Fatal(err)
	}
	var whole, more map[string]any
	if err := errors.Join(json.Unmarshal(content, &whole), json.Unmarshal(odd, &more)); err != nil {
		t.Fatal(err)
	}
	maps.Copy(object(whole, "paths"), object(more, "paths"))
	maps.Copy(object(whole, "components", "schemas"), object(more, "components", "schemas"))
	if content, err = json.Marshal(whole); err != nil {
		t.Fatal(err)
	}
	return content
}

// TestWrite replaces all files or none.
func TestWrite(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, "b"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "a"), []byte("old"), 0o644); err != nil {
		t.Fatal(err)
	}
	// b/c/d cannot be made, because b/c is a file.
	if err := os.WriteFile(filepath.Join(dir, "b", "c"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	err := Files{"a": []byte("new"), "b/c/d": []byte("new"), "e": []byte("new")}.write(dir)
	if err == nil || !strings.Contains(err.Error(), "nothing was written") {
		t.Errorf("error %v", err)
	}
	content, readErr := os.ReadFile(filepath.Join(dir, "a"))
	entries, listErr := os.ReadDir(dir)
	if readErr != nil || listErr != nil || string(content) != "old" || len(entries) != 2 {
		t.Errorf("a is %q, with %v: %v, %v", content, entries, readErr, listErr)
	}
	if err := (Files{"a": []byte("new"), "x/y": []byte("new")}).write(dir); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"a", "x/y"} {
		if content, err := os.ReadFile(filepath.Join(dir, path)); err != nil || string(content) != "new" {
			t.Errorf("%s is %q, %v", path, content, err)
		}
	}
}
