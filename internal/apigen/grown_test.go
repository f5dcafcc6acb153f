package main

import (
	"bytes"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/google/go-cmp/cmp"
	"gopkg.in/yaml.v3"
)

// A growth gives something to operations that are there. The methods that they have stay as they are, and
// second ones have what came later.
type growth struct {
	method, path string
	body         string // the body of the request
	content      string // what the answer has besides the result
	parameter    string
	methods      []string // that there must be, without the context and the editors
	code         []string // in the method that was there
}

const grownBody = `{content: {application/json: {schema: {type: object, properties: {since: {type: string}}}}}}`

var growths = []growth{
	{method: "post", path: "/manga/{id}/follow", body: grownBody,
		methods: []string{"FollowManga(id uuid.UUID) error", "FollowMangaWith(id uuid.UUID, body FollowMangaBody) error"},
		code:    []string{`newFollowMangaRequestWithBody(c.root, id, "", nil)`, "c.acknowledge("}},
	{method: "delete", path: "/client/{id}", body: grownBody,
		methods: []string{"DeleteAPIClient(id uuid.UUID, params *DeleteAPIClientParams) error", "DeleteAPIClientWith(id uuid.UUID, params *DeleteAPIClientParams, body DeleteAPIClientBody) error"},
		code:    []string{`newDeleteAPIClientRequestWithBody(c.root, id, params, "", nil)`}},
	{method: "delete", path: "/author/{id}", body: grownBody, parameter: "{name: quiet, in: query, schema: {type: boolean}}",
		methods: []string{"DeleteAuthor(id uuid.UUID) error", "DeleteAuthorWith(id uuid.UUID, params *DeleteAuthorParams, body DeleteAuthorBody) error"},
		code:    []string{`newDeleteAuthorRequestWithBody(c.root, id, nil, "", nil)`}},
	{method: "delete", path: "/chapter/{id}", body: `{content: {multipart/form-data: {schema: {type: object, properties: {proof: {type: string, format: binary}}}}}}`,
		methods: []string{"DeleteChapter(id uuid.UUID) error", "DeleteChapterWith(id uuid.UUID, contentType string, body io.Reader) error"},
		code:    []string{`newDeleteChapterRequestWithBody(c.root, id, "", nil)`}},
	{method: "get", path: "/manga/{id}/feed", body: grownBody,
		methods: []string{
			"GetMangaFeed(id uuid.UUID, params *GetMangaFeedParams) (*ChapterList, error)",
			"GetMangaFeedWith(id uuid.UUID, params *GetMangaFeedParams, body GetMangaFeedBody) (*ChapterList, error)",
			"GetMangaFeedAll(id uuid.UUID, params *GetMangaFeedParams) iter.Seq2[Chapter, error]"},
		code: []string{`newGetMangaFeedRequestWithBody(c.root, id, params, "", nil)`}},
	{method: "post", path: "/list/{id}/follow", body: `{content: {application/json: {schema: {type: object, properties: {since: {type: string}}}}}}`, // which had no members
		methods: []string{"FollowCustomList(id uuid.UUID) error", "FollowCustomListWith(id uuid.UUID, body EmptyObject) error"},
		code:    []string{"newFollowCustomListRequest(c.root, id, EmptyObject{})"}},
	{method: "delete", path: "/rating/{mangaId}", content: "average: {type: number}",
		methods: []string{"DeleteRating(mangaID uuid.UUID) error", "DeleteRatingWith(mangaID uuid.UUID) (*DeleteRatingResult, error)"},
		code:    []string{"c.acknowledge("}},
	{method: "post", path: "/report", content: "id: {type: string, format: uuid}",
		methods: []string{"CreateReport(body ReportCreate) error", "CreateReportWith(body ReportCreate) (*CreateReportResult, error)"},
		code:    []string{"newCreateReportRequest(c.root, body)", "c.acknowledge("}},
	{method: "post", path: "/manga/{id}/read", content: "count: {type: integer}",
		methods: []string{
			"SetMangaReadMarkers(id uuid.UUID, params *SetMangaReadMarkersParams, body ReadMarkersEdit) error",
			"SetMangaReadMarkersWith(id uuid.UUID, params *SetMangaReadMarkersParams, body ReadMarkersEdit) (*SetMangaReadMarkersResult, error)"},
		code: []string{"c.acknowledge("}},
	{method: "delete", path: "/manga/{id}", content: "count: {type: integer}", body: grownBody,
		methods: []string{"DeleteManga(id uuid.UUID) error", "DeleteMangaWith(id uuid.UUID, body DeleteMangaBody) (*DeleteMangaResult, error)"},
		code:    []string{`newDeleteMangaRequestWithBody(c.root, id, "", nil)`, "c.acknowledge("}},
}

