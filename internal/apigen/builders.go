package main

import (
	"go/ast"
)

// A builder is a function that oapi-codegen wrote for the request of an operation.
type builder struct {
	name      string
	arguments []argument // behind the server
}

type argument struct{ name, goType string }

// builders reads the functions that [surface] has left.
func builders(client []byte) (map[string]builder, error) {
	s, err := parseSource("requests", client)
	if err != nil {
		return nil, err
	}
	all := map[string]builder{}
	for _, decl := range s.file.Decls {
		d, ok := decl.(*ast.FuncDecl)
		if !ok {
			continue
		}
		b := builder{name: d.Name.Name}
		for _, f := range d.Type.Params.List {
			for _, name := range f.Names {
				b.arguments = append(b.arguments, argument{name.Name, s.text(f.Type)})
			}
		}
		b.arguments = b.arguments[1:]
		all[b.name] = b
	}
	return all, nil
}

// body is the Go type of the body that the builder encodes; empty if there is none, or if it takes a
// stream.
func (b builder) body() string {
	if n := len(b.arguments); n > 0 && b.arguments[n-1].name == "body" && b.arguments[n-1].goType != "io.Reader" {
		return b.arguments[n-1].goType
	}
	return ""
}
