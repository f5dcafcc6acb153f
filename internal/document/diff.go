package document

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Changes is what a new document does to an old one, as lines for the reader.
// Breaking is what can make code or requests for the old document fail: things
// removed, newly demanded, or of another type.
type Changes struct {
	breaking, added, other []string

	LostOperations int
}

func (c *Changes) breaks(format string, args ...any) {
	c.breaking = append(c.breaking, fmt.Sprintf(format, args...))
}

func (c *Changes) adds(format string, args ...any) {
	c.added = append(c.added, fmt.Sprintf(format, args...))
}

func (c *Changes) notes(format string, args ...any) {
	c.other = append(c.other, fmt.Sprintf(format, args...))
}

// maxLines is how many lines a part of the report has; what GitHub takes for a pull request has 64 kB.
const maxLines = 200

// Print writes the changes as Markdown, the breaking ones first.
func (c *Changes) Print(w io.Writer, name string, old, new Document) {
	fmt.Fprintf(w, "%s: version %s, %s; was %s, %s\n", name,
		new.Version(), Count(len(Operations(new))),
		old.Version(), Count(len(Operations(old))))
	for _, part := range []struct {
		heading string
		lines   []string
	}{
		{"Breaking changes", c.breaking},
		{"Additions", c.added},
		{"Other changes", c.other},
	} {
		if len(part.lines) == 0 {
			continue
		}
		lines, more := part.lines, ""
		if len(lines) > maxLines {
			lines, more = lines[:maxLines], fmt.Sprintf("\nand %d more\n", len(part.lines)-maxLines)
		}
		fmt.Fprintf(w, "\n## %s\n\n```diff\n%s\n```\n%s", part.heading, strings.Join(lines, "\n"), more)
	}
}

// Count says how many operations there are.
func Count(n int) string {
	if n == 1 {
		return "1 operation"
	}
	return fmt.Sprintf("%d operations", n)
}

// Compare lists what changed. References are compared by their names and never
// followed, so that a changed component is told once and cycles do not matter.
func Compare(old, new Document) *Changes {
	c := &Changes{}
	same := reflect.DeepEqual(old, new)
	old, new = inOneForm(old), inOneForm(new)
	before, after := Operations(old), Operations(new)
	for _, key := range union(before, after) {
		o, n := before[key], after[key]
		switch {
		case n == nil:
			c.LostOperations++
			c.breaks("- removed operation %s", o)
		case o == nil:
			c.adds("+ added operation %s", n)
		default:
			c.operation(o, n)
		}
	}
	c.components(members(old["components"]), members(new["components"]))
	c.tags(old["tags"], new["tags"])
	for _, key := range union(old, new) {
		switch key {
		case "paths", "components", "tags": // told above
		case "security": // told with each operation too
			c.values("security", "the document", old[key], new[key])
		default:
			c.values(key, "", old[key], new[key])
		}
	}
	if len(c.breaking)+len(c.added)+len(c.other) == 0 {
		if same {
			c.notes("~ the same facts, written in another way")
		} else {
			c.notes("~ the same facts, arranged in another way")
		}
	}
	return c
}

// inOneForm is a document in the form of OpenAPI 3.0, in which documents are compared: a document that
// comes in another version of OpenAPI has not changed for that.
func inOneForm(doc Document) Document {
	if version, _ := doc["openapi"].(string); !strings.HasPrefix(version, "3.1") {
		return doc
	}
	lowered := Document(copied(map[string]any(doc)).(map[string]any))
	AsVersion30(lowered)
	lowered["openapi"] = doc["openapi"]
	return lowered
}

func copied(v any) any {
	switch v := v.(type) {
	case map[string]any:
		c := make(map[string]any, len(v))
		for key, value := range v {
			c[key] = copied(value)
		}
		return c
	case []any:
		c := make([]any, len(v))
		for i, value := range v {
			c[i] = copied(value)
		}
		return c
	}
	return v
}

// An Operation is one method of a path.
type Operation struct {
	doc          Document
	path, method string
	item, object map[string]any // the path item, the operation object
}

// key orders operations by path and method. The names of path parameters are no
// part of it: they do not appear on the wire.
func (o *Operation) key() string {
	return fmt.Sprintf("%s %d", pathParameter.ReplaceAllString(o.path, "{}"), slices.Index(methods(), o.method))
}

var pathParameter = regexp.MustCompile(`\{[^{}]*\}`)

