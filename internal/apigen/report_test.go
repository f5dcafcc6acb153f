package main

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/mangadex-go/mangadex/internal/document"
)

// TestReportSize compares a document with one that has nothing in common with it: what is told goes into
// a pull request, with 16 kB of errors of a build.
func TestReportSize(t *testing.T) {
	t.Parallel()
	before, _, err := document.Read(presentInput(t).Document)
	if err != nil {
		t.Fatal(err)
	}
	other := presentDocument(t)
	paths := part{}
	for path, item := range object(other, "paths") {
		paths["/other"+path] = item
	}
	other["paths"] = paths
	schemas := object(other, "components", "schemas")
	for i := range 300 {
		schemas[fmt.Sprintf("Other%d", i)] = part{"type": "string", "enum": []any{strings.Repeat("long", 1000)}}
	}
	after, _, err := document.Read(encoded(t, other))
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	document.Compare(before, after).Print(&b, "openapi.yaml", before, after)
	r := &Report{}
	for _, o := range presentInput(t).Overlays {
		actions, err := readOverlay(o)
		if err != nil {
			t.Fatal(err)
		}
		for _, a := range actions {
			r.Findings = append(r.Findings, *a.finding(Unmatched, strings.Repeat("look ", 100)))
		}
	}
	for i := range 3000 {
		r.Became = append(r.Became, fmt.Sprintf("| new: `%d` | `Client.%s` |", i, strings.Repeat("Long", 100)))
		r.Breaking = append(r.Breaking, "- removed property "+strings.Repeat("Long", 100))
		r.Left = append(r.Left, "- "+strings.Repeat("left ", 100))
	}
	b.WriteString(r.Markdown())
	if b.Len() > 60_000-16_000 {
		t.Errorf("the report has %d bytes", b.Len())
	}
	if fences := strings.Count(b.String(), "```"); fences%2 != 0 || !strings.Contains(b.String(), " more") {
		t.Errorf("%d fences:\n%s", fences, &b)
	}
}

// tells reports a line that a part of a report lacks.
func tells(t *testing.T, lines []string, want string) {
	t.Helper()
	if !slices.Contains(lines, want) {
		t.Errorf("no line %s in\n%s", want, strings.Join(lines, "\n"))
	}
}
