package main

import (
	"fmt"
	"slices"
	"strings"
)

// writeCalls writes the typed method of every operation, and the iterator of those that page.
func (m *model) writeCalls(p *printer) {
	p.line("import (\n\"context\"\n\"encoding/json\"\n\"io\"\n\"iter\"\n\"net/http\"\n\"slices\"\n\"time\"\n\n\"github.com/google/uuid\"\n\n\"github.com/mangadex-go/mangadex/internal/operation\"\n)\n")
	for _, op := range m.ops {
		m.writeCall(p, op)
		if op.list != nil {
			m.writeAll(p, op)
		}
	}
}

// arguments are the parameters of a method after the context, as declared and as passed on. They are
// those of the function that builds the request, but for what a body is made of and what a variant has not.
func (m *model) arguments(op *operation, v variant) (declared, passed []string) {
	for _, arg := range m.builder(op).arguments {
		switch {
		case arg.name == "params" && !v.params:
			passed = append(passed, "nil")
			continue
		case arg.name == "body" && !v.body, arg.name == "contentType" && (!v.body || op.form != "" && op.form != "io.Reader"):
			continue
		case arg.name == "body" && op.form != "":
			arg.goType = op.form
		}
		name := argumentName(arg)
		declared = append(declared, name+" "+arg.goType)
		passed = append(passed, name)
	}
	return declared, passed
}

// builder is the function that builds the request of an operation.
func (m *model) builder(op *operation) builder {
	if b, ok := m.builders["new"+op.id+"Request"]; ok && op.form == "" {
		return b
	}
	return m.builders["new"+op.id+"RequestWithBody"]
}

// argumentName is the name of a parameter. One that is named after its type is an id, and one that
// would hide what the method uses gets another name.
func argumentName(arg argument) string {
	if strings.EqualFold(arg.name, "uuid") {
		return "id"
	}
	switch arg.name {
	case "ctx", "editors", "options", "c", "r", "form", "first", "p", "page", "err", "time", "uuid", "operation":
		return arg.name + "Value"
	}
	return arg.name
}

func (m *model) writeCall(p *printer, op *operation) {
	variants := m.variants(op)
	for i, v := range variants {
		if i == 0 {
			m.writeDoc(p, op, op.id, "")
		} else {
			comment(p, fmt.Sprintf("%s is [Client.%s] with %s, which came later.", v.name, op.id, v.came(variants[0])))
		}
		m.writeVariant(p, op, v)
	}
}

func (m *model) writeVariant(p *printer, op *operation, v variant) {
	declared, args := m.arguments(op, v)
	result, how := m.answer(op)
	if !v.content {
		result, how = m.silent(op)
	}
	p.line("func (c *Client) %s(%s) %s {", v.name,
		strings.Join(append(append([]string{"ctx context.Context"}, declared...), "editors ...RequestEditorFn"), ", "), result)
	p.line("r := request{op: &operation.Table[operation.%s]%s}", op.id, op.accept())
	b := m.builder(op)
	name, failed := b.name, "r.err"
	args = append([]string{"c.root"}, args...)
	switch {
	case op.spec.RequestBody == nil:
	case !v.body && (op.emptyObj || m.taken.calls[op.id].empty):
		args = append(args, b.body()+"{}")
	case !v.body:
		name = "new" + op.id + "RequestWithBody"
		args = append(args, `""`, "nil")
	case strings.HasPrefix(b.body(), "[]"):
		p.line("if body == nil {\nbody = %s{}\n}", b.body())
	case op.form != "" && op.form != "io.Reader":
		p.line("form := newForm(body)")
		args = append(args[:len(args)-1], "form.contentType", "form")
		failed = "form.attach(&r)"
	}
	p.line("r.Request, r.err = %s(%s)", name, strings.Join(args, ", "))
	if failed != "r.err" {
		p.line("%s", failed)
	}
	p.line("return %s\n}\n", how)
}

func (m *model) writeAll(p *printer, op *operation) {
	m.writeDoc(p, op, op.id+"All", op.id)
	variants := m.variants(op)
	v := variants[slices.IndexFunc(variants, func(v variant) bool { return v.params && v.content })]
	declared, passed := m.arguments(op, v)
	p.line("func (c *Client) %sAll(%s) iter.Seq2[%s, error] {", op.id,
		strings.Join(append(append([]string{"ctx context.Context"}, declared...), "options ...WalkOption"), ", "), op.list.item)
	p.line("var first %sParams\nif params != nil {\nfirst = *params\n}", op.id)
	for i, name := range passed {
		if name == "params" {
			passed[i] = "&p"
		}
	}
	p.line("return walk(ctx, walkPlan[%s]{", op.list.item)
	p.line("listing: listing{op: &operation.Table[operation.%s], max: %d, limit: first.Limit, offset: first.Offset,", op.id, op.list.limit)
	order := m.creationOrder(op)
	if order != "" {
		p.line("since: first.CreatedAtSince, ordered: len(first.Order) > 0 && !slices.Equal(first.Order, %s),", order)
	}
	p.line("},")
	if op.list.hasID {
		p.line("key: func(v *%s) uuid.UUID { return v.ID },", op.list.item)
	}
	if order != "" {
		p.line("created: func(v *%s) time.Time { return v.Attributes.CreatedAt },", op.list.item)
	}
	p.line("fetch: func(ctx context.Context, at position) ([]%s, int, error) {", op.list.item)
	p.line("p := first\np.Limit, p.Offset = &at.limit, &at.offset")
	if order != "" {
		p.line("if at.sliced {\np.Order, p.CreatedAtSince = %s, at.since\n}", order)
	}
	p.line("page, err := c.%s(%s)", v.name, strings.Join(append([]string{"ctx"}, passed...), ", "))
	p.line("if err != nil {\nreturn nil, 0, err\n}\nreturn page.Data, page.Total, nil\n},")
	p.line("}, options)\n}\n")
}

// creationOrder is the order of a list that can be read in slices by the time of creation; empty if
// it cannot.
func (m *model) creationOrder(op *operation) string {
	order := m.types.field(op.id+"Params", "Order")
	attributes := m.types.field(op.list.item, "Attributes")
	if order == nil || attributes == nil || source(m.types.names[source(order.typ)]) != "[]sortKey" || m.types.field(op.id+"Params", "CreatedAtSince") == nil {
		return ""
	}
	created := m.types.field(source(attributes.typ), "CreatedAt")
	if created == nil || source(created.typ) != "time.Time" {
		return ""
	}
	for _, param := range op.query {
		if param.Name == order.json && param.Schema.Value.Properties["createdAt"] != nil {
			return source(order.typ) + "{}.CreatedAt(Asc)"
		}
	}
	return ""
}

// writeDoc writes the comment of a method: what the overlay says of the operation, then the facts.
func (m *model) writeDoc(p *printer, op *operation, name, all string) {
	if all != "" {
		unless := ""
		if m.creationOrder(op) != "" {
			unless = " unless [WithSlices] is given"
		}
		comment(p, fmt.Sprintf("%s returns every result of [Client.%s] once, in pages of the largest size that the server allows (%d) unless params say otherwise. An error comes last, after the results that came before it: the error of a call, [ErrIncomplete] if the list is not whole, or [ErrTooManyResults] after 10,000 results%s.\n\nGET %s.",
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