// String is the operation with its name: GET /manga (get-search-manga).
func (o *Operation) String() string {
	s := o.label()
	if id, ok := o.object["operationId"].(string); ok {
		s += " (" + id + ")"
	}
	if o.object["deprecated"] == true {
		s += ", deprecated"
	}
	return s
}

// label is the operation without its name: GET /manga.
func (o *Operation) label() string {
	return strings.ToUpper(o.method) + " " + o.path
}

// Operations returns the operations of a document by their keys.
func Operations(doc Document) map[string]*Operation {
	found := map[string]*Operation{}
	paths := members(doc["paths"])
	for _, path := range keys(paths) {
		item := members(paths[path])
		for _, method := range methods() {
			if object, ok := item[method].(map[string]any); ok {
				o := &Operation{doc, path, method, item, object}
				key := o.key()
				if found[key] != nil { // two paths that differ only in the names of parameters
					key = o.label()
				}
				found[key] = o
			}
		}
	}
	return found
}

func (c *Changes) operation(o, n *Operation) {
	at := n.label()
	if o.path != n.path {
		c.notes("~ renamed path parameters of %s: %s → %s", at, o.path, n.path)
	}
	if before, after := o.object["operationId"], n.object["operationId"]; !equal(before, after) {
		c.notes("~ renamed operation %s: %s → %s", at, bare(before), bare(after))
	}
	c.deprecation("operation "+at, o.object, n.object)
	if before, after := o.security(), n.security(); !slices.Equal(before, after) {
		line := fmt.Sprintf("~ changed security of operation %s: %s → %s", at, strings.Join(before, " or "), strings.Join(after, " or "))
		lost := slices.ContainsFunc(before, func(s string) bool { return !slices.Contains(after, s) })
		if lost && !slices.Contains(after, anonymous) {
			c.breaking = append(c.breaking, line)
		} else {
			c.other = append(c.other, line)
		}
	}
	c.parameters(o, n)
	c.requestBody(at, o.object["requestBody"], n.object["requestBody"])
	c.named("response", at, members(o.object["responses"]), members(n.object["responses"]), func(status string, o, n any) {
		c.body(at+" response "+status, members(o), members(n))
	})
	for _, key := range union(o.object, n.object) {
		switch key {
		case "operationId", "deprecated", "security", "parameters", "requestBody", "responses":
		default:
			c.values(key, at, o.object[key], n.object[key])
		}
	}
	for _, key := range union(o.item, n.item) {
		if key != "parameters" && !slices.Contains(methods(), key) {
			c.values(key, at, o.item[key], n.item[key])
		}
	}
}

const anonymous = "anonymous"

// security lists the ways in which the operation can be authorized.
func (o *Operation) security() []string {
	value, own := o.object["security"]
	if !own {
		value = o.doc["security"]
	}
	var ways []string
	requirements, _ := value.([]any)
	for _, requirement := range requirements {
		var schemes []string
		needs := members(requirement)
		for _, name := range keys(needs) {
			if !equal(needs[name], []any{}) {
				name += show(needs[name])
			}
			schemes = append(schemes, name)
		}
		if schemes == nil {
			schemes = []string{anonymous}
		}
		ways = append(ways, strings.Join(schemes, " + "))
	}
	if ways == nil {
		ways = []string{anonymous}
	}
	return ways
}

func (c *Changes) deprecation(what string, o, n map[string]any) {
	switch before, after := o["deprecated"] == true, n["deprecated"] == true; {
	case !before && after:
		c.notes("~ deprecated %s", what)
	case before && !after:
		c.notes("~ no longer deprecated: %s", what)
	}
}

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
	for _, from := range []map[string]any{o.item, o.object} {
		items, _ := from["parameters"].([]any)
		for _, item := range items {
			object := members(item)
			for range 8 { // a reference to a reference is rare, a circle of them an error
				ref, ok := object["$ref"].(string)
				if !ok {
					break
				}
				object = members(lookup(o.doc, ref))
			}
			p := parameter{bare(object["in"]), bare(object["name"]), object}
			same := func(q parameter) bool { return q.in == p.in && q.name == p.name }
			if i := slices.IndexFunc(found, same); i >= 0 {
				found[i] = p // the operation overrides its path
			} else {
				found = append(found, p)
			}
		}
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
	var kept, keptBefore []string
	for _, p := range before {
		if _, ok := find(after, p); ok {
			keptBefore = append(keptBefore, p.label(at))
		} else {
			c.breaks("- removed %s", p.label(at))
		}
	}
	for _, p := range after {
		was, ok := find(before, p)
		switch {
		case ok:
			kept = append(kept, p.label(at))
			c.parameter(at, was, p)
		case p.object["required"] == true:
			c.breaks("+ added required %s", p.label(at))
		default:
			c.adds("+ added %s", p.label(at))
		}
	}
	if !slices.Equal(kept, keptBefore) {
		c.notes("~ reordered parameters of %s", at)
	}
}

