package document

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// upstream is a document with everything that the import has to look at, and imported what becomes
// of it.
var (
	//go:embed testdata/upstream.yaml
	upstream string
	//go:embed testdata/facts.yaml
	imported string
)

const minimal = "openapi: 3.0.0\ninfo: {version: '1'}\npaths: {/a: {get: {responses: {'200': {description: ''}}}}}\n"

func read(t *testing.T, path string) string {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

// imports reads a document and returns what is written of it.
func imports(t *testing.T, content string) string {
	t.Helper()
	_, facts, err := Read([]byte(content))
	if err != nil {
		t.Fatal(err)
	}
	return string(facts)
}

// TestSameBytes imports one document in several forms.
func TestSameBytes(t *testing.T) {
	t.Parallel()
	value, err := parseYAML([]byte(upstream))
	if err != nil {
		t.Fatal(err)
	}
	compact, err := json.Marshal(encodable(value))
	if err != nil {
		t.Fatal(err)
	}
	var tabs bytes.Buffer
	if err := json.Indent(&tabs, compact, "", "\t"); err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string]string{
		"JSON":                     string(compact),
		"JSON with tabs":           tabs.String(),
		"JSON with escapes":        strings.ReplaceAll(string(compact), "/", `\/`),
		"JSON with byte order":     "\ufeff" + string(compact),
		"YAML that looks like it":  "{# no JSON\n" + string(compact)[1:],
		"YAML with CRLF":           strings.ReplaceAll(upstream, "\n", "\r\n"),
		"the imported file itself": imported,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := imports(t, content); got != imported {
				t.Errorf("other bytes:\n%s", got)
			}
		})
	}
}

// sharedDocuments are MangaDex's own; they are not part of the module.
func sharedDocuments(t *testing.T) []string {
	t.Helper()
	paths, err := filepath.Glob("../../../shared/spec/upstream-*")
	if err != nil {
		t.Fatal(err)
	}
	if len(paths) == 0 {
		t.Skip("MangaDex's documents are not here; put those of https://api.mangadex.org/docs/static/api.yaml beside the checkout as ../shared/spec/upstream-VERSION.yaml")
	}
	return paths
}

func TestSharedDocuments(t *testing.T) {
	t.Parallel()
	for _, path := range sharedDocuments(t) {
		t.Run(filepath.Base(path), func(t *testing.T) {
			t.Parallel()
			content := imports(t, read(t, path))
			if again := imports(t, content); again != content {
				t.Error("the imported file imports as another one")
			}
			upstream, err := parse([]byte(read(t, path)))
			if err != nil {
				t.Fatal(err)
			}
			facts, err := parse([]byte(content))
			if err != nil {
				t.Fatal(err)
			}
			noSentence(t, facts, "")
			nothingLost(t, map[string]any(upstream), map[string]any(facts), "")
		})
	}
}

// TestPresentFile looks at the module's openapi.yaml.
func TestPresentFile(t *testing.T) {
	t.Parallel()
	const path = "../../openapi.yaml"
	content := read(t, path)
	if imports(t, content) != content {
		t.Error("openapi.yaml was edited by hand: it imports as another file")
	}
	facts, err := parse([]byte(content))
	if err != nil {
		t.Fatal(err)
	}
	noSentence(t, facts, "")
}

// noSentence fails for whatever could be a sentence, wherever it is. It knows
// nothing of the grammar but that properties have names.
func noSentence(t *testing.T, v any, at string) {
	t.Helper()
	switch v := v.(type) {
	case string:
		if strings.Count(v, " ") > 2 {
			t.Errorf("%s: %s", at, v)
		}
	case []any:
		for _, item := range v {
			noSentence(t, item, at+"[]")
		}
	case Document:
		noSentence(t, map[string]any(v), at)
	case map[string]any:
		for key, value := range v {
			if !strings.HasSuffix(at, ".properties") && isSentence(key) && value != "" && at+"."+key != ".info.title" {
				t.Errorf("%s.%s is left: %v", at, key, value)
			}
			noSentence(t, value, at+"."+key)
		}
	}
}

