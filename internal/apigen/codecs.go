package main

import (
	"fmt"
	"go/ast"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// writeCodecs writes a decoder for every struct that an answer holds, and how it is encoded.
func (m *model) writeCodecs(p *printer) {
	writeImports(p)
	for _, name := range m.answers {
		m.writeDecoder(p, name)
		m.writePromise(p, name)
		p.line("// MarshalJSON implements [json.Marshaler].")
		p.line("func (x %s) MarshalJSON() ([]byte, error) { return encode(&x), nil }\n", name)
		m.writeGetters(p, name)
	}
	for _, op := range m.ops {
		if op.whole() != "" {
			m.writeWhole(p, op)
		}
	}
	m.writeStrings(p)
}

// writeWhole writes the decoder of an answer that is a list or a map as a whole.
func (m *model) writeWhole(p *printer, op *operation) {
	name, kind, fits := op.whole(), "list", "body[0] == '['"
	if strings.HasPrefix(op.result, "map[") {
		kind, fits = "map", "body[0] == '{' || len(*x) == 0" // a list without elements is an empty map of PHP
	}
	p.line("// %s is the %s that %s answers with.\ntype %s %s\n", name, kind, op.id, name, op.result)
	p.line("func (x *%s) decode(r *jsonio.Reader) {", name)
	m.decode(p, "(*x)", expression(op.result), "data", 0)
	p.line("}\n")
	p.line("func (x *%s) lacks(body []byte) string {\nif %s {\nreturn \"\"\n}\nreturn \"%s at the top\"\n}\n", name, fits, kind)
	p.line("func (x *%s) of(ctx context.Context, c *Client, r *request, editors []RequestEditorFn) (%s, error) {", name, op.result)
	p.line("if err := c.decoded(ctx, r, editors, x); err != nil {\nreturn nil, err\n}\nreturn *x, nil\n}\n")
}

// writeImports imports what the type of a field may be of.
func writeImports(p *printer) {
	p.line("import (\n\"context\"\n\"encoding/json\"\n\"time\"\n\n\"github.com/google/uuid\"\n\"github.com/oapi-codegen/nullable\"\nopenapi_types \"github.com/oapi-codegen/runtime/types\"\n\n\"github.com/mangadex-go/mangadex/api/internal/jsonio\"\n)\n")
}

func (m *model) writeDecoder(p *printer, name string) {
	extra := m.types.field(name, extraFieldName) != nil
	p.line("// member decodes the member that r has gone to, if it is one of %s.", name)
	p.line("func (x *%s) member(r *jsonio.Reader) bool {", name)
	p.line("switch string(r.Key()) {")
	for _, f := range m.types.structs[name] {
		if f.json == "-" {
			continue
		}
		p.line("case %q:", f.json)
		if extra && (f.omitEmpty || m.losesNull(f.typ)) {
			p.line("if r.Kind() == 'n' {\nreturn false\n}")
		}
		if name == "TagAttributes" && source(f.typ) == "LocalizedString" { // of few tags, again and again
			p.line("x.%s.decodeNames(r)", f.name)
			continue
		}
		m.decode(p, "x."+f.name, f.typ, f.json, 0)
	}
	p.line("default:\nreturn false\n}\nreturn true\n}\n")

	p.line("func (x *%s) decode(r *jsonio.Reader) {", name)
	unknown := "!x.member(r)"
	if data := m.types.field(name, "Data"); data != nil {
		// An entity may come without its envelope.
		if entity := m.types.isStruct(data.typ); entity != "" && m.types.field(entity, "ID") != nil && m.types.field(entity, "Attributes") != nil {
			p.line("wrapped := false")
			unknown += " && (wrapped || !x.Data.member(r))"
		}
	}
	p.line("for it := r.Object(); it.Next(); {")
	if strings.Contains(unknown, "wrapped") {
		p.line("wrapped = wrapped || string(r.Key()) == \"data\"")
	}
	if extra {
		p.line("if %s {\nx.Extra = x.Extra.keep(r)\n} else if r.Odd() {\nx.Extra = x.Extra.keepOdd(r, it)\n}", unknown)
	} else {
		p.line("if %s {\nr.Skip()\n}", unknown)
	}
	p.line("}\n}\n")
	p.line("// UnmarshalJSON implements [json.Unmarshaler].")
	p.line("func (x *%s) UnmarshalJSON(data []byte) error { return unmarshal(data, x) }\n", name)
}

// writePromise writes what an answer lacks that its operation promises: an entity its id, a page its
// list, anything else all that it could say.
func (m *model) writePromise(p *printer, name string) {
	at := slices.IndexFunc(m.ops, func(op *operation) bool { return op.result == name })
	if at < 0 {
		return
	}
	condition, what := "", ""
	if data := m.types.field(name, "Data"); data != nil {
		switch entity := m.types.isStruct(data.typ); {
		case entity != "" && m.types.field(entity, "ID") != nil && source(m.types.field(entity, "ID").typ) == "uuid.UUID":
			condition, what = "x.Data.ID == (uuid.UUID{})", "data with an id"
		case entity != "" && m.types.field(entity, "ID") != nil && strings.HasPrefix(source(m.types.field(entity, "ID").typ), "int"):
			condition, what = "x.Data.ID == 0", "data with an id"
		case source(data.typ) == "string":
			condition, what = `x.Data == ""`, "data"
		case entity == "":
			if _, list := m.types.resolve(data.typ).(*ast.ArrayType); list {
				condition, what = "!isList(body)", "data that is a list"
				if m.ops[at].list == nil { // what else is there may be it
					condition, what = "!isList(body) && !x.Extra.says()", "data"
				}
			}
		}
	}
	if condition == "" {
		names, quoted := []string{}, []string{}
		for _, f := range m.types.structs[name] {
			if f.json != "-" && f.json != "result" && f.json != "response" {
				names, quoted = append(names, f.json), append(quoted, strconv.Quote(f.json))
			}
		}
		condition, what = "!has(body, x.Extra, "+strings.Join(quoted, ", ")+")", strings.Join(names[:min(len(names), 3)], " or ")
	}
	p.line("// lacks returns what the answer must have and has not.")
	p.line("func (x *%s) lacks(body []byte) string {\nif %s {\nreturn %q\n}\nreturn \"\"\n}\n", name, condition, what)
}

// losesNull reports whether a type has no value of its own for null. Such a null is kept in Extra.
func (m *model) losesNull(e ast.Expr) bool {
	e = m.types.resolve(e)
	switch source(e) {
	case "string", "int", "int32", "int64", "float32", "float64", "bool":
		return true
	}
	return m.types.isStruct(e) != ""
}

// listBuffer is how many elements of a list are collected on the stack.
const listBuffer = 16

// decode writes the statements that read a value of type e into dst.
func (m *model) decode(p *printer, dst string, e ast.Expr, json string, depth int) {
	e = m.types.resolve(e)
	switch text := source(e); text {
	case "string":
		if isName(json) {
			p.line("%s = r.Name()", dst)
		} else {
			p.line("%s = r.String()", dst)
		}
		return
	case "*string":
		p.line("%s = r.StringPtr()", dst)
		return
	case "int":
		p.line("%s = r.Int()", dst)
		return
	case "int64":
		p.line("%s = r.Int64()", dst)
		return
	case "int32", "float32":
		p.line("%s = %s(r.%s())", dst, text, map[string]string{"int32": "Int64", "float32": "Float64"}[text])
		return
	case "float64":
		p.line("%s = r.Float64()", dst)
		return
	case "bool":
		p.line("%s = r.Bool()", dst)
		return
	case "time.Time":
		p.line("%s = r.Time()", dst)
		return
	case "uuid.UUID":
		p.line("%s = r.UUID()", dst)
		return
	case "json.RawMessage":
		p.line("%s = rawValue(r)", dst)
		return
	case "interface{}", "any", "map[string]interface{}", "map[string]any", "[]byte":
		p.line("decodeAny(r, &%s)", dst)
		return
	}
	switch e := e.(type) {
	case *ast.StarExpr:
		p.line("if r.Null() {\n%s = nil\n} else {", dst)
		if m.isScalar(e.X) {
			p.line("%s = new(%s)", dst, source(e.X))
			m.decode(p, "*"+dst, e.X, json, depth)
			p.line("if r.Odd() {\n%s = nil\n}\n}", dst)
			return
		}
		p.line("%s = newCounted[%s](r)", dst, source(e.X))
		m.decode(p, dst, e.X, json, depth)
		p.line("}")
	case *ast.ArrayType:
		p.line("if r.Null() {\n%s = nil\n} else {", dst)
		if m.types.isStruct(e.Elt) != "" && json == "data" {
			p.line("%s = []%s{}", dst, source(e.Elt))
			p.line("start := r.Offset()\nfor it := r.Array(); it.Next(); {")
			p.line("%s = room(r, start, %s)\n%s[len(%s)-1].decode(r)\n}\n}", dst, dst, dst, dst)
			return
		}
		// Elements are collected on the stack, and copied to a list of the right size.
		list := fmt.Sprintf("list%d", depth)
		p.line("var buffer [%d]%s\n%s := buffer[:0]", listBuffer, source(e.Elt), list)
		p.line("for it := r.Array(); it.Next(); {")
		if m.types.isStruct(e.Elt) != "" {
			p.line("%s = longer(r, %s)\n%s[len(%s)-1].decode(r)", list, list, list, list)
		} else {
			elementName := json
			if source(e.Elt) == "string" && json != "data" && json != "dataSaver" {
				elementName = "language"
			}
			v := fmt.Sprintf("v%d", depth)
			p.line("var %s %s", v, source(e.Elt))
			m.decode(p, v, e.Elt, elementName, depth+1)
			p.line("%s = longer(r, %s)\n%s[len(%s)-1] = %s", list, list, list, list, v)
		}
		p.line("}\n%s = exact(r, %s)\n}", dst, list)
	case *ast.MapType:
		key := source(e.Key)
		v := fmt.Sprintf("v%d", depth)
		p.line("if r.Null() {\n%s = nil\n} else {\n%s = make(map[%s]%s)", dst, dst, key, source(e.Value))
		p.line("for it := r.Object(); it.Next(); {")
		if key == "uuid.UUID" {
			p.line("key, err := uuid.ParseBytes(r.Key())\nif err != nil {\nr.Skip()\ncontinue\n}")
		} else {
			p.line("key := r.KeyName()")
		}
		p.line("var %s %s", v, source(e.Value))
		m.decode(p, v, e.Value, json, depth+1)
		p.line("if spendEntry[%s, %s](r) {\n%s[key] = %s\n}\n}\n}", key, source(e.Value), dst, v)
	case *ast.IndexExpr: // Nullable[T]
		v := fmt.Sprintf("v%d", depth)
		p.line("if r.Null() {\n%s = Null[%s]()\n} else {\nvar %s %s", dst, source(e.Index), v, source(e.Index))
		m.decode(p, v, e.Index, json, depth+1)
		p.line("%s = Value(%s)\n}", dst, v)
	case *ast.Ident:
		switch {
		case m.types.jsonSelf[e.Name]:
			p.line("decodeAny(r, &%s)", dst)
		case m.types.isText(e):
			p.line("%s = %s(r.Name())", dst, e.Name)
		case m.types.structs[e.Name] != nil || m.taken.coded[e.Name]:
			p.line("%s.decode(r)", dst)
		default:
			p.line("decodeAny(r, &%s)", dst)
		}
	default:
		p.line("decodeAny(r, &%s)", dst)
	}
}

// isScalar reports whether a value is assigned rather than decoded by a method.
func (m *model) isScalar(e ast.Expr) bool {
	if m.types.isStruct(e) != "" {
		return false
	}
	if id, ok := m.types.resolve(e).(*ast.Ident); ok {
		switch id.Name {
		case "int", "int8", "int16", "int32", "int64", "uint", "uint8", "uint16", "uint32", "uint64", "float32", "float64", "bool", "string":
			return true
		}
		return m.types.names[id.Name] != nil
	}
	return true
}

// isName reports whether the texts of a member are few and come again and again.
func isName(json string) bool {
	lower := strings.ToLower(json)
	return strings.Contains(lower, "language") || json == "locale" || json == "response" || json == "mimeType"
}

// writeRelated writes what depends on the types that a relationship can have.
func (m *model) writeRelated(p *printer) {
	p.line("import \"github.com/mangadex-go/mangadex/api/internal/jsonio\"\n")
	p.line("// decodeAttributes decodes the attributes of a relationship of a known type.")
	p.line("func decodeAttributes(t ResourceType, r *jsonio.Reader) RelationshipAttributes {")
	p.line("switch t {")
	byType := map[string][]string{}
	for t, goType := range m.relations {
		byType[goType] = append(byType[goType], strconv.Quote(t))
	}
	goTypes := slices.Sorted(maps.Keys(byType))
	for _, goType := range goTypes {
		slices.Sort(byType[goType])
		p.line("case %s:\nx := newCounted[%s](r)\nx.decode(r)\nreturn x", strings.Join(byType[goType], ", "), goType)
	}
	p.line("}\nreturn RawAttributes(r.Raw())\n}\n")
	for _, goType := range goTypes {
		p.line("func (*%s) relationshipAttributes() {}", goType)
	}
	for _, name := range slices.Sorted(maps.Keys(m.more)) {
		m.writeMore(p, name, m.fieldsOf(m.more[name]))
	}
}
