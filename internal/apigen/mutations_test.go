package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"gopkg.in/yaml.v3"

	"github.com/mangadex-go/mangadex/internal/document"
)

var (
	mutations = flag.Int("mutations", 0, "how many documents TestMutations makes besides those of every run")
	seed      = flag.Uint64("seed", 0, "what TestMutations begins with; 0 is another one in every run")
)

// A mutation is a change that a maintainer upstream could make.
type mutation struct {
	name string
	// apply changes a document, at places that it picks by random. It returns names that must be in the
	// generated types and in what the fake knows.
	apply func(doc part, r *rand.Rand) (added []string)
}

// moves change nothing on the wire, and nothing that package api exports.
var moves = []mutation{
	{"path parameters have other names", renamePathParameters},
	{"parameters are components", func(doc part, _ *rand.Rand) []string { return moveToComponents(doc, "parameters") }},
	{"answers are components", func(doc part, _ *rand.Rand) []string { return moveToComponents(doc, "responses") }},
	{"bodies are components", func(doc part, _ *rand.Rand) []string { return moveToComponents(doc, "requestBodies") }},
	{"media types have a charset", renameMediaTypes},
	{"statuses are ranges", renameStatuses},
	{"schemas have other names", renameSchemas},
	{"operations have other names", renameOperations},
	{"enums and orders have names", nameEnums},
	{"bodies have names", nameBodies},
	{"parameters stand at paths", moveToPaths},
	{"OpenAPI 3.1", raiseVersion},
	{"another order", shuffleLists},
	{"null is one of two", chooseNull},
	{"objects consist of others", composeObjects},
	{"what is no object has a name", namePlain},
	{"objects have names", nameObjects},
	{"references have words", wrapReferences},
	{"sizes and who writes", addNotes},
	{"another status", changeStatus},
	{"words", addWords},
}

// additions bring something that must not be lost.
var additions = []mutation{
	{"a member", addMember},
	{"a value", addValue},
	{"a parameter", addParameter},
	{"an operation", addOperation},
	{"limits", addLimits},
}

// allowances let be sent and answered what could not be before, and what is there must not be lost, either.
var allowances = []mutation{
	{"less that must be sent", requireLess},
	{"other values", allowOthers},
}

// TestMoves makes all changes at once that change nothing.
func TestMoves(t *testing.T) {
	t.Parallel()
	doc := presentDocument(t)
	for _, m := range moves {
		m.apply(doc, rand.New(rand.NewPCG(1, 2)))
	}
	checkMoved(t, encoded(t, doc))
}

// TestMutationsTold makes some changes together that change nothing: none is told to break something.
func TestMutationsTold(t *testing.T) {
	t.Parallel()
	together := [][]string{{"bodies are components", "objects consist of others", "schemas have other names"}}
	r := rand.New(rand.NewPCG(11, 12))
	for range 4 + *mutations {
		var names []string
		for _, i := range r.Perm(len(moves))[:2+r.IntN(3)] {
			names = append(names, moves[i].name)
		}
		together = append(together, names)
	}
	for _, names := range together {
		t.Run(strings.Join(names, ", "), func(t *testing.T) {
			t.Parallel()
			doc := presentDocument(t)
			for _, name := range names {
				i := slices.IndexFunc(moves, func(m mutation) bool { return m.name == name })
				moves[i].apply(doc, rand.New(rand.NewPCG(1, 2)))
			}
			if told := compared(t, encoded(t, doc)); strings.Contains(told, document.Weighty) {
				t.Error(told)
			}
		})
	}
}

func checkMoved(t *testing.T, content []byte) {
	t.Helper()
	files, report := generate(t, importInput(t, content))
	if diff := cmp.Diff(surfaces(t, files)); diff != "" {
		t.Errorf("what package api exports has changed (-before +after):\n%s", diff)
	}
	if report.Breaking != nil {
		t.Errorf("what is not on the wire is told to break something here:\n%s", strings.Join(report.Breaking, "\n"))
	}
	if told := compared(t, content); strings.Contains(told, document.Weighty) {
		t.Errorf("what is not on the wire is told to break something:\n%s", told)
	}
}

// compared tells what is different between the present document and another.
func compared(t testing.TB, content []byte) string {
	t.Helper()
	before, _, err := document.Read(presentInput(t).Document)
	if err != nil {
		t.Fatal(err)
	}
	after, _, err := document.Read(content)
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	document.Compare(before, after).Print(&b, documentPath, before, after)
	return b.String()
}

// TestAdditions adds something at many places at once.
func TestAdditions(t *testing.T) {
	t.Parallel()
	doc := presentDocument(t)
	var added []string
	r := rand.New(rand.NewPCG(3, 4))
	for range 12 {
		for _, m := range slices.Concat(additions, allowances) {
			added = append(added, m.apply(doc, r)...)
		}
	}
	checkAdded(t, encoded(t, doc), added)
}

func checkAdded(t *testing.T, content []byte, added []string) {
	t.Helper()
	in := importInput(t, content)
	files, _ := generate(t, in)
	keepsSurface(t, files)
	if *mutations > 0 {
		in.Before = files
		if again, _ := generate(t, in); !maps.EqualFunc(files, again, bytes.Equal) {
			t.Error("a second generation writes something else")
		}
	}
	goTypes := string(files[typesPath]) + string(files[formsPath]) + string(files[relatedPath])
	for _, name := range added {
		if !strings.Contains(goTypes, `"`+name) && !strings.Contains(string(files[operationsPath]), name) {
			t.Errorf("%s is lost to the types", name)
		}
		if !strings.Contains(string(files[overlaidPath]), name) {
			t.Errorf("%s is not known to the fake", name)
		}
	}
}

// atNight leaves a test to .ci/nightly, for which a landing has no time: a generation takes a second of a
// processor.
func atNight(t *testing.T) {
	t.Helper()
	if *mutations == 0 {
		t.Skip("-mutations 1 runs it, as .ci/nightly documents does")
	}
}

// TestMutations makes documents by random. Each changes in some ways that change nothing, or gains
// something.
func TestMutations(t *testing.T) {
	t.Parallel()
	if *mutations == 0 {
		t.Skip("-mutations N makes N documents")
	}
	start := *seed
	if start == 0 {
		start = uint64(time.Now().UnixNano())
	}
	t.Logf("-seed %d", start)
	for i := range *mutations {
		r := rand.New(rand.NewPCG(start, uint64(i)))
		kind := moves
		adds := r.IntN(2) == 0
		if adds {
			kind = slices.Concat(additions, allowances)
		}
		var names []string
		var chosen []mutation
		for range 1 + r.IntN(3) {
			m := kind[r.IntN(len(kind))]
			chosen, names = append(chosen, m), append(names, m.name)
		}
		t.Run(fmt.Sprintf("%d %s", i, strings.Join(names, ", ")), func(t *testing.T) {
			t.Parallel()
			doc := presentDocument(t)
			added := []string{}
			for _, m := range chosen {
				added = append(added, m.apply(doc, r)...)
			}
			if adds {
				checkAdded(t, encoded(t, doc), added)
			} else {
				checkMoved(t, encoded(t, doc))
			}
		})
	}
}

func presentDocument(t testing.TB) part {
	t.Helper()
	var doc part
	if err := yaml.Unmarshal(presentInput(t).Document, &doc); err != nil {
		t.Fatal(err)
	}
	return doc
}

func encoded(t testing.TB, doc part) []byte {
	t.Helper()
	content, err := json.Marshal(doc)
	if err != nil {
		t.Fatal(err)
	}
	return content
}
