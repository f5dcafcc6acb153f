package main

import (
	"bytes"
	"testing"
)

// TestForms changes bodies that are forms: what consists of parts has all of them, the methods stay, and what
// they do not send is left for a person.
func TestForms(t *testing.T) {
	t.Parallel()
	doc := presentDocument(t)
	compose := func(path string) {
		form := object(doc, "paths", path, "post", "requestBody", "content", "multipart/form-data")
		form["schema"] = part{"allOf": []any{form["schema"], part{"type": "object", "properties": part{"mood": part{"type": "string"}}}}}
	}
	compose("/cover/{mangaOrCoverId}")
	compose("/upload/{uploadSessionId}")
	json := part{"schema": part{"type": "object", "properties": part{"url": part{"type": "string"}}}}
	object(doc, "paths", "/cover/{mangaOrCoverId}", "post", "requestBody", "content")["application/json"] = json
	object(doc, "paths", "/manga", "post", "requestBody", "content")["multipart/form-data"] = json
	object(doc, "paths", "/manga/{id}/feed", "get")["servers"] = []any{part{"url": "https://feeds.example.org"}}
	object(doc, "paths", "/author", "post", "responses")["202"] = part{"content": part{"application/json": part{"schema": part{"type": "object", "properties": part{"queue": part{"type": "integer"}}}}}}
	files, report := generate(t, importInput(t, encoded(t, doc)))
	keepsSurface(t, files)
	if !bytes.Contains(files[formsPath], []byte(`fields.text("mood", x.Mood)`)) {
		t.Errorf("a part of a part of a form is lost:\n%s", files[formsPath])
	}
	for _, want := range []string{
		"- `POST /cover/{mangaOrCoverId}` (`UploadCover`) needs what sends its body as application/json, which its method does not.",
		"- `POST /upload/{uploadSessionId}` (`UploadPages`) needs what sends the parts `mood` of its form, in the type `Pages` of package api, and their names in its x-go-parts in api/overlay/types.yaml.",
		"- `POST /manga` (`CreateManga`) needs what sends its body as multipart/form-data, which its method does not.",
		"- `POST /author` (`CreateAuthor`) needs what returns its answer with 202, which says something else than its method returns.",
		"- `GET /manga/{id}/feed` (`GetMangaFeed`) needs what sends it to https://feeds.example.org: its method sends it to the server of the client.",
	} {
		tells(t, report.Left, want)
	}
}
