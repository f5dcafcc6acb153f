package main

import (
	"bytes"
	"fmt"
	"go/token"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/mangadex-go/mangadex/internal/document"
)

// An Outcome is what became of an action that was not simply applied.
type Outcome string

const (
	Obsolete  Outcome = "obsolete"  // the document says so itself
	Unmatched Outcome = "unmatched" // what it changes is gone or has moved
	Conflict  Outcome = "conflict"  // what it changes has been changed in another way; it was left
)

// A Finding is an action of the overlay that was not simply applied, and what to do.
type Finding struct {
	File    string
	Line    int
	Target  string
	Outcome Outcome
	Advice  string
}

// A Report is what a maintainer has to know of a generation.
type Report struct {
	Findings []Finding
	Kept     []string // what the document lacks and hand-written code needs: where the overlay adds it
	Breaking []string // what breaks who uses the library: changes of the corrected document
	Missing  []string // schemas that corrections refer to and the document has not
	Became   []string // what is new or gone in Go, against the files that were there
	Left     []string // what is left for a person
}

func (a *action) finding(outcome Outcome, advice string) *Finding {
	return &Finding{File: a.file, Line: a.line, Target: a.Target, Outcome: outcome, Advice: advice}
}

// String is the report as lines of text; it is empty if everything fits.
func (r *Report) String() string {
	var b strings.Builder
	for _, f := range r.Findings {
		fmt.Fprintf(&b, "%s:%d: %s: %s: %s\n", f.File, f.Line, f.Outcome, f.Target, f.Advice)
	}
	for _, name := range r.Missing {
		fmt.Fprintf(&b, "there is no schema %s, which a correction refers to: it is taken for anything\n", name)
	}
	return b.String()
}

// maxPart is how many bytes a part of the report has: with what has changed in the document and the errors
// of a build it goes into a pull request, which has 64 kB.
const maxPart = 6_000

// Markdown is the report for a pull request.
func (r *Report) Markdown() string {
	var b strings.Builder
	section := func(title, head string, lines []string, tail string) {
		if len(lines) == 0 {
			return
		}
		fmt.Fprintf(&b, "\n## %s\n\n%s", title, head)
		kept := document.Within(lines, maxPart)
		b.WriteString(strings.Join(kept, "\n") + "\n" + tail)
		if left := len(lines) - len(kept); left > 0 {
			fmt.Fprintf(&b, "\nand %d more.\n", left)
		}
	}
	section("Breaking changes of the corrected document", "```diff\n", r.Breaking, "```\n")
	section("What it became in Go", "| document | Go |\n| --- | --- |\n", r.Became, "")
	// What is wrong now comes before what can wait.
	findings := slices.SortedStableFunc(slices.Values(r.Findings), func(a, b Finding) int {
		order := []Outcome{Conflict, Unmatched, Obsolete}
		return slices.Index(order, a.Outcome) - slices.Index(order, b.Outcome)
	})
	var lines []string
	for _, f := range findings {
		lines = append(lines, fmt.Sprintf("| %s | %s:%d | %s | %s |", f.Outcome, f.File, f.Line, cell(f.Target), cell(f.Advice)))
	}
	section("Actions of the overlay that do not fit", "| | place | target | advice |\n| --- | --- | --- | --- |\n", lines, "")
	left := slices.Clone(r.Left)
	for _, kept := range r.Kept {
		left = append(left, "- The document lacks what hand-written code needs; "+kept+".")
	}
	for _, name := range r.Missing {
		left = append(left, "- There is no schema "+name+", which a correction refers to: it is taken for anything.")
	}
	section("Left for a person", "", left, "")
	return b.String()
}

// cell is a text in a table of Markdown.
func cell(text string) string {
	if runes := []rune(text); len(runes) > 200 {
		text = string(runes[:200]) + "…"
	}
	return "`" + strings.NewReplacer("|", `\|`, "`", "'", "\n", " ").Replace(text) + "`"
}

