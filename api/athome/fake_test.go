package athome_test

import (
	"bytes"
	"context"
	"errors"
	"image"
	_ "image/jpeg"
	_ "image/png"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/mangadex-go/mangadex/api"
	"github.com/mangadex-go/mangadex/api/apitest"
	"github.com/mangadex-go/mangadex/api/athome"
)

// fake starts a fake MangaDex with a chapter of so many pages.
func fake(t *testing.T, pages int) (*apitest.Server, *api.Client, uuid.UUID) {
	t.Helper()
	srv := apitest.Start(t)
	title := srv.State().Manga()[0]
	id, err := srv.State().AddChapter(apitest.Chapter{Manga: title.ID, Volume: "2", Number: "7", Title: "The lid", Pages: pages})
	if err != nil {
		t.Fatal(err)
	}
	client, err := api.New(srv.URL, api.WithoutRateLimit())
	if err != nil {
		t.Fatal(err)
	}
	return srv, client, id
}

// count returns how often an operation was asked for.
func count(srv *apitest.Server, operation string) int {
	n := 0
	for _, r := range srv.Requests() {
		if r.Operation == operation {
			n++
		}
	}
	return n
}

// TestFake reads 300 pages of the fake MangaDex. Every tenth request fails in some way, and half way
// the address of the node is refused. It takes few at-home calls.
func TestFake(t *testing.T) {
	t.Parallel()
	pages := 300
	if raceEnabled {
		pages = 60 // drawing them takes long
	}
	srv, client, id := fake(t, pages)
	waves := []apitest.Fault{
		{Status: 500}, {Truncate: true}, {Corrupt: true}, {Drop: true}, {HTML: true}, {Status: 404}, {Status: 503}, {Status: 429},
	}
	done := 0
	chapter, err := athome.Open(t.Context(), client, id, athome.WithReportURL(srv.ReportURL), athome.WithProgress(func(p athome.Progress) {
		if p.Pages == done {
			return
		}
		done = p.Pages
		if done%20 == 1 { // two faults at a time, so that no page meets three of them
			wave := waves[done/20%len(waves)]
			wave.Operation, wave.Count = "Page", 2
			srv.Fail(wave)
		}
		if done == pages/2 {
			srv.Fail(apitest.Fault{Operation: "Page", ExpireBaseURL: true})
		}
	}))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := chapter.Save(t.Context(), dir); err != nil {
		t.Fatal(err)
	}
	for i, page := range chapter.Pages() {
		data, err := os.ReadFile(filepath.Join(dir, strings.TrimSuffix(pageName(i), ".png")+filepath.Ext(page.Name)))
		if err != nil || sum(data) != page.SHA256 {
			t.Fatalf("page %d is not whole: %v", i, err)
		}
		if _, _, err := image.DecodeConfig(bytes.NewReader(data)); err != nil {
			t.Fatalf("page %d is not a picture: %v", i, err)
		}
	}
	checkTree(t, dir, pages)
	// net/http itself repeats a request whose connection ends before it has an answer.
	dropped := 2 * (pages/20/len(waves) + 1)
	for len(srv.State().Deliveries()) < count(srv, "Page")-dropped { // Close gives up those that take long
		select {
		case <-t.Context().Done():
			t.Fatal(t.Context().Err())
		case <-time.After(10 * time.Millisecond):
		}
	}
	chapter.Close()
	// On a busy machine the faults of two waves can meet in one page, which then asks for another node.
	if got, most := count(srv, "GetAtHomeServer"), 2+pages/20; got < 2 || got > most {
		t.Errorf("%d at-home calls, want 2 to %d", got, most)
	}
	asked, reported := count(srv, "Page"), len(srv.State().Deliveries())
	if reported < asked-dropped || reported > asked {
		t.Errorf("%d reports on %d requests for pages", reported, asked)
	}
	if asked < pages+pages/20*2 {
		t.Errorf("only %d requests for pages: too few faults to show anything", asked)
	}
}

