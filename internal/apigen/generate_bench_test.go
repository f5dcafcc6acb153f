package main

import (
	"fmt"
	"testing"

	"github.com/mangadex-go/mangadex/internal/document"
)

// BenchmarkImport is the whole way of a document: read, compared with the present one, generated. The
// programs are to need less than 10 s for the 113 operations of today and less than 20 s for 1,000.
func BenchmarkImport(b *testing.B) {
	for _, times := range []int{1, 9} {
		content := encoded(b, repeated(b, times))
		doc, _, err := document.Read(content)
		if err != nil {
			b.Fatal(err)
		}
		b.Run(fmt.Sprintf("operations=%d", len(document.Operations(doc))), func(b *testing.B) {
			for b.Loop() {
				before, _, err := document.Read(presentInput(b).Document)
				if err != nil {
					b.Fatal(err)
				}
				after, facts, err := document.Read(content)
				if err != nil {
					b.Fatal(err)
				}
				document.Compare(before, after)
				in := presentInput(b)
				in.Document = facts
				generate(b, in)
			}
		})
	}
}

// repeated is the present document with all its paths and schemas some times over.
func repeated(t testing.TB, times int) part {
	doc := presentDocument(t)
	for n := 1; n < times; n++ {
		more := presentDocument(t)
		renameSchemas(more, nil)
		for path, item := range object(more, "paths") {
			eachPart(item, func(p part) {
				delete(p, "operationId")
				if ref := text(p, "$ref"); ref != "" {
					p["$ref"] = fmt.Sprint(ref, n)
				}
			})
			object(doc, "paths")[fmt.Sprintf("/more%d%s", n, path)] = item
		}
		for name, schema := range object(more, "components", "schemas") {
			eachPart(schema, func(p part) {
				if ref := text(p, "$ref"); ref != "" {
					p["$ref"] = fmt.Sprint(ref, n)
				}
			})
			object(doc, "components", "schemas")[fmt.Sprint(name, n)] = schema
		}
	}
	return doc
}
