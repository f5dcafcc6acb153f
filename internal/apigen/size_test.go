package main

import (
	"bytes"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestOrder generates from the present document in another order, and with other names of parameters of
// paths and of operations: what is written is the same.
func TestOrder(t *testing.T) {
	t.Parallel()
	want, _, err := presentFiles()
	if err != nil {
		t.Fatal(err)
	}
	doc := presentDocument(t)
	shuffleLists(doc, rand.New(rand.NewPCG(9, 10)))
	renamePathParameters(doc, nil)
	renameOperations(doc, nil)
	files, _ := generate(t, importInput(t, encoded(t, doc)))
	for path, content := range files {
		if !bytes.Equal(content, want[path]) {
			t.Errorf("%s depends on the order of the document:\n%s", path, cmp.Diff(string(want[path]), string(content)))
		}
	}
}

// TestSmallChange adds a text to one object: few lines of what is generated change.
func TestSmallChange(t *testing.T) {
	t.Parallel()
	before, _, err := presentFiles()
	if err != nil {
		t.Fatal(err)
	}
	present, used := presentDocument(t), map[string]bool{}
	references(present, present["paths"], used)
	names := slices.DeleteFunc(slices.Sorted(maps.Keys(used)), func(name string) bool {
		return object(present, "components", "schemas", name, "properties") == nil
	})
	if *mutations == 0 {
		names = []string{"MangaAttributes"}
	}
	for _, name := range names {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			doc := presentDocument(t)
			object(doc, "components", "schemas", name, "properties")["mood"] = part{"type": "string"}
			after, _ := generate(t, importInput(t, encoded(t, doc)))
			if changed := changedLines(before, after); len(changed) >= 30 {
				t.Errorf("%d lines change:\n%s", len(changed), strings.Join(changed, "\n"))
			} else {
				t.Logf("%d lines change", len(changed))
			}
		})
	}
}

// changedLines are the lines that one of two generations has more often than the other.
func changedLines(before, after Files) []string {
	var changed []string
	for _, path := range slices.Sorted(maps.Keys(after)) {
		count := map[string]int{}
		for line := range strings.Lines(string(before[path])) {
			count[line]--
		}
		for line := range strings.Lines(string(after[path])) {
			count[line]++
		}
		for line, n := range count {
			for range max(n, -n) {
				changed = append(changed, fmt.Sprintf("%s: %s", path, strings.TrimSpace(line)))
			}
		}
	}
	return changed
}