// breaking tells what breaks who uses the library, between what the document was and is with its
// corrections. What upstream has corrected as the overlay did changes nothing there.
func breaking(before, after []byte) ([]string, error) {
	old, _, err := document.Read(before)
	if err != nil {
		return nil, fmt.Errorf("%s %w; restore it, or delete it and nothing is compared", overlaidPath, err)
	}
	corrected, _, err := document.Read(after)
	if err != nil {
		return nil, fmt.Errorf("the corrected document %w", err)
	}
	return document.Compare(old, corrected).Breaking(), nil
}

var tableRow = regexp.MustCompile(`(?m)^\s*\w+:\s+\{ID: "(\w+)", Method: "(\w+)", Path: "([^"]+)"`)

// operationsOf lists the operations of a generated table: method and shape of the path → Go name.
func operationsOf(table []byte) map[string]string {
	found := map[string]string{}
	for _, row := range tableRow.FindAllSubmatch(table, -1) {
		found[string(row[2])+" "+document.Shape(string(row[3]))] = string(row[1])
	}
	return found
}

// getterOfMore is a method for a member that a type written by hand lacks.
var getterOfMore = regexp.MustCompile(`(?m)^func \(x (\w+)\) (Get\w+)\(\) \(v (.+)\) \{$`)

// became tells what is new or gone in Go, against the files and the names that were there.
func became(before Files, taken *reserved, after Files, types *goTypes) ([]string, error) {
	var lines []string
	was, is := operationsOf(before[operationsPath]), operationsOf(after[operationsPath])
	for _, key := range slices.Sorted(maps.Keys(is)) {
		switch old := was[key]; {
		case old == "":
			lines = append(lines, fmt.Sprintf("| new: `%s` | `Client.%s` |", key, is[key]))
		case old != is[key]:
			lines = append(lines, fmt.Sprintf("| `%s` | `Client.%s`, was `Client.%s` |", key, is[key], old))
		}
	}
	for _, key := range slices.Sorted(maps.Keys(was)) {
		if is[key] == "" {
			lines = append(lines, fmt.Sprintf("| gone: `%s` | `Client.%s` |", key, was[key]))
		}
	}
	methods, err := readCalls(after[callsPath])
	if err != nil {
		return nil, err
	}
	for _, getter := range getterOfMore.FindAllSubmatch(after[relatedPath], -1) {
		if !bytes.Contains(before[relatedPath], getter[0]) {
			lines = append(lines, fmt.Sprintf("| | new: `%s.%s() %s` |", getter[1], getter[2], getter[3]))
		}
	}
	operations := slices.Collect(maps.Values(is))
	for _, name := range slices.Sorted(maps.Keys(methods)) {
		before, there := taken.calls[name]
		if !there && !slices.Contains(operations, name) {
			lines = append(lines, fmt.Sprintf("| | new: `Client.%s` |", name))
		}
		if there && !before.params && methods[name].params {
			lines = append(lines, fmt.Sprintf("| | `Client.%s` takes parameters, one of which must be given |", name))
		}
		if there && before.signature != methods[name].signature && token.IsExported(name) {
			lines = append(lines, fmt.Sprintf("| | `Client.%s%s`, was `%s` |", name, methods[name].signature, before.signature))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(taken.calls)) {
		if _, there := methods[name]; !there && token.IsExported(name) && !slices.Contains(slices.Collect(maps.Values(was)), name) {
			lines = append(lines, fmt.Sprintf("| | gone: `Client.%s` |", name))
		}
	}
	old := taken.before
	for _, name := range slices.Sorted(maps.Keys(types.structs)) {
		if old.structs[name] == nil {
			lines = append(lines, fmt.Sprintf("| | new: `%s` |", name))
			continue
		}
		for _, f := range types.structs[name] {
			before := old.field(name, f.name)
			switch goType := source(f.typ); {
			case before == nil:
				lines = append(lines, fmt.Sprintf("| new: `%s` | `%s.%s %s` |", f.json, name, f.name, goType))
			case source(before.typ) != goType:
				lines = append(lines, fmt.Sprintf("| `%s` | `%s.%s %s`, was `%s` |", f.json, name, f.name, goType, source(before.typ)))
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(old.structs)) {
		if types.structs[name] == nil {
			lines = append(lines, fmt.Sprintf("| | gone: `%s` |", name))
			continue
		}
		for _, f := range old.structs[name] {
			if types.field(name, f.name) == nil {
				lines = append(lines, fmt.Sprintf("| gone: `%s` | `%s.%s` |", f.json, name, f.name))
			}
		}
	}
	return lines, nil
}

// left lists what operations need of a person: a name, words, a row in the table of the tests, and what
// their methods do not send or return. It also lists what is said where all that matters is an error.
func (m *model) left() []string {
	var lines []string
	for _, op := range m.ops {
		var needs []string
		if !op.given {
			needs = append(needs, "a name, its authentication and its limit in api/overlay/operations.yaml", "a row in api/testdata/operations.tsv")
		}
		if op.spec.Summary == "" {
			needs = append(needs, "words in api/overlay/words-operations.yaml")
		}
		if parts := m.partsLeft(op); len(parts) > 0 {
			needs = append(needs, fmt.Sprintf("what sends the parts %s of its form, in the type `%s` of package api, and their names in its x-go-parts in api/overlay/types.yaml", strings.Join(parts, ", "), op.form))
		}
		if other := op.otherBodies(); len(other) > 0 {
			needs = append(needs, fmt.Sprintf("what sends its body as %s, which its method does not", strings.Join(other, " or ")))
		}
		if len(op.unread) > 0 {
			needs = append(needs, fmt.Sprintf("what returns its answer with %s, which says something else than its method returns", strings.Join(op.unread, " and ")))
		}
		if servers := m.servers(op); len(servers) > 0 {
			needs = append(needs, fmt.Sprintf("what sends it to %s: its method sends it to the server of the client", strings.Join(servers, " or ")))
		}
		if len(needs) > 0 {
			lines = append(lines, fmt.Sprintf("- `%s %s` (`%s`) needs %s.", op.method, op.path, op.id, strings.Join(needs, ", ")))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(m.doc.Components.Schemas)) {
		s := m.doc.Components.Schemas[name].Value
		if s.Extensions[extAcknowledges] != true {
			continue
		}
		said := slices.DeleteFunc(slices.Sorted(maps.Keys(s.Properties)), func(member string) bool { return member == "result" || member == extraName })
		if len(said) > 0 {
			lines = append(lines, fmt.Sprintf("- `%s` says more than that all went well (%s), and calls that it answers return an error only: `Client.Do` has it. Without x-acknowledges in %s/types.yaml each of them gets a second method that returns it.", goTypeName(name, s), strings.Join(said, ", "), overlayPath))
		}
	}
	return lines
}

// otherBodies are the media types of a body that the method does not send.
func (op *operation) otherBodies() (other []string) {
	if op.form == "io.Reader" || op.spec.RequestBody == nil || op.spec.RequestBody.Value == nil {
		return nil // or it sends any
	}
	for _, mediaType := range slices.Sorted(maps.Keys(op.spec.RequestBody.Value.Content)) {
		if sent := mediaType == "application/json"; sent != op.sendsJSON() {
			other = append(other, mediaType)
		}
	}
	return other
}

// servers are those that an operation or its path has for itself.
func (m *model) servers(op *operation) (urls []string) {
	servers := m.doc.Paths.Value(op.path).Servers
	if op.spec.Servers != nil {
		servers = *op.spec.Servers
	}
	for _, server := range servers {
		urls = append(urls, server.URL)
	}
	return urls
}