// renamed gives path parameters the names they have in another form of the
// same path.
func renamed(parameters []parameter, from, to string) []parameter {
	names := map[string]string{}
	after := pathParameter.FindAllString(to, -1)
	for i, name := range pathParameter.FindAllString(from, -1) {
		names[strings.Trim(name, "{}")] = strings.Trim(after[i], "{}")
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
		case "$ref", "in", "name", "required", "deprecated", "schema", "content":
		case "style", "explode", "allowReserved":
			if !equal(o.object[key], n.object[key]) { // the value is sent in another form
				c.breaks("~ changed %s of %s: %s → %s", key, label, show(o.object[key]), show(n.object[key]))
			}
		default:
			c.values(key, label, o.object[key], n.object[key])
		}
	}
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

func (c *Changes) components(o, n map[string]any) {
	for _, section := range union(o, n) {
		before, after := members(o[section]), members(n[section])
		switch section {
		case "schemas":
			c.named("schema", "", before, after, func(name string, o, n any) {
				c.schema(place{root: name, component: true}, o, n)
			})
		case "securitySchemes":
			c.named("security scheme", "", before, after, func(name string, o, n any) {
				if !equal(o, n) {
					c.breaks("~ changed security scheme %s: %s → %s", name, show(o), show(n))
				}
			})
		case "responses":
			c.named("response component", "", before, after, func(name string, o, n any) {
				c.body("response component "+name, members(o), members(n))
			})
		case "requestBodies":
			c.named("request body component", "", before, after, func(name string, o, n any) {
				c.requestBody("component "+name, o, n)
			})
		case "parameters": // told with the operations that have them
		default:
			c.values("components."+section, "", o[section], n[section])
		}
	}
}

func (c *Changes) tags(o, n any) {
	names := func(v any) map[string]any {
		byName := map[string]any{}
		tags, _ := v.([]any)
		for _, tag := range tags {
			byName[bare(members(tag)["name"])] = tag
		}
		return byName
	}
	before, after := names(o), names(n)
	for _, name := range union(before, after) {
		switch {
		case after[name] == nil:
			c.notes("- removed tag %s", name)
		case before[name] == nil:
			c.notes("+ added tag %s", name)
		default:
			c.values("tag "+name, "", before[name], after[name])
		}
	}
}

// A place is where a schema is: in a component, or in a part of an operation,
// and there at a path.
type place struct {
	root, path string
	component  bool
}

// String is the place as lines show it: MangaAttributes.status, or for schemas
// without a name GET /manga?status[] $[].
func (p place) String() string {
	switch {
	case p.component:
		return p.root + p.path
	case p.path == "":
		return p.root
	}
	return p.root + " $" + p.path
}

func (p place) at(step string) place {
	p.path += step
	return p
}

var plainName = regexp.MustCompile(`^[A-Za-z0-9_-]+$`)

func (p place) property(name string) place {
	if plainName.MatchString(name) {
		return p.at("." + name)
	}
	return p.at("[" + show(name) + "]")
}

func (c *Changes) schema(at place, o, n any) {
	before, ok1 := o.(map[string]any)
	after, ok2 := n.(map[string]any)
	if !ok1 || !ok2 {
		if !equal(o, n) {
			c.breaks("~ changed type of %s: %s → %s", at, describe(o), describe(n))
		}
		return
	}
	if was, is := head(before), head(after); was != is {
		from, to := describe(before), describe(after)
		c.breaks("~ changed type of %s: %s → %s", at, from, to)
		if !equal(before["type"], after["type"]) || !equal(before["$ref"], after["$ref"]) {
			return // nothing below is comparable
		}
	}
	c.deprecation(at.String(), before, after)
	switch was, is := before["nullable"] == true, after["nullable"] == true; {
	case !was && is:
		c.breaks("~ now nullable: %s", at)
	case was && !is:
		c.breaks("~ no longer nullable: %s", at)
	}
	c.enum(at, before["enum"], after["enum"])
	c.properties(at, before, after)
	for _, key := range union(before, after) {
		o, n := before[key], after[key]
		switch key {
		case "$ref", "type", "format", "deprecated", "nullable", "enum", "required", "properties": // told above
		case "patternProperties", "dependentSchemas", "$defs", "definitions":
			c.named(key, at.String(), members(o), members(n), func(name string, o, n any) {
				c.schema(at.at("."+key).property(name), o, n)
			})
		case "allOf", "oneOf", "anyOf", "prefixItems":
			c.alternatives(at, key, o, n)
		case "minimum", "maximum", "minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "pattern", "uniqueItems":
			c.limit(at, key, o, n)
		case "items":
			c.part(at, key, at.at("[]"), o, n)
		case "additionalProperties":
			c.part(at, key, at.at(".*"), o, n)
		case "unevaluatedProperties", "propertyNames", "unevaluatedItems", "contains", "contentSchema", "not", "if", "then", "else":
			c.part(at, key, at.at("."+key), o, n)
		default:
			c.values(key, at.String(), o, n)
		}
	}
}