// TestFakeNodeDies has a node that answers nothing but errors from some page on, until the API is
// asked for another.
func TestFakeNodeDies(t *testing.T) {
	t.Parallel()
	srv, _, id := fake(t, 60)
	calls := 0
	client, err := api.New(srv.URL, api.WithoutRateLimit(), api.WithRequestEditorFn(func(_ context.Context, r *http.Request) error {
		if strings.Contains(r.URL.Path, "/at-home/") {
			if calls++; calls == 2 {
				srv.Heal()
			}
		}
		return nil
	}))
	if err != nil {
		t.Fatal(err)
	}
	chapter, err := athome.Open(t.Context(), client, id, athome.WithDataSaver())
	if err != nil {
		t.Fatal(err)
	}
	defer chapter.Close()
	next := 0
	for image, err := range chapter.All(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		if image.Page.Index != next || sum(image.Data) != image.Page.SHA256 || image.Ext() != ".jpg" {
			t.Errorf("page %d came as number %d, or not as it is", image.Page.Index, next)
		}
		if next++; next == 25 {
			srv.Fail(apitest.Fault{Operation: "Page", Count: apitest.Always, Drop: true})
		}
	}
	if next != 60 || count(srv, "GetAtHomeServer") != 2 {
		t.Errorf("%d pages with %d at-home calls, want 60 with 2", next, count(srv, "GetAtHomeServer"))
	}
	if got := len(srv.State().Deliveries()); got != 0 {
		t.Errorf("%d reports, although nobody said where to send them", got)
	}
}

// TestFakeCBZ writes what the fake MangaDex knows of a chapter.
func TestFakeCBZ(t *testing.T) {
	t.Parallel()
	srv, client, id := fake(t, 5)
	chapter, err := athome.Open(t.Context(), client, id)
	if err != nil {
		t.Fatal(err)
	}
	defer chapter.Close()
	var pages [][]byte
	for image, err := range chapter.All(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		pages = append(pages, image.Data)
	}
	var archive bytes.Buffer
	if err := chapter.WriteCBZ(t.Context(), &archive); err != nil {
		t.Fatal(err)
	}
	info := checkCBZ(t, archive.Bytes(), pages, ".png")
	checkComicInfo(t, info)
	for _, want := range []string{"<Title>The lid<", "<Number>7<", "<Volume>2<", "<PageCount>5<", "<LanguageISO>en<", "<Series>" + srv.State().Manga()[0].Title + "<"} {
		if !bytes.Contains(info, []byte(want)) {
			t.Errorf("no %s in\n%s", want, info)
		}
	}
}

// TestFakeWithoutPages opens chapters that cannot be read.
func TestFakeWithoutPages(t *testing.T) {
	t.Parallel()
	srv, client, _ := fake(t, 1)
	title := srv.State().Manga()[0].ID
	const link = "https://publisher.example/9"
	for want, ch := range map[error]apitest.Chapter{
		athome.ErrExternal:  {ExternalURL: link},
		athome.ErrTakenDown: {Unavailable: true, Pages: 3},
		athome.ErrNoPages:   {},
	} {
		ch.Manga = title
		id, err := srv.State().AddChapter(ch)
		if err != nil {
			t.Fatal(err)
		}
		_, err = athome.Open(t.Context(), client, id)
		if !errors.Is(err, want) {
			t.Errorf("got %v, want %v", err, want)
		}
		var external *athome.ExternalError
		if errors.As(err, &external) && external.URL != link {
			t.Errorf("the link is %q", external.URL)
		}
	}
	if got := count(srv, "GetAtHomeServer"); got != 0 {
		t.Errorf("%d at-home calls for chapters that have no pages", got)
	}
}

// TestFakeCovers fetches a cover in all sizes.
func TestFakeCovers(t *testing.T) {
	t.Parallel()
	srv, client, _ := fake(t, 1)
	list, err := client.ListCovers(t.Context(), nil)
	if err != nil || len(list.Data) == 0 {
		t.Fatalf("%d covers, %v", len(list.Data), err)
	}
	covers, err := athome.NewCovers(athome.WithUploadsServer(srv.UploadsURL))
	if err != nil {
		t.Fatal(err)
	}
	defer covers.Close()
	cover := list.Data[0]
	title, ok := cover.Relationships.Manga()
	if !ok {
		t.Fatal("a cover without a title")
	}
	srv.Fail(apitest.Fault{Operation: "Cover", Count: 2, Status: 502})
	for size, width := range map[api.CoverSize]int{api.CoverSmall: 256, api.CoverMedium: 512, api.CoverOriginal: 513} {
		got, err := covers.Fetch(t.Context(), title.ID, cover.Attributes.FileName, size)
		if err != nil {
			t.Fatal(err)
		}
		config, _, err := image.DecodeConfig(bytes.NewReader(got.Data))
		if err != nil || config.Width > width != (size == api.CoverOriginal) {
			t.Errorf("size %q is %d wide (%v)", size, config.Width, err)
		}
	}
}