func isSentence(key string) bool {
	switch key {
	case "title", "summary", "description", "example", "examples", "x-examples", "x-stoplight", "externalDocs", "contact", "license":
		return true
	}
	return false
}

// nothingLost fails for whatever is neither a sentence nor imported.
func nothingLost(t *testing.T, upstream, facts any, at string) {
	t.Helper()
	switch v := upstream.(type) {
	case []any:
		items, _ := facts.([]any)
		if len(items) != len(v) {
			t.Errorf("%s: %d items are now %d", at, len(v), len(items))
			return
		}
		for i := range v {
			nothingLost(t, v[i], items[i], at+"[]")
		}
	case map[string]any:
		kept, _ := facts.(map[string]any)
		for key, value := range v {
			if !strings.HasSuffix(at, ".properties") && isSentence(key) || key == "$ref" && value == "" {
				continue
			}
			if _, ok := kept[key]; !ok {
				t.Errorf("%s.%s is lost", at, key)
				continue
			}
			nothingLost(t, value, kept[key], at+"."+key)
		}
		for key, value := range kept {
			if _, ok := v[key]; !ok && value != "" {
				t.Errorf("%s.%s is new: %v", at, key, value)
			}
		}
	case number:
		same, err := v.canonical()
		if err != nil || facts != same {
			t.Errorf("%s: %v is now %v (%v)", at, v, facts, err)
		}
	default:
		if facts != upstream {
			t.Errorf("%s: %v is now %v", at, upstream, facts)
		}
	}
}

// TestCutOff cuts a real document: whatever YAML makes of the rest, it is not
// taken for the whole.
func TestCutOff(t *testing.T) {
	t.Parallel()
	for _, path := range sharedDocuments(t) {
		content := read(t, path)
		end := max(strings.LastIndex(content, "securitySchemes"), strings.LastIndex(content, `"tags"`))
		const cuts = 7
		for i := 1; i <= cuts; i++ {
			cut := content[:end*i/cuts]
			if _, _, err := Read([]byte(cut)); err == nil {
				t.Errorf("%s: the first %d of %d bytes are imported", path, len(cut), len(content))
			}
		}
	}
}

// FuzzImport expects that no document makes the program panic, and that what it
// accepts is written as something that imports as itself and does not differ
// from itself. The seeds are long: without -fuzzminimizetime=5x a minute of
// fuzzing is a minute of shortening the first of them.
func FuzzImport(f *testing.F) {
	f.Add([]byte(upstream))
	f.Add([]byte(minimal))
	f.Add([]byte(imported))
	f.Add([]byte(`{"openapi":"3.1.0","info":{"version":"1"},"paths":{"/a":{"get":{"parameters":[{"$ref":"#/components/parameters/A"}],"x-a":[1.0,-0,1e9,"\ud83d\ude00"]}}},"components":{"parameters":{"A":{"$ref":"#/components/parameters/A"}},"schemas":{"A":{"type":["string","null"],"items":true,"not":false}}}}`))
	f.Add([]byte("openapi: 3.0.0\ninfo: {version: 1.0}\npaths: {/a: {<<: [{x-a: &a [1]}, {x-b: *a}], x-c: ! 7, x-d: !!float 1}}\n"))
	base, _, err := Read([]byte(upstream))
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		doc, content, err := Read(data)
		if err != nil {
			if strings.Contains(err.Error(), "cannot be written") {
				t.Fatal(err)
			}
			return
		}
		again, same, err := Read(content)
		if err != nil {
			t.Fatalf("the imported file %v:\n%s", err, content)
		}
		if !bytes.Equal(content, same) {
			t.Fatalf("the imported file imports as another one:\n%s\n%s", content, same)
		}
		if c := Compare(doc, again); !slices.Equal(slices.Concat(c.breaking, c.added, c.other), []string{"~ the same facts, written in another way"}) {
			t.Fatalf("the imported file differs from itself: %+v", c)
		}
		var out bytes.Buffer
		Compare(base, doc).Print(&out, "openapi.yaml", base, doc)
		Compare(doc, base).Print(&out, "openapi.yaml", doc, base)
	})
}
