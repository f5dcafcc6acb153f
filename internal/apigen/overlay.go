package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/speakeasy-api/jsonpath/pkg/jsonpath"
	"gopkg.in/yaml.v3"
)

// An Overlay is a file of actions on the document (OpenAPI Overlay 1.1).
type Overlay struct {
	Name    string
	Content []byte
}

// An action changes the places of the document that its target selects.
type action struct {
	Target      string    `yaml:"target"`
	Description string    `yaml:"description"`
	Update      yaml.Node `yaml:"update"`
	Remove      bool      `yaml:"remove"`
	Copy        string    `yaml:"copy"`

	// Expect is what the action corrects: members that the target has, null for one that it has not. A
	// target that has something else is left as it is.
	Expect yaml.Node `yaml:"x-expect"`
	// Replace puts Update in the place of a target that is Expect and nothing else but words and limits.
	Replace bool `yaml:"x-replace"`
	// Forms is "any" where the places that get one name may differ in type.
	Forms string `yaml:"x-forms"`
	// Older says that only documents older than the present one need the action.
	Older bool `yaml:"x-older"`

	file string
	line int
}

// readOverlay reads the actions of an overlay.
func readOverlay(o Overlay) ([]*action, error) {
	var file struct {
		Actions []yaml.Node `yaml:"actions"`
	}
	if err := yaml.Unmarshal(o.Content, &file); err != nil {
		return nil, fmt.Errorf("%s: %w", o.Name, err)
	}
	actions := make([]*action, len(file.Actions))
	for i, node := range file.Actions {
		a := &action{file: o.Name, line: node.Line}
		if err := node.Decode(a); err != nil {
			return nil, fmt.Errorf("%s: %w", o.Name, err)
		}
		kinds := 0
		for _, is := range []bool{!a.Update.IsZero(), a.Remove, a.Copy != ""} {
			if is {
				kinds++
			}
		}
		switch {
		case a.Target == "":
			return nil, a.fault("it has no target")
		case kinds != 1:
			return nil, a.fault("it needs one of update, remove and copy")
		case member(&a.Update, "$ref") != nil && !a.Replace:
			return nil, a.fault("a reference takes the place of what is there, so it needs x-replace")
		case a.Replace && (a.Expect.IsZero() || a.Update.IsZero()):
			return nil, a.fault("x-replace needs update, and x-expect for the whole of what is replaced")
		}
		for j := 0; j < len(node.Content); j += 2 {
			if key := node.Content[j].Value; !slices.Contains([]string{"target", "description", "update", "remove", "copy", "x-expect", "x-replace", "x-forms", "x-older"}, key) {
				return nil, a.fault("it has the member " + key + ", which no action has")
			}
		}
		actions[i] = a
	}
	return actions, nil
}

func (a *action) fault(text string) error {
	return fmt.Errorf("%s:%d: the action on %s cannot be used: %s", a.file, a.line, a.Target, text)
}

