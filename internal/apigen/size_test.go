package main

import (
	"bytes"
	"fmt"
	"maps"
	"math/rand/v2"
	"regexp"
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
		if !bytes.Equal(inOrder(content), inOrder(want[path])) {
			t.Errorf("%s depends on the order of the document:\n%s", path, cmp.Diff(string(want[path]), string(content)))
		}
	}
}

// enums are the lists of values in the fake's document: it names them as MangaDex does.
var enums = regexp.MustCompile(`"enum":\s*\[[^]]*\]`)

// inOrder has the values of each enum in the order of the alphabet.
func inOrder(content []byte) []byte {
	return enums.ReplaceAllFunc(content, func(enum []byte) []byte {
		values := strings.FieldsFunc(string(enum), func(r rune) bool { return strings.ContainsRune("[], \n", r) })
		slices.Sort(values)
		return []byte(strings.Join(values, " "))
	})
}

// TestSmallChange adds a text to one object: few lines of what is generated change, for each type that
// gets it. A schema may be a part of two.
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
			types := max(1, strings.Count(string(after[typesPath]), `"mood,omitempty"`))
			if changed := changedLines(before, after); len(changed) >= 30*types {
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
