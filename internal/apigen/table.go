package main

import (
	"fmt"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"github.com/mangadex-go/mangadex/internal/document"
)

// writeOperations writes the table of operations and the matcher.
func (m *model) writeOperations(p *printer) {
	p.line("import (\n\"strings\"\n\"time\"\n)\n")
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
		secret := ""
		if m.isSecret(op.result) {
			secret = ", SecretAnswer: true"
		}
		if slices.ContainsFunc(op.pathParams, isSecretParameter) {
			secret += ", SecretPath: true"
		}
		p.line("%s: {ID: %q, Method: %q, Path: %q, Auth: %s%s%s%s},", op.id, op.id, op.method, op.path, op.auth, deprecated, limit, secret)
	}
	p.line("}\n")
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
	patterns map[string]*node  // segments of which a part is a parameter, by their shapes
	param    *node             // any segment
	methods  map[string]string // method → constant
}

func child(nodes *map[string]*node, segment string) *node {
	if *nodes == nil {
		*nodes = map[string]*node{}
	}
	if (*nodes)[segment] == nil {
		(*nodes)[segment] = &node{}
	}
	return (*nodes)[segment]
}

func (m *model) writeMatcher(p *printer) {
	root := &node{}
	for _, op := range m.ops {
		at := root
		for segment := range strings.SplitSeq(strings.TrimPrefix(document.Shape(op.path), "/"), "/") {
			switch {
			case segment == "{}":
				if at.param == nil {
					at.param = &node{}
				}
				at = at.param
			case strings.Contains(segment, "{}"):
				at = child(&at.patterns, segment)
			default:
				at = child(&at.children, segment)
			}
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
	if slices.ContainsFunc(m.ops, func(op *operation) bool { return partOfSegment.MatchString(op.path) }) {
		p.line("%s", fitsSource)
	}
}

// partOfSegment finds a parameter that has a segment not for itself alone: {id}.zip.
var partOfSegment = regexp.MustCompile(`[^/]\{|\}[^/]`)

// fitsSource is in the generated code only where a document needs it.
const fitsSource = `
// fits reports whether a segment is of a shape such as {}.zip or {}-{}, where each {} stands for one
// character or more.
func fits(segment, shape string) bool {
	parts := strings.Split(shape, "{}")
	rest, ok := strings.CutPrefix(segment, parts[0])
	if !ok {
		return false
	}
	for _, part := range parts[1 : len(parts)-1] {
		if rest == "" {
			return false
		}
		i := strings.Index(rest[1:], part)
		if i < 0 {
			return false
		}
		rest = rest[1+i+len(part):]
	}
	last := parts[len(parts)-1]
	return len(rest) > len(last) && strings.HasSuffix(rest, last)
}`

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
	if len(n.children) == 0 && len(n.patterns) == 0 && n.param == nil {
		return
	}
	p.line("{\nsegment, path := nextSegment(path)\n_ = path\nswitch segment {")
	for _, name := range slices.Sorted(maps.Keys(n.children)) {
		p.line("case %q:", name)
		n.children[name].write(p)
	}
	if n.param != nil || len(n.patterns) > 0 {
		if n.children[""] == nil { // else it is that of a slash at the end
			p.line("case \"\":\nreturn -1")
		}
		p.line("default:")
		// What says more of a segment comes first.
		patterns := slices.SortedFunc(maps.Keys(n.patterns), func(a, b string) int {
			if d := len(b) - len(a); d != 0 {
				return d
			}
			return strings.Compare(a, b)
		})
		for _, pattern := range patterns {
			p.line("if fits(segment, %q) {", pattern)
			n.patterns[pattern].write(p)
			p.line("}")
		}
		if n.param != nil {
			n.param.write(p)
		}
	}
	p.line("}\n}")
}
