package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

const root = "../.."

// A listed package is what go list says of one.
type listed struct {
	ImportPath, Dir, Export string
	GoFiles, Imports        []string
}

// packages lists the packages of the module and of what they import, those that are imported first,
// with the files in which the compiler has left what they export.
var packages = sync.OnceValues(func() ([]listed, error) {
	cmd := exec.Command("go", "list", "-e", "-export", "-deps", "-json=ImportPath,Dir,Export,GoFiles,Imports", "./api/...", "./authn/...", "./examples/...", "./internal/operation", "./internal/bench")
	cmd.Dir, cmd.Env = root, append(os.Environ(), "GOWORK=off", "GOFLAGS=-buildvcs=false")
	var message bytes.Buffer
	cmd.Stderr = &message
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("go list: %w\n%s", err, &message)
	}
	var found []listed
	for decoder := json.NewDecoder(bytes.NewReader(out)); ; {
		var p listed
		if err := decoder.Decode(&p); errors.Is(err, io.EOF) {
			return found, nil
		} else if err != nil {
			return nil, err
		}
		found = append(found, p)
	}
})

// typeCheck type-checks every package of the module that generated files are in, or that imports one of
// these, with the given files in the place of those on the disk. It returns package api.
func typeCheck(files Files) (*types.Package, error) {
	list, err := packages()
	if err != nil {
		return nil, err
	}
	fset, exports := token.NewFileSet(), map[string]string{}
	checked := map[string]*types.Package{}
	compiled := importer.ForCompiler(fset, "gc", func(path string) (io.ReadCloser, error) { return os.Open(exports[path]) })
	imports := importFunc(func(path string) (*types.Package, error) {
		if p := checked[path]; p != nil {
			return p, nil
		}
		return compiled.Import(path)
	})
	changed := map[string]bool{}
	for path := range files {
		changed[modulePath+filepath.ToSlash(filepath.Dir(path))] = strings.HasSuffix(path, ".go")
	}
	for _, p := range list {
		exports[p.ImportPath] = p.Export
		needed := changed[p.ImportPath]
		for _, path := range p.Imports {
			needed = needed || checked[path] != nil
		}
		if !needed {
			continue
		}
		var sources []*ast.File
		for _, name := range p.GoFiles {
			path := filepath.Join(p.Dir, name)
			var content any
			if strings.HasPrefix(p.ImportPath, modulePath) {
				if generated, ok := files[strings.TrimPrefix(p.ImportPath, modulePath)+"/"+name]; ok {
					content = generated
				}
			}
			file, err := parser.ParseFile(fset, path, content, parser.SkipObjectResolution)
			if err != nil {
				return nil, err
			}
			sources = append(sources, file)
		}
		var faults []string
		config := types.Config{Importer: imports, Error: func(err error) { faults = append(faults, err.Error()) }}
		checked[p.ImportPath], _ = config.Check(p.ImportPath, fset, sources, nil)
		if len(faults) > 0 {
			return nil, fmt.Errorf("%s does not compile:\n%s", p.ImportPath, strings.Join(faults[:min(len(faults), 10)], "\n"))
		}
	}
	return checked[modulePath+"api"], nil
}

type importFunc func(path string) (*types.Package, error)

func (f importFunc) Import(path string) (*types.Package, error) { return f(path) }

const modulePath = "github.com/mangadex-go/mangadex/"

// present is the input from which the committed files come.
var present = sync.OnceValues(func() (Input, error) { return readInput(root) })

func presentInput(t testing.TB) Input {
	t.Helper()
	in, err := present()
	if err != nil {
		t.Fatal(err)
	}
	return in
}

// goRun runs a program of the module with files in the place of those on the disk.
func goRun(t *testing.T, files Files, path string) string {
	t.Helper()
	dir := t.TempDir()
	replace := map[string]string{}
	for name, content := range files {
		target, err := filepath.Abs(filepath.Join(root, name))
		if err != nil {
			t.Fatal(err)
		}
		replace[target] = filepath.Join(dir, fmt.Sprint(len(replace))+filepath.Ext(name))
		if err := os.WriteFile(replace[target], content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	overlay, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		t.Fatal(err)
	}
	overlayFile := filepath.Join(dir, "overlay.json")
	if err := os.WriteFile(overlayFile, overlay, 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "go", "run", "-buildvcs=false", "-overlay", overlayFile, path)
	cmd.Dir, cmd.Env = root, append(os.Environ(), "GOWORK=off")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return string(out)
}
