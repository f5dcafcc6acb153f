package main

import (
	"fmt"
	"go/ast"
	"go/token"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
)

// writeCalls writes the typed method of every operation, and the iterator of those that page.
func (m *model) writeCalls(p *printer) {
	p.line("import (\n\"context\"\n\"encoding/json\"\n\"io\"\n\"iter\"\n\"time\"\n\n\"github.com/google/uuid\"\n\n\"github.com/mangadex-go/mangadex/internal/operation\"\n)\n")
	p.line("var (\n_ io.Reader\n_ json.RawMessage\n_ time.Time\n_ uuid.UUID\n)\n")
	for _, op := range m.ops {
		m.writeCall(p, op)
		if op.list != nil {
			m.writeAll(p, op)
		}
	}
}

// arguments are the parameters of a method after the context, as declared and as passed on.
func (m *model) arguments(op *operation) (declared, passed []string) {
	add := func(name, goType string) {
		declared = append(declared, name+" "+goType)
		passed = append(passed, name)
	}
	for _, param := range op.pathParams {
		add(argument(param.Name), m.pathType(op, param))
	}
	if m.hasParams(op) {
		add("params", "*"+op.id+"Params")
	}
	switch {
	case op.body != "":
		add("body", op.body)
	case op.form == "io.Reader":
		add("contentType", "string")
		add("body", "io.Reader")
	case op.form != "":
		add("body", op.form)
	}
	return declared, passed
}

func (m *model) hasParams(op *operation) bool { return m.types.structs[op.id+"Params"] != nil }

func argument(name string) string {
	if name = goName(name); name == "UUID" {
		return "id" // a parameter that is named after its type
	}
	if strings.ToUpper(name) == name {
		name = strings.ToLower(name)
	} else {
		name = strings.ToLower(name[:1]) + name[1:]
	}
	if token.IsKeyword(name) || slices.Contains([]string{"ctx", "params", "body", "editors", "contentType", "r", "c", "uuid", "string", "context", "json", "io"}, name) {
		name += "Value"
	}
	return name
}

func (m *model) pathType(op *operation, param *openapi3.Parameter) string {
	s := param.Schema
	switch {
	case s.Value.Format == "uuid":
		return "uuid.UUID"
	case s.Ref != "":
		return m.resolveName(goTypeName(strings.TrimPrefix(s.Ref, schemaPrefix), s.Value))
	case s.Value.Type.Is("integer"):
		return "int"
	case s.Value.Type.Is("string") && len(s.Value.Enum) > 0:
		if name := op.id + "Params" + goName(param.Name); m.types.names[name] != nil {
			return name
		}
	}
	return "string"
}

func (m *model) writeCall(p *printer, op *operation) {
	m.writeDoc(p, op, op.id, "")
	declared, _ := m.arguments(op)
	results := "error"
	switch {
	case op.result == "json.RawMessage":
		results = "(json.RawMessage, error)"
	case op.result != "":
		results = "(*" + op.result + ", error)"
	}
	p.line("func (c *Client) %s(%s) %s {", op.id,
		strings.Join(append(append([]string{"ctx context.Context"}, declared...), "editors ...RequestEditorFn"), ", "), results)
	p.line("r := newRequest(&operation.Table[operation.%s])", op.id)
	m.writePath(p, op)
	m.writeQuery(p, op)
	switch {
	case op.emptyObj:
		p.line("r.emptyObject()")
	case strings.HasPrefix(op.body, "[]"):
		p.line("if body == nil {\nbody = %s{}\n}\nr.json(body)", op.body)
	case slices.Contains(m.bodies, op.body):
		p.line("r.object(&body)")
	case op.body != "":
		p.line("r.json(body)")
	case op.form == "io.Reader":
		p.line("r.stream(contentType, body)")
	case op.form != "":
		p.line("r.form(body)")
	}
	switch {
	case op.result == "json.RawMessage":
		p.line("return c.rawAnswer(ctx, &r, editors)")
	case op.result != "":
		p.line("return call[%s](ctx, c, &r, editors)", op.result)
	default:
		p.line("return c.do(ctx, &r, editors)")
	}
	p.line("}\n")
}

func (m *model) writePath(p *printer, op *operation) {
	text := ""
	flush := func() {
		if text != "" {
			p.line("r.literal(%q)", text)
			text = ""
		}
	}
	params := op.pathParams
	for i, segment := range strings.Split(strings.TrimPrefix(op.path, "/"), "/") {
		text += "/"
		if !strings.HasPrefix(segment, "{") {
			text += segment
			continue
		}
		flush()
		name := strings.Trim(segment, "{}")
		at := slices.IndexFunc(params, func(param *openapi3.Parameter) bool { return param.Name == name })
		if at < 0 {
			panic(fmt.Sprintf("%s: segment %d of %s is not a parameter", op.id, i, op.path))
		}
		arg := argument(name)
		switch m.pathType(op, params[at]) {
		case "uuid.UUID":
			p.line("r.id(%s)", arg)
		case "int":
			p.line("r.number(%s)", arg)
		default:
			p.line("r.segment(string(%s))", arg)
		}
	}
	flush()
}

