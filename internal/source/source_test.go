package source

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const root = "../.."

// elsewhere are the folders whose code answers as a server does, or belongs to other modules.
var elsewhere = []string{
	"api/apitest",     // is a server: it chooses the statuses
	"examples/reader", // is a server, too
	"examples/internal/web",
	"internal/bench", // has a server, and bindings to compare with
}

// A place is where something is done that has one place: a file, and the function.
type place struct{ file, function string }

// A question is one that several packages ask.
type question struct {
	asked func(ast.Node) bool // whether a piece of code answers it
	at    string              // folder that answers it for all
	also  map[place]string    // why it is answered elsewhere, too
}

var questions = map[string]question{
	"what does a status mean": {
		asked: decidesOnStatus,
		at:    "internal/answer",
	},
	"what is an address of a server": {
		asked: calls("url", "Parse", "ParseRequestURI"),
		at:    "internal/origin",
		also: map[place]string{
			{"api/redirect.go", "Do"}:          "takes what net/http has put into an error apart",
			{"api/reading/links.go", "*"}:      "links to read on the web, to which nothing is sent",
			{"authn/oauth2.go", "loginPath"}:   "takes the path off an address that was read there",
			{"internal/document/read.go", "*"}: "takes a password off an address that is shown",
		},
	},
	"how is a file written whole or not at all": {
		asked: calls("os", "Rename", "CreateTemp"),
		at:    "internal/atomicfile",
		also: map[place]string{
			{"internal/apigen/files.go", "write"}: "a set of files, all of them or none",
		},
	},
	"are two addresses of one server": {
		asked: comparesHosts,
		at:    "internal/origin",
	},
}

// Each question is answered in one place, and by no file of another folder that is not listed with a reason.
func TestOnePlaceForEachQuestion(t *testing.T) {
	t.Parallel()
	found := map[string]map[place]bool{}
	answered := map[string]bool{}
	for path, file := range parsed(t) {
		dir := filepath.ToSlash(filepath.Dir(path))
		for _, declaration := range file.Decls {
			function := ""
			if f, ok := declaration.(*ast.FuncDecl); ok {
				function = f.Name.Name
			}
			ast.Inspect(declaration, func(n ast.Node) bool {
				for name, q := range questions {
					switch {
					case n == nil || !q.asked(n):
					case dir == q.at:
						answered[name] = true
					default:
						if found[name] == nil {
							found[name] = map[place]bool{}
						}
						found[name][place{path, function}] = true
					}
				}
				return true
			})
		}
	}
	for name, q := range questions {
		if !answered[name] {
			t.Errorf("%s: nothing in %s answers it, so that this test sees nothing", name, q.at)
		}
		listed := map[place]bool{}
		for p := range found[name] {
			switch {
			case q.also[p] != "":
				listed[p] = true
			case q.also[place{p.file, "*"}] != "":
				listed[place{p.file, "*"}] = true
			default:
				t.Errorf("%s: %s in %s answers it, which %s does for all", name, p.function, p.file, q.at)
			}
		}
		for p, why := range q.also {
			if !listed[p] {
				t.Errorf("%s: %v is listed (%s), and does not answer it any more", name, p, why)
			}
		}
	}
}

// parsed are the files of the module that people have written, by their paths, without tests.
func parsed(t *testing.T) map[string]*ast.File {
	t.Helper()
	files := map[string]*ast.File{}
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		relative, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		relative = filepath.ToSlash(relative)
		if entry.IsDir() {
			_, own := os.Stat(filepath.Join(path, "go.mod"))
			if relative != "." && (own == nil || slices.Contains(elsewhere, relative) || entry.Name() == "testdata" || strings.HasPrefix(entry.Name(), ".")) {
				return filepath.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return nil
		}
		content, err := os.ReadFile(path)
		if err != nil || isGenerated(content) {
			return err
		}
		files[relative], err = parser.ParseFile(token.NewFileSet(), path, content, parser.SkipObjectResolution)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(files) < 100 {
		t.Fatalf("%d files, which is not the module", len(files))
	}
	return files
}

func isGenerated(content []byte) bool {
	head, _, _ := bytes.Cut(content, []byte("\npackage "))
	return bytes.Contains(head, []byte("DO NOT EDIT."))
}

// calls makes a function that finds calls of functions of a package.
func calls(of string, names ...string) func(ast.Node) bool {
	return func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		return ok && slices.ContainsFunc(names, func(name string) bool { return isMember(call.Fun, of, name) })
	}
}

