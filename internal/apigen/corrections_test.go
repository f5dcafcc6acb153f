package main

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"
)

// TestCorrectedUpstream lets upstream fix what a correction corrects, one at a time: the code stays as it
// is, or the correction is told to be obsolete, no other correction is in the way, and nothing is told to
// break.
func TestCorrectedUpstream(t *testing.T) {
	t.Parallel()
	in := presentInput(t)
	before, err := readDocument(in.Document, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := correct(before, in.Overlays); err != nil {
		t.Fatal(err)
	}
	corrections := corrections(t, in)
	if len(corrections) < 100 {
		t.Fatalf("there are %d corrections only", len(corrections))
	}
	sample := slices.Clone(corrections)
	if *mutations == 0 {
		rand.New(rand.NewPCG(7, 8)).Shuffle(len(sample), func(i, j int) { sample[i], sample[j] = sample[j], sample[i] })
		sample = sample[:6]
	}
	for _, a := range sample {
		t.Run(fmt.Sprintf("%s:%d", a.file, a.line), func(t *testing.T) {
			t.Parallel()
			content, inline := correctedBy(t, in, a, corrections)
			checkCorrected(t, in, before, a, content)
			if inline != nil {
				checkCorrected(t, in, before, a, inline)
			}
		})
	}
}

// checkCorrected looks at what becomes of a correction in a document that says the same by itself, and of
// the corrected document.
func checkCorrected(t *testing.T, in Input, before *yaml.Node, a *action, document []byte) {
	t.Helper()
	in.Document = document
	after, err := readDocument(in.Document, nil)
	if err != nil {
		t.Fatal(err)
	}
	report, err := correct(after, in.Overlays)
	if err != nil {
		t.Fatal(err)
	}
	obsolete := false
	for _, f := range report.Findings {
		obsolete = obsolete || f.Outcome == Obsolete && f.File == a.file && f.Line == a.line
		if f.Outcome == Conflict {
			t.Errorf("%s:%d is in the way: %s", f.File, f.Line, f.Advice)
		}
	}
	if equal(before, after) {
		return
	}
	told, err := breaking(marshalled(t, before), marshalled(t, after))
	if err != nil {
		t.Fatal(err)
	}
	if told != nil {
		t.Errorf("it is told to break something, and no user sees a change:\n%s", strings.Join(told, "\n"))
	}
	if obsolete {
		return
	}
	code, _, err := presentFiles()
	if err != nil {
		t.Fatal(err)
	}
	files, _ := generate(t, in)
	for path, content := range files {
		if strings.HasSuffix(path, ".go") && !bytes.Equal(content, code[path]) {
			t.Errorf("%s has changed, and the correction is not told to be obsolete (-is +would be):\n%s", path, strings.Join(changedLines(Files{path: code[path]}, Files{path: content}), "\n"))
		}
	}
}

// corrections are what the overlay corrects. A name is none.
func corrections(t *testing.T, in Input) (corrections []*action) {
	t.Helper()
	for _, o := range in.Overlays {
		if strings.HasSuffix(o.Name, "/wire.yaml") || strings.HasSuffix(o.Name, "/answers.yaml") {
			actions, err := readOverlay(o)
			if err != nil {
				t.Fatal(err)
			}
			for _, a := range actions {
				if member(&a.Update, extSchemaName) == nil {
					corrections = append(corrections, a)
				}
			}
		}
	}
	return corrections
}

// correctedBy is the present document with one correction made in it, and with the one that this builds
// upon, if there is one. Where the correction names another schema, inline has that in its place.
func correctedBy(t *testing.T, in Input, a *action, others []*action) (document, inline []byte) {
	t.Helper()
	naming, err := readOverlay(in.Overlays[0])
	if err != nil {
		t.Fatal(err)
	}
	for _, other := range append([]*action{nil}, others...) {
		root, err := readDocument(in.Document, nil)
		if err != nil {
			t.Fatal(err)
		}
		names := newHoister(root)
		var finding *Finding
		for _, action := range append(slices.Clone(naming), other, a) {
			if action == nil {
				continue
			}
			if finding, err = action.apply(root, names, &Report{}); err != nil {
				t.Fatal(err)
			}
		}
		if finding != nil {
			continue
		}
		addMissing(root)
		document = marshalled(t, root)
		if a.Replace && member(&a.Update, "$ref") != nil {
			nodes, err := query(root, names.paths.Replace(a.Target))
			if err != nil {
				t.Fatal(err)
			}
			for _, node := range nodes {
				*node = *clone(names.resolved(node))
			}
			inline = marshalled(t, root)
		}
		return document, inline
	}
	t.Fatal("it cannot be made in the document")
	return nil, nil
}

func marshalled(t *testing.T, root *yaml.Node) []byte {
	t.Helper()
	content, err := yaml.Marshal(root)
	if err != nil {
		t.Fatal(err)
	}
	return content
}

// TestCorrectedOtherwise lets upstream fix what corrections correct in words of its own: what package api
// exports stays, and each of these corrections is told to be obsolete or in conflict.
func TestCorrectedOtherwise(t *testing.T) {
	t.Parallel()
	doc := presentDocument(t)
	withParts(t, doc, `components: {schemas: {
  LocalizedString: {anyOf: [{type: object, additionalProperties: {type: string}}, {type: array, maxItems: 0, items: {}}]},
  Envelope: {type: object, properties: {result: {type: string}, response: {type: string}}},
  SessionResponse: {allOf: [{$ref: '#/components/schemas/Envelope'}, {type: object, properties: {data: {$ref: '#/components/schemas/UploadSession'}}}]},
  DraftList: {allOf: [{$ref: '#/components/schemas/Envelope'}, {type: object, properties: {data: {type: array, items: {$ref: '#/components/schemas/Manga'}}, limit: {type: integer}, offset: {type: integer}, total: {type: integer}}}]},
  History: {type: object, properties: {result: {type: string}, data: {type: array, items: {type: object, properties: {chapterId: {type: string, format: uuid}, device: {type: string}}}}}}}}`)
	answer := func(method, path, schema string) {
		object(doc, "paths", path, method, "responses", "200", "content", "application/json")["schema"] = part{"$ref": schemaPrefix + schema}
	}
	answer("get", "/upload", "SessionResponse")
	answer("post", "/upload/begin", "SessionResponse")
	answer("post", "/upload/begin/{chapterId}", "SessionResponse")
	answer("get", "/manga/draft", "DraftList")
	answer("get", "/user/history", "History")
	object(doc, "components", "schemas", "UploadSessionFileAttributes", "properties", "fileSize")["type"] = "integer"
	eachPart(doc["paths"], func(p part) {
		if p["in"] == "query" && object(p, "schema")["type"] == "array" {
			delete(p, "style") // which is deepObject, and wrong
		}
		if object(p, "distribution") != nil {
			p["distribution"] = part{"type": "object", "additionalProperties": part{"type": "integer"}}
		}
	})
	object(doc, "paths", "/manga/{id}", "get")["security"] = []any{part{"Bearer": []any{}}, part{}}
	files, report := generate(t, importInput(t, encoded(t, doc)))
	keepsSurface(t, files)
	told := report.String()
	for _, want := range []string{
		"obsolete: $.paths['/statistics/manga'].get.parameters[?@.name == 'manga[]']:",
		"obsolete: $.components.schemas.UploadSessionFileAttributes.properties.fileSize:",
		"conflict: $.components.schemas.LocalizedString:",
		"conflict: $.paths['/manga/{}'].get: 1 of 1 places",
		"conflict: $.components.schemas.RatingStatistics.properties.distribution:",
		"conflict: $.paths['/upload'].get.responses['200'].content['application/json'].schema:",
		"conflict: $.paths['/manga/draft'].get.responses['200'].content['application/json'].schema:",
		"conflict: $.components.schemas.ReadingHistory: it takes the place of properties.data.items.properties",
	} {
		if !strings.Contains(told, want) {
			t.Errorf("nothing says %s\n%s", want, told)
		}
	}
}

// TestAddedToRemoved adds a member to what a correction removes: it stays, and the correction is told.
func TestAddedToRemoved(t *testing.T) {
	t.Parallel()
	doc := presentDocument(t)
	ratings := object(doc, "paths", "/user/history", "get", "responses", "200", "content", "application/json", "schema", "properties", "ratings")
	object(ratings, "items", "properties")["device"] = part{"type": "string"}
	root, err := readDocument(encoded(t, doc), nil)
	if err != nil {
		t.Fatal(err)
	}
	report, err := correct(root, presentInput(t).Overlays)
	if err != nil {
		t.Fatal(err)
	}
	if told := report.String(); !strings.Contains(told, "conflict: $.components.schemas.ReadingHistory.properties.ratings:") {
		t.Errorf("nothing tells that a member is lost\n%s", told)
	}
}