// limit compares what limits a value. One that lets less through than before breaks.
func (c *Changes) limit(at place, key string, o, n any) {
	if equal(o, n) {
		return
	}
	before, ok1 := float(o)
	after, ok2 := float(n)
	tighter := n != nil && n != false
	if ok1 && ok2 {
		tighter = after < before == strings.HasPrefix(key, "max")
	}
	if tighter {
		c.breaks("~ tightened %s of %s: %s → %s", key, at, show(o), show(n))
	} else {
		c.notes("~ loosened %s of %s: %s → %s", key, at, show(o), show(n))
	}
}

func float(v any) (float64, bool) {
	n, ok := v.(number)
	if !ok {
		return 0, false
	}
	f, err := strconv.ParseFloat(string(n), 64)
	return f, err == nil
}

// part compares schemas that a keyword holds.
func (c *Changes) part(at place, key string, below place, o, n any) {
	if _, ok := o.(map[string]any); ok {
		if _, ok := n.(map[string]any); ok {
			c.schema(below, o, n)
			return
		}
	}
	if !equal(o, n) {
		c.breaks("~ changed %s of %s: %s → %s", key, at, describe(o), describe(n))
	}
}

func (c *Changes) properties(at place, o, n map[string]any) {
	before, after := members(o["properties"]), members(n["properties"])
	wasRequired, isRequired := texts(o["required"]), texts(n["required"])
	for _, name := range union(before, after) {
		was, inBefore := before[name]
		is, inAfter := after[name]
		switch p := at.property(name); {
		case !inAfter:
			c.breaks("- removed property %s", p)
		case !inBefore && slices.Contains(isRequired, name):
			c.breaks("+ added required property %s: %s", p, describe(is))
		case !inBefore:
			c.adds("+ added property %s: %s", p, describe(is))
		default:
			c.schema(p, was, is)
		}
	}
	for _, name := range slices.Compact(slices.Sorted(slices.Values(slices.Concat(wasRequired, isRequired)))) {
		_, inBefore := before[name]
		_, inAfter := after[name]
		if inBefore != inAfter {
			continue // told with the property
		}
		// No longer required breaks as well: the property can be missing where
		// its value was relied on.
		switch was, is := slices.Contains(wasRequired, name), slices.Contains(isRequired, name); {
		case !was && is:
			c.breaks("~ now required: property %s", at.property(name))
		case was && !is:
			c.breaks("~ no longer required: property %s", at.property(name))
		}
	}
}

func (c *Changes) enum(at place, o, n any) {
	before, wasEnum := o.([]any)
	after, isEnum := n.([]any)
	switch {
	case !wasEnum && isEnum:
		c.breaks("~ now limited to %s: %s", show(after), at)
		return
	case wasEnum && !isEnum:
		c.breaks("~ no longer limited to %s: %s", show(before), at)
		return
	}
	var kept, keptBefore []any
	for _, v := range before {
		if contains(after, v) {
			keptBefore = append(keptBefore, v)
		} else {
			c.breaks("- removed enum value %s: %s", at, show(v))
		}
	}
	for _, v := range after {
		if contains(before, v) {
			kept = append(kept, v)
		} else {
			c.adds("+ added enum value %s: %s", at, show(v))
		}
	}
	if !equal(kept, keptBefore) {
		c.notes("~ reordered enum values %s", at)
	}
}

