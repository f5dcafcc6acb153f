package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
)

// users are the files in which the generated types are used: those that are written by hand, and what
// is generated of the calls.
func (f Files) users(source map[string][]byte) map[string][]byte {
	users := maps.Clone(source)
	for _, path := range []string{callsPath, relatedPath, requestsPath} {
		users[path] = f[path]
	}
	return users
}

// pruned drops from the generated types those that nothing leads to: no method of the client, no code
// written by hand, and no type that these lead to. Bodies that are sent as a form are such, and what an
// answer that nobody reads would hold.
func pruned(types []byte, users map[string][]byte) ([]byte, error) {
	s, err := parseSource("types", types)
	if err != nil {
		return nil, err
	}
	of := map[string][]ast.Decl{} // type → its declaration, methods and constants
	for _, decl := range s.file.Decls {
		if name := s.declares(decl); name != "" {
			of[name] = append(of[name], decl)
		}
	}
	var open []ast.Node
	for name, content := range users {
		file, err := parser.ParseFile(token.NewFileSet(), name, content, parser.SkipObjectResolution)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		open = append(open, file)
	}
	for len(open) > 0 {
		at := open[len(open)-1]
		open = open[:len(open)-1]
		ast.Inspect(at, func(n ast.Node) bool {
			if id, ok := n.(*ast.Ident); ok && of[id.Name] != nil {
				for _, decl := range of[id.Name] {
					open = append(open, decl)
				}
				delete(of, id.Name)
			}
			return true
		})
	}
	for _, decls := range of {
		for _, decl := range decls {
			switch d := decl.(type) {
			case *ast.GenDecl:
				s.drop(d, d.Doc)
			case *ast.FuncDecl:
				s.drop(d, d.Doc)
			}
		}
	}
	return s.result()
}

// declares is the type that a declaration belongs to: its own, that of a method, or that of constants.
func (s *goSource) declares(decl ast.Decl) string {
	switch d := decl.(type) {
	case *ast.FuncDecl:
		if d.Recv == nil {
			return ""
		}
		receiver := d.Recv.List[0].Type
		if pointer, ok := receiver.(*ast.StarExpr); ok {
			receiver = pointer.X
		}
		return s.text(receiver)
	case *ast.GenDecl:
		if len(d.Specs) == 0 {
			return ""
		}
		switch spec := d.Specs[0].(type) {
		case *ast.TypeSpec:
			return spec.Name.Name
		case *ast.ValueSpec:
			if spec.Type != nil {
				return s.text(spec.Type)
			}
		}
	}
	return ""
}
