package main

import (
	"cmp"
	"fmt"
	"go/ast"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// fold shortens the builders that oapi-codegen wrote: what it repeats for each parameter, 15 lines and
// more than 300 times, becomes a call of a method of address, in package api. That is a third of the
// time in which package api compiles.
//
// It knows parameters of plain values, which are those of MangaDex so far: texts, numbers, ids and lists
// of them, in the styles that OpenAPI has for them unless a document says otherwise. A builder in which
// anything else stands stays as it was written.
func fold(client []byte, types *goTypes, taken *reserved, ops []*operation) ([]byte, error) {
	s, err := parseSource("requests", client)
	if err != nil {
		return nil, err
	}
	f := folding{goSource: s, types: types, taken: taken, plain: map[string]*plainBuilder{}}
	encoders := map[string]*ast.FuncDecl{}
	used := map[string]bool{}
	for _, op := range ops {
		used["new"+op.id+"RequestWithBody"] = taken.withoutBody(op) || !op.sendsJSON()
	}
	for _, decl := range s.file.Decls {
		d, ok := decl.(*ast.FuncDecl)
		if !ok {
			continue
		}
		if b := f.builder(d); b != nil {
			f.plain[d.Name.Name] = b
		} else {
			encoders[d.Name.Name] = d
		}
	}
	for _, d := range encoders {
		if f.encoder(d) {
			continue
		}
		ast.Inspect(d.Body, func(n ast.Node) bool {
			if id, ok := n.(*ast.Ident); ok {
				used[id.Name] = true
			}
			return true
		})
	}
	for _, b := range f.plain {
		if b.encoded && !used[b.decl.Name.Name] {
			s.drop(b.decl, b.decl.Doc)
			continue
		}
		contentType, body := `""`, "nil"
		if b.body {
			contentType, body = "contentType", "body"
		}
		s.replace(b.decl.Body, b.text("return to.request("+b.method+", "+contentType+", "+body+")"))
	}
	if used["stylePath"] {
		s.edits = append(s.edits, edit{len(s.code), len(s.code), stylePath})
	}
	return s.result()
}

// stylePath goes into the generated code where a builder uses it.
const stylePath = `
// stylePath writes a parameter of the path as oapi-codegen's runtime does. What would be no part of the
// path, or lead out of it, is refused.
func stylePath(style string, explode bool, name string, value any, options runtime.StyleParamOptions) (string, error) {
	text, err := runtime.StyleParamWithOptions(style, explode, name, value, options)
	if err == nil {
		err = partOfPath(name, text)
	}
	return text, err
}
`

type folding struct {
	*goSource
	types *goTypes
	taken *reserved
	plain map[string]*plainBuilder
}

// A plainBuilder is what a builder says that can be said in few words.
type plainBuilder struct {
	decl    *ast.FuncDecl
	method  string // as Go names it
	path    string // with names
	inPath  []string
	inQuery []string // statements
	body    bool     // is given as a reader
	encoded bool     // its only callers have encoded a body for it, which it does now
}

func (b *plainBuilder) text(last string) string {
	lines := []string{"{", "to := newAddress(server, " + strconv.Quote(b.path) + ")"}
	lines = append(lines, b.inPath...)
	if len(b.inQuery) > 0 {
		lines = append(append(append(lines, "if params != nil {"), b.inQuery...), "}")
	}
	return strings.Join(append(lines, last, "}"), "\n")
}

// Statements that oapi-codegen writes, on one line.
const (
	failing      = `if err != nil { return nil, err }`
	styleOptions = `, runtime\.StyleParamOptions\{ParamLocation: runtime\.ParamLocation%s, Type: "\w*", Format: "[\w-]*"(?:, Required: true)?\}\)`
)

var (
	skipped = []string{
		failing, `var err error`, `serverURL, err := url.Parse(server)`, `queryURL, err := serverURL.Parse(operationPath)`,
		`if operationPath[0] == '/' { operationPath = "." + operationPath }`, `return req, nil`,
		`queryValues := queryURL.Query()`, `var rawQueryFragments []string`, `queryURL.RawQuery = strings.Join(rawQueryFragments, "&")`,
		`if encoded := queryValues.Encode(); encoded != "" { rawQueryFragments = append(rawQueryFragments, encoded) }`,
	}
	pathVar   = regexp.MustCompile(`^var pathParam\d+ string$`)
	pathParam = regexp.MustCompile(`^(pathParam\d+), err = stylePath\("simple", false, ("[^"]*"), (\w+)` + fmt.Sprintf(styleOptions, "Path") + `$`)
	pathText  = regexp.MustCompile(`^operationPath := fmt\.Sprintf\(("[^"\\?#]*")(?:, ([\w, ]+))?\)$`)
	newHTTP   = regexp.MustCompile(`^req, err := http\.NewRequest\((http\.Method\w+), queryURL\.String\(\), (nil|body)\)$`)
	inHeader  = `if contentType != "" { ` + contentType + ` }`

	inQuery = regexp.MustCompile(`^(?:if (?:params\.\w+ != nil|len\(params\.\w+\) > 0) \{ )?if queryFrag, err := (?:` +
		`runtime\.StyleParamWithOptions\("form", true, ("[^"]*"), \*?params\.(\w+)` + fmt.Sprintf(styleOptions, "Query") +
		`|styleOrder\(("[^"]*"), params\.(\w+)\)); err != nil \{ return nil, err \} else ` +
		`\{ for _, qp := range strings\.Split\(queryFrag, "&"\) \{ rawQueryFragments = append\(rawQueryFragments, qp\) \} \}(?: \})?$`)

	encodes = regexp.MustCompile(`^\{ var bodyReader io\.Reader buf, err := json\.Marshal\(body\) ` + regexp.QuoteMeta(failing) +
		` bodyReader = bytes\.NewReader\(buf\) return (new\w+RequestWithBody)\(([\w, ]+), ("[^"]*"), bodyReader\) \}$`)
)

// oneLine is the text of a part of the source, without comments.
func oneLine(n ast.Node) string {
	if statement, ok := n.(*ast.DeclStmt); ok {
		statement.Decl.(*ast.GenDecl).Doc = nil
	}
	return strings.Join(strings.Fields(source(n)), " ")
}

// builder reads a builder, and returns nil if there is something in it that address cannot do.
func (f *folding) builder(d *ast.FuncDecl) *plainBuilder {
	b := &plainBuilder{decl: d}
	if slices.Contains(parameterNames(d), "to") {
		return nil
	}
	names := map[string]string{} // of variables for parameters of the path
	for _, statement := range d.Body.List {
		text := oneLine(statement)
		switch m := []string(nil); {
		case slices.Contains(skipped, text), pathVar.MatchString(text):
		case text == inHeader && b.body:
		case match(&m, pathParam, text):
			if !f.isPlain(parameterType(d, m[3]), false) {
				return nil
			}
			name, _ := strconv.Unquote(m[2])
			names[m[1]] = name
			b.inPath = append(b.inPath, "to.inPath("+m[2]+", &"+m[3]+")")
		case match(&m, pathText, text):
			b.path, _ = strconv.Unquote(m[1])
			for name := range strings.SplitSeq(m[2], ", ") {
				b.path = strings.Replace(b.path, "%s", "{"+names[name]+"}", 1)
			}
			if strings.Contains(b.path, "%") || strings.Count(b.path, "{") != len(names) {
				return nil
			}
		case match(&m, newHTTP, text):
			b.method, b.body = m[1], m[2] == "body"
		default:
			params, ok := statement.(*ast.IfStmt)
			if !ok || oneLine(params.Cond) != "params != nil" || params.Else != nil || !f.queries(b, params.Body.List, parameterType(d, "params")) {
				return nil
			}
		}
	}
	if b.path == "" || b.method == "" {
		return nil
	}
	return b
}

// queries reads the parameters of the query.
func (f *folding) queries(b *plainBuilder, statements []ast.Stmt, params ast.Expr) bool {
	pointer, ok := params.(*ast.StarExpr)
	if !ok {
		return false
	}
	for _, statement := range statements {
		text := oneLine(statement)
		if slices.Contains(skipped, text) {
			continue
		}
		m := inQuery.FindStringSubmatch(text)
		if m == nil {
			return false
		}
		if m[4] != "" {
			b.inQuery = append(b.inQuery, "to.inOrder("+m[3]+", params."+m[4]+")")
			continue
		}
		field := f.types.field(source(pointer.X), m[2])
		if field == nil || !f.isPlain(field.typ, true) {
			return false
		}
		b.inQuery = append(b.inQuery, "to.inQuery("+m[1]+", &params."+m[2]+")")
	}
	return true
}

// encoder shortens a builder that encodes its body for another one, and makes the two one.
func (f *folding) encoder(d *ast.FuncDecl) bool {
	m := encodes.FindStringSubmatch(oneLine(d.Body))
	if m == nil {
		return false
	}
	b := f.plain[m[1]]
	given := parameterNames(d)
	if b == nil || !slices.Equal(given[:len(given)-1], strings.Split(m[2], ", ")) ||
		!slices.Equal(parameterNames(b.decl), append(given[:len(given)-1:len(given)-1], "contentType", "body")) {
		return false
	}
	b.encoded = true
	f.replace(d.Body, b.text("return to.encoded("+b.method+", "+m[3]+", body)"))
	if d.Doc != nil {
		f.replace(d.Doc, "// "+d.Name.Name+" constructs an http.Request with a body of "+strings.Trim(m[3], `"`))
	}
	return true
}

// isPlain reports whether a value has one text, or is a list of such.
func (f *folding) isPlain(e ast.Expr, list bool) bool {
	switch e := e.(type) {
	case *ast.StarExpr:
		return list && f.isPlain(e.X, false)
	case *ast.ArrayType:
		id, _ := e.Elt.(*ast.Ident)
		return list && e.Len == nil && f.isPlain(e.Elt, false) && (id == nil || !f.taken.of[id.Name]["MarshalText"])
	case *ast.SelectorExpr:
		return source(e) == "uuid.UUID"
	case *ast.Ident:
		switch e.Name {
		case "string", "bool", "int", "int32", "int64":
			return true
		}
		under := cmp.Or(f.types.names[e.Name], f.taken.under[e.Name])
		return under != nil && f.isPlain(under, false) || f.taken.of[e.Name]["MarshalText"]
	}
	return false
}

func match(m *[]string, pattern *regexp.Regexp, text string) bool {
	*m = pattern.FindStringSubmatch(text)
	return *m != nil
}

func parameterType(d *ast.FuncDecl, name string) ast.Expr {
	for _, field := range d.Type.Params.List {
		if slices.ContainsFunc(field.Names, func(id *ast.Ident) bool { return id.Name == name }) {
			return field.Type
		}
	}
	return nil
}

func parameterNames(d *ast.FuncDecl) (names []string) {
	for _, field := range d.Type.Params.List {
		for _, name := range field.Names {
			names = append(names, name.Name)
		}
	}
	return names
}