// TestGrown gives bodies, parameters and content to operations that had none.
func TestGrown(t *testing.T) {
	t.Parallel()
	doc := presentDocument(t)
	for _, g := range growths {
		grow(t, doc, g)
	}
	in := importInput(t, encoded(t, doc))
	files, report := generate(t, in)
	keepsSurface(t, files)
	checkGrown(t, files, growths)
	line := "| | new: `Client.FollowMangaWith` |"
	tells(t, report.Became, line)
	in.Before = files
	if again, _ := generate(t, in); !maps.EqualFunc(files, again, bytes.Equal) {
		t.Error("a second generation writes something else")
	}
	if *mutations == 0 {
		return // the rest is for the night
	}

	// What grows once more has a third method.
	more := growth{method: "post", path: "/manga/{id}/follow", parameter: "{name: quiet, in: query, schema: {type: boolean}}", methods: []string{
		"FollowManga(id uuid.UUID) error",
		"FollowMangaWith(id uuid.UUID, body FollowMangaBody) error",
		"FollowMangaWith2(id uuid.UUID, params *FollowMangaParams, body FollowMangaBody) error",
	}}
	grow(t, doc, more)
	in = importInput(t, encoded(t, doc))
	in.Before = files
	files, _ = generate(t, in)
	keepsSurface(t, files)
	checkGrown(t, files, append(slices.Clone(growths[1:]), more))
}

// TestGrownBuilder gives a body to an operation whose request is not built in the short way: without it the
// request has no content type, not even an empty one.
func TestGrownBuilder(t *testing.T) {
	t.Parallel()
	atNight(t)
	doc := presentDocument(t)
	withParts(t, doc, styles)
	in := importInput(t, encoded(t, doc))
	files, _ := generate(t, in)
	grow(t, doc, growth{method: "get", path: "/styles/v{version}/{id}:lock/{from}-{to}", body: grownBody})
	in = importInput(t, encoded(t, doc))
	in.Before = files
	files, _ = generate(t, in)
	if _, err := typeCheck(files); err != nil {
		t.Error(err)
	}
	const builder = "newGetStylesVversionIDLockFromToRequestWithBody"
	if !bytes.Contains(files[callsPath], []byte(builder+`(c.root, version, id, from, to, params, "", nil)`)) {
		t.Errorf("no method calls %s without a body", builder)
	}
	_, code, _ := strings.Cut(string(files[requestsPath]), "\nfunc "+builder+"(")
	code, _, _ = strings.Cut(code, "\n}\n")
	if !strings.Contains(code, "\tif contentType != \"\" {\n\t\treq.Header.Add(\"Content-Type\", contentType)\n\t}\n") {
		t.Errorf("an empty content type is sent:\n%s", code)
	}
}

// TestGrownResponse adds a member to what says only that all went well: calls go on to return an error, and
// what to do is told.
func TestGrownResponse(t *testing.T) {
	t.Parallel()
	atNight(t)
	doc := presentDocument(t)
	object(doc, "components", "schemas", "Response", "properties")["mood"] = part{"type": "string"}
	files, report := generate(t, importInput(t, encoded(t, doc)))
	keepsSurface(t, files)
	line := "- `Response` says more than that all went well (mood), and calls that it answers return an error only: `Client.Do` has it. Without x-acknowledges in api/overlay/types.yaml each of them gets a second method that returns it."
	tells(t, report.Left, line)
}

