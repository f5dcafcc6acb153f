package main

import (
	"go/ast"
	"maps"
	"slices"
	"strings"
)

// writeStrings lets package fmt print what stands in a struct rather than where: most members that can
// be null are pointers. What holds a secret somewhere is left to the secret's own Format.
func (m *model) writeStrings(p *printer) {
	for _, name := range slices.Sorted(maps.Keys(m.types.structs)) {
		if m.taken.of[name]["String"] || !ast.IsExported(name) || m.isSecret(name) {
			continue
		}
		p.line("// String returns x as JSON.")
		p.line("func (x %s) String() string { return asJSON(&x) }\n", name)
	}
}

// writeGetters writes, for each member of an answer that is a pointer to a text, a number or a yes or
// no, a method that returns what it points to.
func (m *model) writeGetters(p *printer, name string) {
	for _, f := range m.types.structs[name] {
		pointer, ok := f.typ.(*ast.StarExpr)
		if !ok || !m.isScalar(pointer.X) {
			continue
		}
		goType, zero := source(pointer.X), "the zero value"
		switch {
		case goType == "string" || m.types.isText(pointer.X):
			zero = "empty"
		case goType == "bool":
			zero = "false"
		case strings.HasPrefix(goType, "int") || strings.HasPrefix(goType, "float"):
			zero = "0"
		}
		getter := "Get" + f.name
		if m.types.field(name, getter) != nil || m.taken.of[name][getter] {
			continue
		}
		p.line("// %s returns the %s, %s for none.", getter, f.name, zero)
		p.line("func (x *%s) %s() (v %s) {\nif x != nil && x.%s != nil {\nv = *x.%s\n}\nreturn v\n}\n", name, getter, goType, f.name, f.name)
	}
}
