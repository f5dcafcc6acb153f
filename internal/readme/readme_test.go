// Package readme tests the code of README.md: every block is compiled and run, against the fake
// MangaDex.
package readme

import (
	"bytes"
	"encoding/json"
	"fmt"
	"go/doc"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var (
	goBlock = regexp.MustCompile("(?s)```go\n(.*?)```")
	shBlock = regexp.MustCompile("(?s)```sh\n(.*?)```")
	mainOf  = regexp.MustCompile(`(?s)func main\(\) \{\n(.*)\n\}\n$`)
	pkgName = regexp.MustCompile(`\b([a-z]+)\.[A-Z]`)
)

// imports are the packages that blocks may use, by name.
var imports = map[string]string{
	"api": "github.com/mangadex-go/mangadex/api", "authn": "github.com/mangadex-go/mangadex/authn",
	"context": "context", "fmt": "fmt", "log": "log",
}

func TestCodeOfReadme(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("go"); err != nil {
		t.Skip("there is no go command to build with")
	}
	text, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	blocks := goBlock.FindAllSubmatch(text, -1)
	if len(blocks) < 2 {
		t.Fatalf("README.md has %d blocks of code", len(blocks))
	}
	var code bytes.Buffer
	used := map[string]bool{"context": true}
	for i, block := range blocks {
		body := string(block[1])
		if main := mainOf.FindStringSubmatch(body); main != nil {
			body = strings.Replace(main[1], "\tctx := context.Background()\n", "", 1) + "\nreturn nil"
		}
		for _, m := range pkgName.FindAllStringSubmatch(body, -1) {
			if imports[m[1]] != "" {
				used[m[1]] = true
			}
		}
		// What names the real server is led to the fake.
		body = strings.ReplaceAll(body, "api.Production", "w.srv.URL")
		body = strings.ReplaceAll(body, "authn.New(\n", "authn.New(\nauthn.WithAPIServer(w.srv.URL), authn.WithAuthServer(w.srv.AuthURL),\n")
		fmt.Fprintf(&code, "\n// block %d\nfunc TestBlock%d(t *testing.T) {\nt.Parallel()\nw := newWorld(t)\n", i+1, i+1)
		fmt.Fprintf(&code, "if err := block%d(t.Context(), t, w); err != nil {\nt.Error(err)\n}\n}\n\n", i+1)
		fmt.Fprintf(&code, "func block%d(ctx context.Context, t *testing.T, w *world) error {\n", i+1)
		for _, name := range []string{"clientID", "clientSecret", "username", "password", "tokenFile", "mangaID"} {
			if regexp.MustCompile(`\b`+name+`\b`).MatchString(body) && !strings.Contains(body, name+", err := ") {
				fmt.Fprintf(&code, "%s := w.%s\n", name, name)
			}
		}
		code.WriteString(body)
		if !strings.HasSuffix(strings.TrimSpace(body), "return nil") && !regexp.MustCompile(`\n\s*return [^\n]*\n?$|^return [^\n]*\n$`).MatchString(body) {
			if strings.Contains(body, "err = ") && !strings.Contains(body, "t.Error") {
				code.WriteString("\nreturn err")
			} else {
				code.WriteString("\nreturn nil")
			}
		}
		code.WriteString("\n}\n")
	}
	var file bytes.Buffer
	file.WriteString("package blocks\n\nimport (\n\"testing\"\n")
	for name := range used {
		fmt.Fprintf(&file, "%q\n", imports[name])
	}
	file.WriteString(")\n" + code.String())
	run(t, file.Bytes())
}

// run tests a package that is there for the go command only.
func run(t *testing.T, source []byte) {
	dir := t.TempDir()
	path := filepath.Join(dir, "blocks_test.go")
	if err := os.WriteFile(path, source, 0o600); err != nil {
		t.Fatal(err)
	}
	target, err := filepath.Abs("blocks/blocks_test.go")
	if err != nil {
		t.Fatal(err)
	}
	overlay, err := json.Marshal(map[string]any{"Replace": map[string]string{target: path}})
	if err != nil {
		t.Fatal(err)
	}
	overlayPath := filepath.Join(dir, "overlay.json")
	if err := os.WriteFile(overlayPath, overlay, 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "go", "test", "-count=1", "-overlay", overlayPath, "./blocks")
	if text, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("the code of README.md fails: %v\n%s\n%s", err, text, source)
	}
}

// An example that README.md names is in the file that it links to, and has an output, without which go
// test does not run it.
func TestExamplesOfReadme(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	links := regexp.MustCompile("\\[`(Example\\w*)`\\]\\(([^)]+)\\)").FindAllStringSubmatch(string(text), -1)
	if len(links) != strings.Count(string(text), "`Example") || len(links) == 0 {
		t.Errorf("README.md names %d examples, %d of them with a link", strings.Count(string(text), "`Example"), len(links))
	}
	for _, link := range links {
		file, err := parser.ParseFile(token.NewFileSet(), filepath.Join("../..", link[2]), nil, parser.ParseComments)
		if err != nil {
			t.Error(err)
			continue
		}
		if !slices.ContainsFunc(doc.Examples(file), func(e *doc.Example) bool {
			return "Example"+e.Name == link[1] && (e.Output != "" || e.EmptyOutput)
		}) {
			t.Errorf("%s has no %s that is run", link[2], link[1])
		}
	}
}

// The commands of README.md name what is there.
func TestCommandsOfReadme(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	paths := 0
	for _, block := range shBlock.FindAllSubmatch(text, -1) {
		for _, path := range regexp.MustCompile(`\./[a-z/]+[a-z]`).FindAllString(string(block[1]), -1) {
			paths++
			if _, err := os.Stat(filepath.Join("../..", path)); err != nil {
				t.Errorf("README.md runs %s, which is not there", path)
			}
		}
	}
	if paths == 0 {
		t.Error("README.md runs nothing of this module")
	}
	for _, link := range regexp.MustCompile(`\]\(([^)#:]+)\)`).FindAllSubmatch(text, -1) {
		if _, err := os.Stat(filepath.Join("../..", string(link[1]))); err != nil {
			t.Errorf("README.md links to %s, which is not there", link[1])
		}
	}
}