// TestRequiredLess lets everything be left out of requests: what has to be given in Go stays so.
func TestRequiredLess(t *testing.T) {
	t.Parallel()
	atNight(t)
	doc := presentDocument(t)
	eachPart(doc, func(p part) {
		if len(elements(p["required"])) > 0 || p["in"] == "query" {
			delete(p, "required")
		}
	})
	in := importInput(t, encoded(t, doc))
	files, report := generate(t, in)
	if diff := cmp.Diff(surfaces(t, files)); diff != "" {
		t.Errorf("what package api exports has changed (-before +after):\n%s", diff)
	}
	told := strings.Join(report.Left, "\n")
	for _, want := range []string{"- What the document lets be left out by now stays what must be given, so that programs compile: ", ", ChapterDraft.translatedLanguage, ", ", ListChapterStatisticsParams.chapter[], "} {
		if !strings.Contains(told, want) {
			t.Errorf("nothing tells %s\n%s", want, told)
		}
	}
	// That holds for Go alone: the fake takes requests without it, and answers are decoded as they were.
	fake, err := openapi3.NewLoader().LoadFromData(files[overlaidPath])
	if err != nil {
		t.Fatal(err)
	}
	if err := fake.Components.Schemas["ChapterDraft"].Value.VisitJSON(map[string]any{}); err != nil {
		t.Errorf("the fake refuses a draft without what may be left out: %v", err)
	}
	if p := fake.Paths.Value("/statistics/chapter").Get.Parameters.GetByInAndName("query", "chapter[]"); p.Required {
		t.Error("the fake refuses statistics without what may be left out")
	}
	present, _, err := presentFiles()
	if err != nil {
		t.Fatal(err)
	}
	const codecs = "api/codecs.gen.go"
	if diff := cmp.Diff(string(present[codecs]), string(files[codecs])); diff != "" {
		t.Errorf("answers are decoded in another way (-before +after):\n%s", diff)
	}
	again := in
	again.Before = files
	if more, _ := generate(t, again); !maps.EqualFunc(files, more, bytes.Equal) {
		t.Error("a second generation writes something else")
	}

	// The overlay may say otherwise.
	in.Overlays = append(slices.Clone(in.Overlays), Overlay{Name: "more.yaml", Content: []byte(`actions:
  - {target: $.components.schemas.ChapterDraft.properties.translatedLanguage, update: {x-go-type-skip-optional-pointer: false}}
  - {target: $.components.schemas.BeginUploadSession.properties.manga, update: {x-go-type-skip-optional-pointer: true}}
  - {target: $.components.schemas.BeginEditSession.properties.version, update: {x-go-type-skip-optional-pointer: true}}
`)})
	files, _ = generate(t, in)
	for _, want := range []string{
		`TranslatedLanguage +\*string +.json:"translatedLanguage,omitempty".`,
		`Manga +uuid.UUID +.json:"manga,omitzero".`,
		`Version +int +.json:"version,omitempty".`,
	} {
		if !regexp.MustCompile(want).Match(files[typesPath]) {
			t.Errorf("no field is %s", want)
		}
	}
}

// TestOpenEnums lets every text of an enum be another one, which it may be in Go anyway. The fake takes it.
func TestOpenEnums(t *testing.T) {
	t.Parallel()
	atNight(t)
	doc := presentDocument(t)
	allowOthers(doc, nil)
	files, report := generate(t, importInput(t, encoded(t, doc)))
	if diff := cmp.Diff(surfaces(t, files)); diff != "" {
		t.Errorf("what package api exports has changed (-before +after):\n%s", diff)
	}
	if told := report.String(); told != "" {
		t.Errorf("the overlay does not fit:\n%s", told)
	}
	fake, err := openapi3.NewLoader().LoadFromData(files[overlaidPath])
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"ongoing", "another"} {
		if err := fake.Components.Schemas["PublicationStatus"].Value.VisitJSON(name); err != nil {
			t.Errorf("the status %s is refused: %v", name, err)
		}
	}
	if err := fake.Components.Schemas["MangaAttributes"].Value.Properties["publicationDemographic"].Value.VisitJSON(nil); err != nil {
		t.Errorf("no demographic is refused: %v", err)
	}
}