// load reads the document and applies the overlays to it.
func load(in Input, calls map[string]call, byHand []string) (*openapi3.T, *Report, error) {
	root, err := readDocument(in.Document, pathsOf(in.Before[operationsPath]))
	if err != nil {
		return nil, nil, err
	}
	later := laterBodies(root, operationsOf(in.Before[operationsPath]), calls)
	report, err := correct(root, in.Overlays)
	if err != nil {
		return nil, nil, err
	}
	for _, body := range later {
		put(body, "required", &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!bool", Value: "false"})
	}
	splitShared(root, byHand)
	content, err := yaml.Marshal(root)
	if err != nil {
		return nil, nil, err
	}
	doc, err := openapi3.NewLoader().LoadFromData(content)
	if err != nil {
		return nil, nil, fmt.Errorf("the document with its corrections cannot be read: %w", err)
	}
	return doc, report, nil
}

// correct applies the overlays to a document.
func correct(root *yaml.Node, overlays []Overlay) (*Report, error) {
	report, names := &Report{}, newHoister(root)
	for _, o := range overlays {
		actions, err := readOverlay(o)
		if err != nil {
			return nil, err
		}
		for _, a := range actions {
			finding, err := a.apply(root, names, report)
			if err != nil {
				return nil, err
			}
			if finding != nil {
				report.Findings = append(report.Findings, *finding)
			}
		}
	}
	report.Missing = addMissing(root)
	return report, nil
}

// query returns the places that a target selects. Where the document refers to a schema or composes one of
// others, the target goes on in these: upstream may give a name to anything. What is not in the answer with
// 200 is looked for in those with 201 and 202.
func query(root *yaml.Node, target string) (nodes []*yaml.Node, err error) {
	const success = "responses['200']"
	for _, status := range []string{"200", "201", "202"} {
		at := strings.Replace(target, success, "responses['"+status+"']", 1)
		nodes, err = queryIn(root, lookup(root, "components", "schemas"), at, map[*yaml.Node]bool{})
		if err != nil || len(nodes) > 0 || !strings.Contains(target, success) {
			break
		}
	}
	return nodes, err
}

// queryIn is query for a part of the document. It leaves out schemas that it comes from.
func queryIn(part, schemas *yaml.Node, target string, from map[*yaml.Node]bool) ([]*yaml.Node, error) {
	path, err := jsonpath.NewPath(target)
	if err != nil {
		return nil, err
	}
	nodes := path.Query(part)
	for prefix, whole := parentTarget(target), target; len(prefix) > len("$") && prefix != whole; prefix, whole = parentTarget(prefix), prefix {
		path, err := jsonpath.NewPath(prefix)
		if err != nil {
			return nil, err
		}
		for _, holder := range path.Query(part) {
			for _, schema := range heldBy(holder, schemas) {
				if from[schema] {
					continue
				}
				from[schema] = true
				more, err := queryIn(schema, schemas, "$"+target[len(prefix):], from)
				delete(from, schema)
				if err != nil {
					return nil, err
				}
				for _, node := range more {
					if !slices.Contains(nodes, node) {
						nodes = append(nodes, node)
					}
				}
			}
		}
	}
	return nodes, nil
}

// heldBy are the schemas that a node refers to or is composed of.
func heldBy(node, schemas *yaml.Node) (held []*yaml.Node) {
	var add func(node *yaml.Node)
	add = func(node *yaml.Node) {
		var next []*yaml.Node
		if ref := member(node, "$ref"); ref != nil {
			if schema := member(schemas, strings.TrimPrefix(ref.Value, schemaPrefix)); schema != nil {
				next = append(next, schema)
			}
		}
		if parts := member(node, "allOf"); parts != nil {
			next = append(next, parts.Content...)
		}
		for _, schema := range next {
			if !slices.Contains(held, schema) {
				held = append(held, schema)
				add(schema)
			}
		}
	}
	add(node)
	return held
}

// apply applies the action, and tells the report what it keeps of older documents. It returns a finding
// unless every place was what the action expects.
func (a *action) apply(root *yaml.Node, names *hoister, report *Report) (*Finding, error) {
	target := names.paths.Replace(a.Target)
	nodes, err := query(root, target)
	if err != nil {
		return nil, a.fault(err.Error())
	}
	if len(nodes) == 0 && a.Older {
		return nil, nil
	}
	if len(nodes) == 0 {
		return a.missed(root, target)
	}
	update := &a.Update
	if a.Copy != "" {
		from, err := query(root, names.paths.Replace(a.Copy))
		if err != nil {
			return nil, a.fault(err.Error())
		}
		if len(from) != 1 {
			return a.finding(Unmatched, fmt.Sprintf("%s, from which it copies, is there %d times", a.Copy, len(from))), nil
		}
		update = clone(from[0])
	}
	parents := map[*yaml.Node]*yaml.Node{}
	if a.Remove {
		findParents(root, parents)
	}
	if member(&a.Update, extSchemaName) != nil {
		nodes = slices.DeleteFunc(nodes, func(node *yaml.Node) bool { return !a.expected(names.resolved(node), names) })
		if len(nodes) == 0 {
			return a.finding(Unmatched, "what is there is another thing by now; look for what has the name"), nil
		}
		for _, node := range nodes {
			merge(node, &a.Update)
		}
		if conflicts := names.hoist(nodes, a.Forms == "any"); conflicts != nil {
			return a.finding(Conflict, strings.Join(conflicts, "; ")+": name them apart"), nil
		}
		return nil, nil
	}
	changed, other, unstated := 0, 0, ""
	var filled []string
	for _, node := range nodes {
		switch {
		case a.Older:
			filled = append(filled, fill(node, update)...)
		case !a.Remove && a.done(node, update):
		case a.Replace && equal(node, names.resolved(update)): // the same without a name
			*node = *clone(update)
		case !a.expected(node, names) && !(a.Replace && a.expected(names.resolved(node), names)):
			other++
		case a.Remove:
			remove(parents[node], node)
			changed++
		case a.Replace:
			*node = *clone(update)
			changed++
		default:
			if member(update, "nullable") != nil && member(node, "$ref") != nil {
				*node = *names.nullable(node)
			}
			if a.Expect.IsZero() && unstated == "" {
				unstated = overwritten(node, update)
			}
			merge(node, update)
			changed++
		}
	}
	switch {
	case len(filled) > 0:
		slices.Sort(filled)
		report.Kept = append(report.Kept, fmt.Sprintf("%s:%d adds %s to `%s`", a.file, a.line, strings.Join(slices.Compact(filled), ", "), a.Target))
	case other > 0:
		return a.finding(Conflict, fmt.Sprintf("%d of %d places are not what it expects; compare them with the document and correct the action", other, len(nodes))), nil
	case unstated != "":
		return a.finding(Conflict, "it takes the place of "+unstated+", which x-expect does not state; state it"), nil
	case changed == 0 && !a.Older:
		return a.finding(Obsolete, "the document says so itself; take the action out"), nil
	}
	return nil, nil
}

// done reports whether a place is already what the action makes of it.
func (a *action) done(node, update *yaml.Node) bool {
	if a.Replace {
		return equal(node, update)
	}
	as := clone(node)
	if member(as, "in") != nil { // what a parameter does not say of itself
		if member(as, "style") == nil {
			put(as, "style", textMember("style", "form").Content[1])
		}
		if member(as, "explode") == nil && member(as, "style").Value == "form" {
			put(as, "explode", &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!bool", Value: "true"})
		}
	}
	return !merge(as, update)
}

func (a *action) expected(node *yaml.Node, names *hoister) bool {
	if a.Expect.IsZero() {
		return true
	}
	switch node = names.inline(node, &a.Expect); {
	case a.Replace, a.Remove: // all that is there goes
		return equal(kindOf(node), kindOf(&a.Expect))
	}
	return has(node, &a.Expect)
}

// missed says why the target selects nothing: what it corrects has been corrected, or is elsewhere.
func (a *action) missed(root *yaml.Node, target string) (*Finding, error) {
	if a.Remove {
		if around, err := query(root, parentTarget(target)); err == nil && len(around) > 0 {
			return a.finding(Obsolete, "what it removes is gone; take the action out"), nil
		}
	}
	if name := member(&a.Update, "name"); name != nil && !a.Remove {
		for _, old := range targetNames(target) {
			renamed, err := query(root, strings.ReplaceAll(target, "== '"+old+"'", "== '"+name.Value+"'"))
			if err == nil && len(renamed) > 0 && !slices.ContainsFunc(renamed, func(n *yaml.Node) bool { return !a.done(n, &a.Update) }) {
				return a.finding(Obsolete, "the document has this name itself; take the action out"), nil
			}
		}
	}
	return a.finding(Unmatched, "its target is gone or has moved; look for it in the document"), nil
}

// targetNames are the names that a target compares with.
func targetNames(target string) []string {
	var names []string
	for _, part := range strings.Split(target, "@.name == '")[1:] {
		name, _, _ := strings.Cut(part, "'")
		names = append(names, name)
	}
	return names
}

// parentTarget is a target without its last step.
func parentTarget(target string) string {
	depth, quoted := 0, false
	for i := len(target) - 1; i > 0; i-- {
		switch c := target[i]; {
		case c == '\'':
			quoted = !quoted
		case quoted:
		case c == ']':
			depth++
		case c == '[':
			if depth--; depth == 0 {
				return target[:i]
			}
		case c == '.' && depth == 0:
			return strings.TrimSuffix(target[:i], ".")
		}
	}
	return target
}
