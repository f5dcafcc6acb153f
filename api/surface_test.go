package api_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/mangadex-go/mangadex/api"
)

// How many exported names the package may have, so that a person can still look through the list: those that
// somebody wrote, and those that came with the document, of which an operation brings some.
const mostWritten, mostOfOperation = 95, 3

// TestSurface keeps the list of names short, and free of what nobody can have a use for.
func TestSurface(t *testing.T) {
	t.Parallel()
	s := readSurface(t)
	generated := len(s.names) - s.written
	for what, n := range map[string][2]int{"written": {s.written, mostWritten}, "generated": {generated, mostOfOperation * len(api.Operations())}} {
		if n[0] > n[1] {
			t.Errorf("the package exports %d names that are %s, %d at most are wanted: is what has been added a type of its own, a second name for something, or a value of something that is there?", n[0], what, n[1])
		}
	}
	if s.written < mostWritten/2 || generated < mostWritten/2 {
		t.Fatalf("found %d names only", len(s.names))
	}
	reached := map[string]bool{}
	var reach func(name string)
	reach = func(name string) {
		if !reached[name] {
			reached[name] = true
			for _, user := range s.uses[name] {
				reach(user)
			}
		}
	}
	reach("Client")
	for _, name := range s.functions {
		reach(name)
	}
	for name := range s.interfaces { // values of it can be these
		reach(name)
	}
	for _, name := range s.types {
		if !reached[name] && !slices.Contains(alone, name) {
			t.Errorf("nothing that is exported leads to the type %s", name)
		}
	}
	for name, target := range s.aliases {
		t.Errorf("%s is a second name for %s", name, target)
	}
}

// alone are types that a caller meets without a function that names them.
var alone = []string{
	"CaptchaError", "ConflictError", "ErrIncomplete", "Error", "RedirectError", // errors
	"DoerFunc",      // makes an HttpRequestDoer
	"RawAttributes", // attributes of a relationship of an unknown type
	"ErrorResponse", // what package authn reads
}

type surface struct {
	names, types, functions []string
	written                 int                 // names that are not generated
	uses                    map[string][]string // type or function → names in its exported parts
	interfaces              map[string]bool     // implementations of RelationshipAttributes
	aliases                 map[string]string
}

func readSurface(t *testing.T) surface {
	s := surface{uses: map[string][]string{}, interfaces: map[string]bool{}, aliases: map[string]string{}}
	entries, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		if !strings.HasSuffix(entry.Name(), ".go") || strings.HasSuffix(entry.Name(), "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), entry.Name(), nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		before := len(s.names)
		for _, decl := range file.Decls {
			s.add(decl)
		}
		if !strings.HasSuffix(entry.Name(), ".gen.go") {
			s.written += len(s.names) - before
		}
	}
	return s
}

func (s *surface) add(decl ast.Decl) {
	switch d := decl.(type) {
	case *ast.FuncDecl:
		switch {
		case d.Recv != nil:
			receiver := identifiers(d.Recv.List[0].Type)[0]
			if d.Name.Name == "relationshipAttributes" {
				s.interfaces[receiver] = true
			}
			if d.Name.IsExported() {
				s.uses[receiver] = append(s.uses[receiver], identifiers(d.Type)...)
			}
		case d.Name.IsExported():
			s.names, s.functions = append(s.names, d.Name.Name), append(s.functions, d.Name.Name)
			s.uses[d.Name.Name] = identifiers(d.Type)
		}
	case *ast.GenDecl:
		for _, spec := range d.Specs {
			switch spec := spec.(type) {
			case *ast.TypeSpec:
				name := spec.Name.Name
				s.uses[name] = append(s.uses[name], identifiers(spec.Type)...)
				if spec.Name.IsExported() {
					s.names, s.types = append(s.names, name), append(s.types, name)
					if spec.Assign.IsValid() {
						s.aliases[name] = strings.Join(identifiers(spec.Type), " ")
					}
				}
			case *ast.ValueSpec:
				for _, name := range spec.Names {
					if name.IsExported() {
						s.names = append(s.names, name.Name)
					}
				}
			}
		}
	}
}

// identifiers are the names in an expression.
func identifiers(n ast.Node) []string {
	found := map[string]bool{}
	ast.Inspect(n, func(n ast.Node) bool {
		if id, ok := n.(*ast.Ident); ok {
			found[id.Name] = true
		}
		return true
	})
	return slices.Sorted(maps.Keys(found))
}

// TestPairs keeps the arguments of calls that belong together in one order.
func TestPairs(t *testing.T) {
	t.Parallel()
	methods := map[string]string{}
	code, err := os.ReadFile("calls.gen.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range regexp.MustCompile(`(?m)^func \(c \*Client\) (\w+)\((.*), (?:editors|options) \.\.\.`).FindAllSubmatch(code, -1) {
		methods[string(m[1])] = regexp.MustCompile(`, params \*\w+|, body \w+`).ReplaceAllString(string(m[2]), "")
	}
	pairs := 0
	for name, arguments := range methods {
		for _, pair := range [][2]string{{"Add", "Remove"}, {"Follow", "Unfollow"}} {
			rest, ok := strings.CutPrefix(name, pair[0])
			other := pair[1] + strings.Replace(rest, "To", "From", 1)
			if others, there := methods[other]; ok && there {
				pairs++
				if others != arguments {
					t.Errorf("%s(%s), but %s(%s)", name, arguments, other, others)
				}
			}
		}
	}
	if pairs < 3 { // every document has these: of titles and groups that are followed, and of titles in lists
		t.Errorf("compared %d pairs only", pairs)
	}
}