// TestSlashes gives paths a slash at their ends: their operations are the same, and go there.
func TestSlashes(t *testing.T) {
	t.Parallel()
	atNight(t)
	doc := presentDocument(t)
	paths := object(doc, "paths")
	for was, is := range map[string]string{"/manga": "/manga/", "/manga/{id}": "/manga/{id}/", "/manga/{id}/follow": "/manga/{id}/follow/", "/cover/{mangaOrCoverId}": "/cover/{id}/"} {
		paths[is] = paths[was]
		delete(paths, was)
		eachPart(paths[is], func(p part) {
			if p["in"] == "path" && is == "/cover/{id}/" {
				p["name"] = "id"
			}
		})
	}
	files, report := generate(t, importInput(t, encoded(t, doc)))
	if diff := cmp.Diff(surfaces(t, files)); diff != "" {
		t.Errorf("what package api exports has changed (-before +after):\n%s", diff)
	}
	if told := report.String(); told != "" {
		t.Errorf("the overlay does not fit:\n%s", told)
	}
	for _, want := range []string{`newAddress(server, "/manga/")`, `newAddress(server, "/manga/{id}/")`, `newAddress(server, "/cover/{mangaOrCoverId}/")`} {
		if !strings.Contains(string(files[requestsPath]), want) {
			t.Errorf("no request is made by %s", want)
		}
	}
	tells(t, report.Became, "| new: `GET /manga/` | `Client.SearchManga` |")
}

// TestGrownMust gives operations what must be sent: their methods change, which is told.
func TestGrownMust(t *testing.T) {
	t.Parallel()
	atNight(t)
	doc := presentDocument(t)
	g := growth{method: "delete", path: "/author/{id}", body: strings.Replace(grownBody, "{", "{required: true, ", 1), methods: []string{"DeleteAuthor(id uuid.UUID, body DeleteAuthorBody) error"}}
	grow(t, doc, g)
	files, report := generate(t, importInput(t, encoded(t, doc)))
	if _, err := typeCheck(files); err != nil {
		t.Error(err)
	}
	checkGrown(t, files, []growth{g})
	line := "| | `Client.DeleteAuthor(context.Context, uuid.UUID, DeleteAuthorBody, ...RequestEditorFn) (error)`, was `(context.Context, uuid.UUID, ...RequestEditorFn) (error)` |"
	tells(t, report.Became, line)
}

func grow(t *testing.T, doc part, g growth) {
	t.Helper()
	value := func(text string) (v any) {
		if err := yaml.Unmarshal([]byte(text), &v); err != nil {
			t.Fatal(err)
		}
		return v
	}
	operation := object(doc, "paths", g.path, g.method)
	if operation == nil {
		t.Fatalf("openapi.yaml has no %s %s", g.method, g.path)
	}
	if g.body != "" {
		operation["requestBody"] = value(g.body)
	}
	if g.parameter != "" {
		operation["parameters"] = append(elements(operation["parameters"]), value(g.parameter))
	}
	if g.content != "" {
		operation["responses"] = value("{'200': {content: {application/json: {schema: {type: object, properties: {result: {type: string}, " + g.content + "}}}}}}")
	}
}

func checkGrown(t *testing.T, files Files, growths []growth) {
	t.Helper()
	calls := string(files[callsPath])
	for _, g := range growths {
		for i, method := range g.methods {
			name, rest, _ := strings.Cut(method, "(")
			arguments, result, _ := strings.Cut(rest, ") ")
			options := ", editors ...RequestEditorFn) "
			if strings.HasPrefix(result, "iter.") {
				options = ", options ...WalkOption) "
			}
			_, code, found := strings.Cut(calls, "func (c *Client) "+name+"(ctx context.Context, "+arguments+options+result+" {\n")
			if code, _, _ = strings.Cut(code, "\n}\n"); !found {
				t.Errorf("there is no %s", method)
			}
			for _, want := range g.code {
				if i == 0 && !strings.Contains(code, want) {
					t.Errorf("%s does not call %s:\n%s", name, want, code)
				}
			}
		}
	}
}