func isMember(n ast.Expr, of, name string) bool {
	s, ok := n.(*ast.SelectorExpr)
	if !ok || s.Sel.Name != name {
		return false
	}
	x, ok := s.X.(*ast.Ident)
	return ok && x.Name == of
}

// decidesOnStatus finds comparisons of a status, with a name of net/http or a number, and switches over
// one.
func decidesOnStatus(n ast.Node) bool {
	switch n := n.(type) {
	case *ast.BinaryExpr:
		switch n.Op {
		case token.EQL, token.NEQ, token.LSS, token.LEQ, token.GTR, token.GEQ:
			return isNameOfStatus(n.X) || isNameOfStatus(n.Y) || isStatus(n.X) && isNumberOfStatus(n.Y) || isStatus(n.Y) && isNumberOfStatus(n.X)
		}
	case *ast.SwitchStmt:
		return n.Tag != nil && isStatus(n.Tag)
	case *ast.CaseClause:
		return slices.ContainsFunc(n.List, isNameOfStatus)
	}
	return false
}

// isStatus tells by its name whether something is the status of an answer.
func isStatus(n ast.Expr) bool {
	name := ""
	switch n := n.(type) {
	case *ast.Ident:
		name = n.Name
	case *ast.SelectorExpr:
		name = n.Sel.Name
	}
	name = strings.ToLower(name)
	return name == "status" || name == "statuscode"
}

func isNumberOfStatus(n ast.Expr) bool {
	number, ok := n.(*ast.BasicLit)
	if !ok || number.Kind != token.INT {
		return false
	}
	value, err := strconv.Atoi(number.Value)
	return err == nil && 100 <= value && value < 600
}

func isNameOfStatus(n ast.Expr) bool {
	s, ok := n.(*ast.SelectorExpr)
	return ok && strings.HasPrefix(s.Sel.Name, "Status") && isMember(n, "http", s.Sel.Name)
}

// comparesHosts finds comparisons of the host of one address with that of another.
func comparesHosts(n ast.Node) bool {
	isHost := func(n ast.Expr) bool {
		if call, ok := n.(*ast.CallExpr); ok {
			n = call.Fun
		}
		s, ok := n.(*ast.SelectorExpr)
		return ok && (s.Sel.Name == "Host" || s.Sel.Name == "Hostname")
	}
	switch n := n.(type) {
	case *ast.BinaryExpr:
		return (n.Op == token.EQL || n.Op == token.NEQ) && isHost(n.X) && isHost(n.Y)
	case *ast.CallExpr:
		return isMember(n.Fun, "strings", "EqualFold") && isHost(n.Args[0]) && isHost(n.Args[1])
	}
	return false
}

// The finders find what they are to find.
func TestFinders(t *testing.T) {
	t.Parallel()
	for code, want := range map[string]int{
		"resp.StatusCode == http.StatusNotFound": 0, "400 <= got.status && true": 0, "status >= 500": 0, "n == 404": -1, "status == 7": -1,
		"url.Parse(x)": 1, "time.Parse(x)": -1,
		"os.Rename(a, b)": 2, "os.Remove(a)": -1,
		"a.Host == b.Host": 3, `a.Host == ""`: -1, "strings.EqualFold(a.Hostname(), b.Hostname())": 3,
	} {
		expression, err := parser.ParseExpr(code)
		if err != nil {
			t.Fatal(err)
		}
		finders := []func(ast.Node) bool{decidesOnStatus, calls("url", "Parse", "ParseRequestURI"), calls("os", "Rename", "CreateTemp"), comparesHosts}
		for i, find := range finders {
			got := false
			ast.Inspect(expression, func(n ast.Node) bool {
				got = got || n != nil && find(n)
				return true
			})
			if got != (i == want) {
				t.Errorf("%s: finder %d says %t", code, i, got)
			}
		}
	}
	file, err := parser.ParseFile(token.NewFileSet(), "", "package p\nfunc f() {\nswitch x {\ncase http.StatusGone:\n}\n}", 0)
	if err != nil {
		t.Fatal(err)
	}
	found := false
	ast.Inspect(file, func(n ast.Node) bool {
		found = found || n != nil && decidesOnStatus(n)
		return true
	})
	if !found {
		t.Error("a switch over a status is not found")
	}
}
