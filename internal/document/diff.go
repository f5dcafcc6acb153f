package document

import (
	"fmt"
	"io"
	"reflect"
	"strings"
)

// Changes is what a new document does to an old one, as lines for the reader.
// Breaking is what can make requests for the old document fail, or what reads its answers: things removed,
// newly demanded, or of another type. Whether that breaks who uses this module depends on what the overlay
// corrects: internal/apigen tells, which compares the corrected documents.
type Changes struct {
	breaking, added, other []string

	old, new Document
	sent     map[string]bool // components that requests hold, in either document
	got      map[string]bool // components that answers hold
	compared map[comparison]bool
	within   map[string]bool // pairs of composed schemas that are being compared

	LostOperations int
}

// A comparison is that of two components of different names, where they are got or sent only.
type comparison struct {
	before, after any
	got, sent     bool
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

// How many bytes the parts of the report have at most. What GitHub takes for a pull request has 64 kB,
// and the report of the generation and the errors of a build go into the same.
const (
	maxWeighty = 6_000
	maxOther   = 5_000
)

// Weighty heads what can break something where nothing corrects it.
const Weighty = "Removed, demanded, or of another type"

// Breaking returns the lines of what breaks who sends or reads what the old document says.
func (c *Changes) Breaking() []string { return c.breaking }

// Print writes the changes of an uncorrected document as Markdown, the breaking ones first.
func (c *Changes) Print(w io.Writer, name string, old, new Document) {
	fmt.Fprintf(w, "%s: version %s, %s; was %s, %s\n", name,
		new.Version(), Count(len(Operations(new))),
		old.Version(), Count(len(Operations(old))))
	for _, part := range []struct {
		heading string
		lines   []string
		max     int
	}{
		{Weighty, c.breaking, maxWeighty},
		{"Additions", c.added, maxOther},
		{"Other changes", c.other, maxOther},
	} {
		if len(part.lines) == 0 {
			continue
		}
		lines, more := Within(part.lines, part.max), ""
		if left := len(part.lines) - len(lines); left > 0 {
			more = fmt.Sprintf("\nand %d more\n", left)
		}
		fmt.Fprintf(w, "\n## %s\n\n```diff\n%s\n```\n%s", part.heading, strings.Join(lines, "\n"), more)
	}
}

// Within returns the first lines that have at most so many bytes together. A line of which most would
// not be read is cut.
func Within(lines []string, max int) []string {
	const maxLine = 1000
	kept := make([]string, 0, len(lines))
	for _, line := range lines {
		if len(line) > maxLine {
			line = strings.ToValidUTF8(line[:maxLine], "") + " …"
		}
		if max -= len(line) + 1; max < 0 {
			break
		}
		kept = append(kept, line)
	}
	return kept
}

// Count says how many operations there are.
func Count(n int) string {
	if n == 1 {
		return "1 operation"
	}
	return fmt.Sprintf("%d operations", n)
}

// Compare lists what changed. A reference of the same name in both is not followed, so that a changed
// component is told once and cycles do not matter.
func Compare(old, new Document) *Changes {
	same := reflect.DeepEqual(old, new)
	old, new = normal(old), normal(new)
	c := &Changes{old: old, new: new, compared: map[comparison]bool{}, within: map[string]bool{}}
	c.sent, c.got = held(old, new)
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
			c.notes("~ nothing that is on the wire")
		}
	}
	return c
}

// normal is a document in the form in which documents are compared. One that cannot be used is compared as
// far as it goes.
func normal(doc Document) Document {
	lowered := Document(copied(map[string]any(doc)).(map[string]any))
	_ = Normalise(lowered)
	lowered["openapi"] = doc["openapi"]
	return lowered
}

func (c *Changes) components(o, n map[string]any) {
	for _, section := range union(o, n) {
		before, after := members(o[section]), members(n[section])
		switch section {
		case "schemas":
			wasPart, isPart := partsOf(c.old), partsOf(c.new)
			for _, name := range union(before, after) {
				o, was := before[name]
				n, is := after[name]
				switch {
				case was && is && (wasPart[name] || isPart[name]): // what it has is told where it stands
				case !is: // so it is here
					c.notes("- removed schema %s", name)
				case !was:
					c.adds("+ added schema %s", name)
				default:
					c.schema(place{root: name, component: true}, o, n)
				}
			}
		case "securitySchemes":
			c.named("security scheme", "", before, after, func(name string, o, n any) {
				if !equal(o, n) {
					c.breaks("~ changed security scheme %s: %s → %s", name, show(o), show(n))
				}
			})
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