func (m *model) writeQuery(p *printer, op *operation) {
	if !m.hasParams(op) || len(op.query) == 0 {
		return
	}
	p.line("if params != nil {")
	fields := m.types.structs[op.id+"Params"]
	for _, param := range op.query {
		at := slices.IndexFunc(fields, func(f field) bool { return f.json == param.Name })
		if at < 0 {
			continue
		}
		m.writeParam(p, param, fields[at])
	}
	p.line("}")
}

func (m *model) writeParam(p *printer, param *openapi3.Parameter, f field) {
	src := "params." + f.name
	name := url.QueryEscape(param.Name) + "="
	typ := m.types.resolve(f.typ)
	if pointer, ok := typ.(*ast.StarExpr); ok {
		inner := m.types.resolve(pointer.X)
		if fields := m.types.structs[source(inner)]; fields != nil {
			p.line("if o := %s; o != nil {", src)
			for _, key := range slices.SortedFunc(slices.Values(fields), func(a, b field) int { return strings.Compare(a.json, b.json) }) {
				p.line("r.order(%q, string(o.%s))", param.Name+"["+key.json+"]=", key.name)
			}
			p.line("}")
			return
		}
		p.line("if %s != nil {\n%s\n}", src, m.single(name, "*"+src, inner))
		return
	}
	if list, ok := typ.(*ast.ArrayType); ok {
		p.line("for _, v := range %s {\n%s\n}", src, m.single(name, "v", m.types.resolve(list.Elt)))
		return
	}
	p.line("%s", m.single(name, src, typ))
}

// single writes the statement that adds one value to the query.
func (m *model) single(name, src string, typ ast.Expr) string {
	switch source(typ) {
	case "string":
		return fmt.Sprintf("r.text(%q, %s)", name, src)
	case "int":
		return fmt.Sprintf("r.integer(%q, %s)", name, src)
	case "bool":
		return fmt.Sprintf("r.boolean(%q, %s)", name, src)
	case "uuid.UUID":
		return fmt.Sprintf("r.uuid(%q, %s)", name, src)
	case "Flag":
		return fmt.Sprintf("r.text(%q, string(%s))", name, src)
	}
	if m.types.isText(typ) {
		return fmt.Sprintf("r.text(%q, string(%s))", name, src)
	}
	return fmt.Sprintf("r.other(%q, %s)", name, src)
}

func (m *model) writeAll(p *printer, op *operation) {
	m.writeDoc(p, op, op.id+"All", op.id)
	declared, passed := m.arguments(op)
	p.line("func (c *Client) %sAll(%s) iter.Seq2[%s, error] {", op.id,
		strings.Join(append(append([]string{"ctx context.Context"}, declared...), "options ...WalkOption"), ", "), op.list.item)
	p.line("var first %sParams\nif params != nil {\nfirst = *params\n}", op.id)
	key := "nil"
	if op.list.hasID {
		key = fmt.Sprintf("func(v *%s) uuid.UUID { return v.ID }", op.list.item)
	}
	for i, name := range passed {
		if name == "params" {
			passed[i] = "&p"
		}
	}
	p.line("return walk(ctx, walkPlan[%s]{op: &operation.Table[operation.%s], max: %d, limit: first.Limit, offset: first.Offset, key: %s,", op.list.item, op.id, op.list.limit, key)
	order := m.creationOrder(op)
	if order != "" {
		p.line("slices: &slicePlan[%s]{\nsince: first.CreatedAtSince,\nordered: first.Order != nil && *first.Order != %s,", op.list.item, order)
		p.line("created: func(v *%s) time.Time { return v.Attributes.CreatedAt },\n},", op.list.item)
	}
	p.line("fetch: func(ctx context.Context, at position) ([]%s, int, error) {", op.list.item)
	p.line("p := first\np.Limit, p.Offset = &at.limit, &at.offset")
	if order != "" {
		p.line("if at.sliced {\np.Order, p.CreatedAtSince = &%s, at.since\n}", order)
	}
	p.line("page, err := c.%s(%s)", op.id, strings.Join(append([]string{"ctx"}, passed...), ", "))
	p.line("if err != nil {\nreturn nil, 0, err\n}\nreturn page.Data, page.Total, nil\n},")
	p.line("}, options)\n}\n")
}

// creationOrder is the order of a list that can be read in slices by the time of creation; empty if
// it cannot.
func (m *model) creationOrder(op *operation) string {
	order := m.types.field(op.id+"Params", "Order")
	attributes := m.types.field(op.list.item, "Attributes")
	if order == nil || attributes == nil || m.types.field(op.id+"Params", "CreatedAtSince") == nil {
		return ""
	}
	name := strings.TrimPrefix(source(order.typ), "*")
	created := m.types.field(source(attributes.typ), "CreatedAt")
	if m.types.field(name, "CreatedAt") == nil || created == nil || source(created.typ) != "time.Time" {
		return ""
	}
	return name + "{CreatedAt: SortDirectionAsc}"
}

