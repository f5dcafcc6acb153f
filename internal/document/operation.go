package document

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// An Operation is one method of a path.
type Operation struct {
	doc          Document
	path, method string
	item, object map[string]any // the path item, the operation object
}

// key orders operations by path and method. The names of path parameters are no
// part of it: they do not appear on the wire.
func (o *Operation) key() string {
	return fmt.Sprintf("%s %d", Shape(o.path), slices.Index(methods(), o.method))
}

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
	c.responses(at, members(o.object["responses"]), members(n.object["responses"]))
	for _, key := range union(o.object, n.object) {
		switch key {
		case "operationId", "deprecated", "security", "parameters", "requestBody", "responses":
		default:
			c.values(key, at, o.object[key], n.object[key])
		}
	}
	for _, key := range union(o.item, n.item) {
		if !slices.Contains(methods(), key) {
			c.values(key, at, o.item[key], n.item[key])
		}
	}
}

// responses compares the answers of an operation. That of a success may come with another status, and those
// of failures are told by the answer.
func (c *Changes) responses(at string, o, n map[string]any) {
	before, after := maps.Clone(o), maps.Clone(n)
	if was, is := moved(o, n); is != "" {
		c.notes("~ changed status of %s: %s → %s", at, was, is)
		c.body(at+" response "+is, members(o[was]), members(n[is]))
		delete(before, was)
		delete(after, is)
	}
	for _, status := range keys(before) {
		if after[status] == nil && !strings.HasPrefix(status, "2") {
			c.notes("- removed response %s %s", at, status)
			delete(before, status)
		}
	}
	c.named("response", at, before, after, func(status string, o, n any) {
		c.body(at+" response "+status, members(o), members(n))
	})
}

// moved is the status of the only success before and that of what has taken its place, if that is gone:
// the first new one that has content where it had some, or none where it had none.
func moved(o, n map[string]any) (was, is string) {
	for status := range o {
		if strings.HasPrefix(status, "2") {
			if was != "" {
				return "", ""
			}
			was = status
		}
	}
	if was == "" || n[was] != nil {
		return "", ""
	}
	for _, status := range keys(n) {
		says := func(answer any) bool { return len(members(members(answer)["content"])) > 0 }
		if strings.HasPrefix(status, "2") && (is == "" || says(n[status]) == says(o[was]) && says(n[is]) != says(o[was])) {
			is = status
		}
	}
	return was, is
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