// alternatives compares the schemas of allOf, oneOf, anyOf and prefixItems.
// Those of the same description belong together.
func (c *Changes) alternatives(at place, key string, o, n any) {
	before, _ := o.([]any)
	after, _ := n.([]any)
	used := make([]bool, len(before))
	last, reordered := -1, false
	for i, schema := range after {
		j := -1
		for k, candidate := range before {
			if !used[k] && describe(candidate) == describe(schema) {
				j = k
				break
			}
		}
		if j < 0 {
			c.adds("+ added to %s of %s: %s", key, at, describe(schema))
			continue
		}
		used[j] = true
		reordered = reordered || j < last
		last = j
		c.schema(at.at(fmt.Sprintf(".%s[%d]", key, i)), before[j], schema)
	}
	for j, schema := range before {
		if !used[j] {
			c.breaks("- removed from %s of %s: %s", key, at, describe(schema))
		}
	}
	if reordered {
		c.notes("~ reordered %s of %s", key, at)
	}
}

// values compares anything else, down to the values that differ.
func (c *Changes) values(what, at string, o, n any) {
	if equal(o, n) {
		return
	}
	before, ok1 := o.(map[string]any)
	after, ok2 := n.(map[string]any)
	if ok1 && ok2 {
		for _, key := range union(before, after) {
			c.values(what+"."+key, at, before[key], after[key])
		}
		return
	}
	if at != "" {
		what += " of " + at
	}
	c.notes("~ changed %s: %s → %s", what, show(o), show(n))
}

// head is what makes the type of a schema, without what it consists of.
func head(schema map[string]any) string {
	return show([]any{schema["$ref"], schema["type"], schema["format"]})
}

// describe returns the type of a schema in words.
func describe(v any) string {
	schema, ok := v.(map[string]any)
	switch {
	case v == nil:
		return "none"
	case v == true:
		return "any"
	case v == false:
		return "never"
	case !ok:
		return show(v)
	}
	if ref, ok := schema["$ref"].(string); ok {
		return strings.TrimPrefix(ref, "#/components/schemas/")
	}
	var words string
	switch t := schema["type"].(type) {
	case string:
		words = t
		if t == "array" {
			words = "array"
			if items, ok := schema["items"]; ok {
				words += " of " + describe(items)
			}
		}
	case []any:
		words = strings.Join(texts(t), " or ")
	}
	if format, ok := schema["format"].(string); ok {
		words = strings.TrimSpace(words + " (" + format + ")")
	}
	if words != "" {
		return words
	}
	for _, key := range []string{"oneOf", "anyOf", "allOf"} {
		if items, ok := schema[key].([]any); ok {
			parts := make([]string, len(items))
			for i, item := range items {
				parts[i] = describe(item)
			}
			return strings.TrimSuffix(key, "Of") + " of " + strings.Join(parts, ", ")
		}
	}
	switch {
	case schema["properties"] != nil:
		return "object"
	case schema["enum"] != nil:
		return show(schema["enum"])
	}
	return "any"
}

// show returns a value as a line has room for it: as JSON, plain words without
// quotes, nothing as none.
func show(v any) string {
	switch s, ok := v.(string); {
	case v == nil:
		return "none"
	case ok && isWord(s):
		return s
	}
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(encodable(v)); err != nil {
		return fmt.Sprint(v)
	}
	const room = 200
	if runes := []rune(strings.TrimSpace(text.String())); len(runes) > room {
		return string(runes[:room]) + "…"
	}
	return strings.TrimSpace(text.String())
}

// encodable returns a value for the JSON encoder, which knows numbers by its
// own type.
func encodable(v any) any {
	switch v := v.(type) {
	case number:
		return json.Number(v)
	case []any:
		items := make([]any, len(v))
		for i, item := range v {
			items[i] = encodable(item)
		}
		return items
	case map[string]any:
		values := make(map[string]any, len(v))
		for key, value := range v {
			values[key] = encodable(value)
		}
		return values
	}
	return v
}

// bare returns a name: a string as it is.
func bare(v any) string {
	if s, ok := v.(string); ok {
		return s
	}
	return show(v)
}

// members returns an object's members; what is no object has none.
func members(v any) map[string]any {
	m, _ := v.(map[string]any)
	return m
}

// texts returns the strings of a list.
func texts(v any) []string {
	items, _ := v.([]any)
	var found []string
	for _, item := range items {
		if s, ok := item.(string); ok {
			found = append(found, s)
		}
	}
	return found
}

// union returns the keys of both objects, sorted.
func union[M ~map[string]V, V any](a, b M) []string {
	all := maps.Clone(a)
	if all == nil {
		all = M{}
	}
	maps.Copy(all, b)
	return slices.Sorted(maps.Keys(all))
}

func equal(a, b any) bool { return reflect.DeepEqual(a, b) }

func contains(items []any, v any) bool {
	return slices.ContainsFunc(items, func(item any) bool { return equal(item, v) })
}