// writeDoc writes the comment of a method: what the overlay says of the operation, then the facts.
func (m *model) writeDoc(p *printer, op *operation, name, all string) {
	if all != "" {
		unless := ""
		if m.creationOrder(op) != "" {
			unless = " unless [WithSlices] is given"
		}
		comment(p, fmt.Sprintf("%s returns all that [Client.%s] finds, each item once, in pages of the largest size that the server allows (%d) unless params say otherwise. An error comes last, after what was read before it: that of a call, or [ErrTooManyResults] behind 10,000 items%s.\n\nGET %s.",
			name, all, op.list.limit, unless, op.path))
		return
	}
	text := name + " " + strings.TrimSpace(op.spec.Summary)
	if op.spec.Summary == "" {
		text = fmt.Sprintf("%s calls %s %s.", name, op.method, op.path)
	}
	if op.spec.Description != "" {
		text += "\n\n" + strings.TrimSpace(op.spec.Description)
	}
	facts := fmt.Sprintf("%s %s.", op.method, op.path)
	switch op.auth {
	case "AuthRequired":
		facts += " Needs a login."
	case "AuthOptional":
		facts += " Takes a login, but needs none."
	}
	if l := op.limit; l != nil {
		facts += fmt.Sprintf(" At most %d requests in %d min", l.Requests, l.Minutes)
		if l.Bucket != "" {
			facts += ", shared by all operations of the bucket " + l.Bucket
		}
		facts += "."
	}
	text += "\n\n" + facts
	if op.spec.Deprecated {
		text += "\n\nDeprecated: MangaDex will remove this operation."
	}
	comment(p, text)
}

// writeOperations writes the table of operations and the matcher.
func (m *model) writeOperations(p *printer) {
	p.line("import \"time\"\n")
	p.line("// Table has every operation of the document, by path and method.\nvar Table = [...]Operation{")
	for _, op := range m.ops {
		limit := ""
		if l := op.limit; l != nil {
			bucket := l.Bucket
			if bucket == "" {
				bucket = op.id
			}
			limit = fmt.Sprintf(", Limit: Limit{Requests: %d, Per: %d * time.Minute, Bucket: %q}", l.Requests, l.Minutes, bucket)
		}
		deprecated := ""
		if op.spec.Deprecated {
			deprecated = ", Deprecated: true"
		}
		p.line("%s: {ID: %q, Method: %q, Path: %q, Auth: %s%s%s},", op.id, op.id, op.method, op.path, op.auth, deprecated, limit)
	}
	p.line("}\n\nvar _ time.Duration\n")
	p.line("// Indices of the table.\nconst (")
	for i, op := range m.ops {
		if i == 0 {
			p.line("%s = iota", op.id)
		} else {
			p.line("%s", op.id)
		}
	}
	p.line(")\n")
	m.writeMatcher(p)
}

// A node is a place in the tree of paths.
type node struct {
	children map[string]*node
	param    *node
	methods  map[string]string // method → constant
}

func (m *model) writeMatcher(p *printer) {
	root := &node{}
	for _, op := range m.ops {
		at := root
		for segment := range strings.SplitSeq(strings.TrimPrefix(op.path, "/"), "/") {
			if strings.HasPrefix(segment, "{") {
				if at.param == nil {
					at.param = &node{}
				}
				at = at.param
				continue
			}
			if at.children == nil {
				at.children = map[string]*node{}
			}
			if at.children[segment] == nil {
				at.children[segment] = &node{}
			}
			at = at.children[segment]
		}
		if at.methods == nil {
			at.methods = map[string]string{}
		}
		at.methods[op.method] = op.id
	}
	p.line("// match finds the operation of a path that starts with a slash, -1 for none.")
	p.line("func match(method, path string) int {")
	root.write(p)
	p.line("return -1\n}")
}

func (n *node) write(p *printer) {
	if len(n.methods) > 0 {
		p.line("if path == \"\" {\nswitch method {")
		for _, method := range slices.Sorted(maps.Keys(n.methods)) {
			p.line("case %q:\nreturn %s", method, n.methods[method])
		}
		if get := n.methods[http.MethodGet]; get != "" && n.methods[http.MethodHead] == "" {
			p.line("case %q:\nreturn %s", http.MethodHead, get)
		}
		p.line("}\nreturn -1\n}")
	}
	if len(n.children) == 0 && n.param == nil {
		return
	}
	p.line("{\nsegment, path := nextSegment(path)\n_ = path\nswitch segment {")
	for _, name := range slices.Sorted(maps.Keys(n.children)) {
		p.line("case %q:", name)
		n.children[name].write(p)
	}
	if n.param != nil {
		p.line("case \"\":\nreturn -1\ndefault:")
		n.param.write(p)
	}
	p.line("}\n}")
}
