package document

import (
	"slices"
	"strings"
)

// A parameter is one that an operation has, of its own or from its path item.
type parameter struct {
	in, name string
	object   map[string]any
}

// label names the parameter: query parameter GET /manga?title.
func (p parameter) label(at string) string {
	return p.in + " parameter " + p.place(at)
}

func (p parameter) place(at string) string {
	if p.in == "query" {
		return at + "?" + p.name
	}
	return at + " " + p.name
}

// parameters returns the parameters of the operation in their order.
func (o *Operation) parameters() []parameter {
	var found []parameter
	for _, item := range elements(o.object["parameters"]) {
		object := members(item)
		found = append(found, parameter{bare(object["in"]), bare(object["name"]), object})
	}
	return found
}

func (c *Changes) parameters(o, n *Operation) {
	before, after := o.parameters(), n.parameters()
	if o.path != n.path {
		before = renamed(before, o.path, n.path)
	}
	find := func(in []parameter, p parameter) (parameter, bool) {
		i := slices.IndexFunc(in, func(q parameter) bool { return q.in == p.in && q.name == p.name })
		if i < 0 {
			return parameter{}, false
		}
		return in[i], true
	}
	at := n.label()
	for _, p := range before {
		if _, ok := find(after, p); !ok {
			c.breaks("- removed %s", p.label(at))
		}
	}
	for _, p := range after {
		was, ok := find(before, p)
		switch {
		case ok:
			c.parameter(at, was, p)
		case p.object["required"] == true:
			c.breaks("+ added required %s", p.label(at))
		default:
			c.adds("+ added %s", p.label(at))
		}
	}
}

// renamed gives path parameters the names they have in another form of the
// same path.
func renamed(parameters []parameter, from, to string) []parameter {
	names, after := map[string]string{}, PathNames(to)
	for i, name := range PathNames(from) {
		names[name] = after[i]
	}
	parameters = slices.Clone(parameters)
	for i, p := range parameters {
		if name, ok := names[p.name]; ok && p.in == "path" {
			parameters[i].name = name
		}
	}
	return parameters
}

func (c *Changes) parameter(at string, o, n parameter) {
	label := n.label(at)
	c.required(label, o.object["required"] == true, n.object["required"] == true)
	c.deprecation(label, o.object, n.object)
	c.content(place{root: n.place(at)}, o.object, n.object)
	for _, key := range union(o.object, n.object) {
		switch key {
		case "$ref", "in", "name", "required", "deprecated", "schema", "content": // told above
		case "style", "explode", "allowReserved":
			if before, after := o.sent(key), n.sent(key); !equal(before, after) { // the value is sent in another form
				c.breaks("~ changed %s of %s: %s → %s", key, label, show(before), show(after))
			}
		case "allowEmptyValue":
			if before, after := o.object[key] == true, n.object[key] == true; before != after {
				c.values(key, label, before, after)
			}
		default:
			c.values(key, label, o.object[key], n.object[key])
		}
	}
}

// sent is how the value of a parameter is sent, as OpenAPI has it where the document does not say.
func (p parameter) sent(key string) any {
	style, given := p.object["style"]
	if !given {
		style = map[string]any{"query": "form", "cookie": "form"}[p.in]
	}
	if style == nil {
		style = "simple"
	}
	switch value := p.object[key]; {
	case key == "style":
		return style
	case key == "explode" && style == "deepObject":
		return true // the only way there is
	case value != nil:
		return value
	case key == "explode":
		return style == "form"
	}
	return false
}

// required tells a change in whether something has to be sent.
func (c *Changes) required(what string, before, after bool) {
	switch {
	case !before && after:
		c.breaks("~ now required: %s", what)
	case before && !after:
		c.notes("~ no longer required: %s", what)
	}
}

func (c *Changes) requestBody(at string, o, n any) {
	before, after := members(o), members(n)
	switch {
	case before == nil && after == nil:
	case after == nil:
		c.breaks("- removed request body %s", at)
	case before == nil && after["required"] == true:
		c.breaks("+ added required request body %s", at)
	case before == nil:
		c.adds("+ added request body %s", at)
	default:
		c.required("request body "+at, before["required"] == true, after["required"] == true)
		c.body(at+" request", before, after, "required")
	}
}

// body compares request bodies or responses; it leaves out the keys that the
// caller has told of.
func (c *Changes) body(at string, o, n map[string]any, told ...string) {
	c.content(place{root: at}, o, n)
	for _, key := range union(o, n) {
		if key != "content" && !slices.Contains(told, key) {
			c.values(key, at, o[key], n[key])
		}
	}
}

// content compares what parameters and bodies hold: a schema, or one for each
// content type.
func (c *Changes) content(at place, o, n map[string]any) {
	if o["schema"] != nil || n["schema"] != nil {
		c.schema(at, o["schema"], n["schema"])
	}
	c.named("content type", at.root, members(o["content"]), members(n["content"]), func(name string, o, n any) {
		at := at.root + " " + name
		before, after := members(o), members(n)
		c.schema(place{root: at}, before["schema"], after["schema"])
		for _, key := range union(before, after) {
			if key != "schema" {
				c.values(key, at, before[key], after[key])
			}
		}
	})
}

// named compares things that have names, such as the responses of an operation.
func (c *Changes) named(what, at string, o, n map[string]any, compare func(name string, o, n any)) {
	for _, name := range union(o, n) {
		before, was := o[name]
		after, is := n[name]
		switch label := strings.TrimSpace(at + " " + name); {
		case !is:
			c.breaks("- removed %s %s", what, label)
		case !was:
			c.adds("+ added %s %s", what, label)
		default:
			compare(name, before, after)
		}
	}
}
