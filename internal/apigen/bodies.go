package main

import "go/ast"

// writeBodies writes a MarshalJSON for every struct of a request that has a member that must be sent
// although it may be null or empty: encoding/json would write one that is not set as the zero value
// of its type, or a list as null, and the server refuses both.
func (m *model) writeBodies(p *printer) {
	writeImports(p)
	for _, name := range m.bodies {
		m.writeBody(p, name)
	}
}

func (m *model) writeBody(p *printer, name string) {
	var statements []string
	for _, f := range m.types.structs[name] {
		if f.json == "-" || f.omitEmpty || f.omitZero {
			continue
		}
		src := "x." + f.name
		switch e := m.types.resolve(f.typ).(type) {
		case *ast.IndexExpr: // nullable.Nullable[T]
			statements = append(statements, "if !"+src+".IsSpecified() {\n"+src+" = Null["+source(e.Index)+"]()\n}")
		case *ast.ArrayType:
			statements = append(statements, "if "+src+" == nil {\n"+src+" = "+source(e)+"{}\n}")
		case *ast.Ident:
			if _, list := m.taken.under[e.Name].(*ast.ArrayType); list {
				statements = append(statements, "if "+src+" == nil {\n"+src+" = "+e.Name+"{}\n}")
			}
		}
	}
	if len(statements) == 0 {
		return
	}
	p.line("// MarshalJSON implements [json.Marshaler]. What must be sent is sent as null or as an empty list\n// where it is not set.")
	p.line("func (x %s) MarshalJSON() ([]byte, error) {", name)
	for _, s := range statements {
		p.line("%s", s)
	}
	p.line("type members %s\nreturn json.Marshal(members(x))\n}\n", name)
}
