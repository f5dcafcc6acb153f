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
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"testing"
)

const root = "../.."

// TestMain collects what is left of a generation less often: a third of the time would go into that.
func TestMain(m *testing.M) {
	debug.SetGCPercent(400)
	m.Run()
}

// A listed package is what go list says of one.
type listed struct {
	ImportPath, Dir, Export string
	GoFiles, Imports        []string

	sources map[string]*ast.File // by their paths from the root of the module
}

// A library is the module as it is checked again and again, with other generated files.
type library struct {
	set      *token.FileSet
	packages []*listed      // that generated files are in, or that import one of these; what is imported comes first
	compiled types.Importer // has the others
}

// module lists what is checked and reads it, once.
var module = sync.OnceValues(func() (*library, error) {
	all, err := goList("-deps", "./api/...", "./authn/...", "./examples/...", "./internal/operation", "./internal/bench")
	if err != nil {
		return nil, err
	}
	l := &library{set: token.NewFileSet()}
	checked, others := map[string]bool{}, []string{"-export"}
	for _, p := range all {
		folder, own := strings.CutPrefix(p.ImportPath, modulePath)
		checked[p.ImportPath] = own && (folder == filepath.Dir(typesPath) || folder == filepath.Dir(operationsPath)) ||
			slices.ContainsFunc(p.Imports, func(path string) bool { return checked[path] })
		if !checked[p.ImportPath] {
			others = append(others, p.ImportPath)
			continue
		}
		p.sources = map[string]*ast.File{}
		for _, name := range p.GoFiles {
			if p.sources[folder+"/"+name], err = parser.ParseFile(l.set, filepath.Join(p.Dir, name), nil, parser.SkipObjectResolution); err != nil {
				return nil, err
			}
		}
		l.packages = append(l.packages, p)
	}
	if all, err = goList(others...); err != nil {
		return nil, err
	}
	exports := map[string]string{}
	for _, p := range all {
		exports[p.ImportPath] = p.Export
	}
	var reading sync.Mutex
	compiled := importer.ForCompiler(l.set, "gc", func(path string) (io.ReadCloser, error) { return os.Open(exports[path]) })
	l.compiled = importFunc(func(path string) (*types.Package, error) {
		reading.Lock()
		defer reading.Unlock()
		return compiled.Import(path)
	})
	return l, nil
})

// goList lists packages, what is imported first.
func goList(arguments ...string) (found []*listed, err error) {
	cmd := exec.Command("go", append([]string{"list", "-e", "-json=ImportPath,Dir,Export,GoFiles,Imports"}, arguments...)...)
	cmd.Dir, cmd.Env = root, append(os.Environ(), "GOWORK=off", "GOFLAGS=-buildvcs=false")
	var message bytes.Buffer
	cmd.Stderr = &message
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("go list: %w\n%s", err, &message)
	}
	for decoder := json.NewDecoder(bytes.NewReader(out)); ; {
		p := &listed{}
		if err := decoder.Decode(p); errors.Is(err, io.EOF) {
			return found, nil
		} else if err != nil {
			return nil, err
		}
		found = append(found, p)
	}
}

// typeCheck type-checks every package of the module that generated files are in, or that imports one of
// these, with the given files in the place of those on the disk. It returns package api.
func typeCheck(files Files) (*types.Package, error) {
	l, err := module()
	if err != nil {
		return nil, err
	}
	checked := map[string]*types.Package{}
	imports := importFunc(func(path string) (*types.Package, error) {
		if p := checked[path]; p != nil {
			return p, nil
		}
		return l.compiled.Import(path)
	})
	for _, p := range l.packages {
		sources := maps.Clone(p.sources)
		for path := range sources {
			if content, given := files[path]; given {
				if sources[path], err = parser.ParseFile(l.set, path, content, parser.SkipObjectResolution); err != nil {
					return nil, err
				}
			}
		}
		var faults []string
		config := types.Config{Importer: imports, Error: func(err error) { faults = append(faults, err.Error()) }}
		checked[p.ImportPath], _ = config.Check(p.ImportPath, l.set, slices.Collect(maps.Values(sources)), nil)
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

// presentFiles generates from it, once.
func presentFiles() (Files, *Report, error) {
	made, err := presentMade()
	return made.files, made.report, err
}

type made struct {
	files  Files
	report *Report
}

var presentMade = sync.OnceValues(func() (m made, err error) {
	in, err := present()
	if err != nil {
		return m, err
	}
	m.files, m.report, err = Generate(in)
	return m, err
})

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
