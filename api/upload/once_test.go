package upload_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mangadex-go/mangadex/api"
	"github.com/mangadex-go/mangadex/api/apitest"
	"github.com/mangadex-go/mangadex/api/upload"
)

// everything is all that can go wrong with a request: each strikes about one of sixty, and together
// they strike one of five.
func everything() []apitest.Fault {
	kinds := []apitest.Fault{
		{Drop: true}, {Drop: true, Reset: true}, {After: true, Drop: true}, {DropBody: true, Reset: true}, {Truncate: true}, {Empty: true},
		{HTML: true}, {Status: 502, HTML: true}, {After: true, Status: 502}, {Status: 503}, {Late: 2 * time.Second}, {Late: time.Minute},
	}
	const all = 0.2
	for i := range kinds {
		kinds[i].Count, kinds[i].Probability = apitest.Always, all/float64(len(kinds))*1.1
	}
	return kinds
}

// An author uploads a chapter as package upload says that a program should, run after run.
type author struct {
	client *api.Client
	draft  api.ChapterDraft
	pages  []upload.Source
	record upload.Record // of the last run
}

// errThere says that the chapter was published by an earlier run.
var errThere = errors.New("the chapter is there")

func (p *author) run(ctx context.Context) (*api.Chapter, error) {
	if p.record.InDoubt() {
		chapter, err := upload.Find(ctx, p.client, p.record)
		if chapter != nil || !errors.Is(err, upload.ErrNotPublished) {
			return chapter, err
		}
		p.record.Sent = time.Time{}
	}
	there, err := upload.Published(ctx, p.client, title, nil, p.draft)
	if err != nil {
		return nil, err
	}
	if len(there) > 0 {
		return &there[0], errThere
	}
	session, err := upload.Begin(ctx, p.client, title, nil, upload.WithEarlier(p.record), upload.WithRecord(func(r upload.Record) error {
		p.record = r
		return nil
	}))
	var open *upload.OpenError
	if errors.As(err, &open) {
		if session, err = open.Resume(); rand.N(4) == 0 {
			session, err = open.Replace(ctx)
		}
	}
	if err != nil {
		return nil, err
	}
	if rand.N(3) == 0 {
		defer session.Close()
	}
	if err := session.AddPages(ctx, p.pages...); err != nil {
		return nil, err
	}
	return session.Commit(ctx, p.draft, upload.TermsAccepted)
}

// TestOnceInAnyRun makes random runs in which one request of five goes wrong. None publishes a second
// chapter, or one with a page missing, doubled or out of order; what a run says is true; and nearly
// every run knows what it has done. UPLOAD_RUNS says how many.
func TestOnceInAnyRun(t *testing.T) {
	t.Parallel()
	runs := 100
	if testing.Short() {
		runs = 30
	}
	if n, err := strconv.Atoi(os.Getenv("UPLOAD_RUNS")); err == nil {
		runs = n
	}
	synctest.Test(t, func(t *testing.T) {
		srv := start(t)
		client := srv.client(t)
		published := func(number string) (found []apitest.Chapter) {
			for _, c := range srv.chapters() {
				if c.Number == number {
					found = append(found, c)
				}
			}
			return found
		}
		made, failed, unknown := 0, 0, 0
		for chapter := 1000; made < runs; chapter++ {
			number := strconv.Itoa(chapter)
			p := &author{client: client, draft: api.ChapterDraft{Chapter: api.Value(number), TranslatedLanguage: "en"}}
			var contents []string
			for i := range 1 + rand.N(25) {
				contents = append(contents, picture("png", fmt.Sprint(number, i)))
				p.pages = append(p.pages, upload.Reader(fmt.Sprintf("%d.png", i+1), strings.NewReader(contents[i])))
			}
			for done := false; !done; {
				made++
				if made > 3*runs+100 {
					t.Fatal("nothing goes well")
				}
				srv.Fail(everything()...)
				made, err := p.run(t.Context())
				srv.Heal()
				there := published(number)
				switch {
				case err == nil, errors.Is(err, errThere):
					done = true
					if len(there) != 1 || there[0].ID != made.ID {
						t.Fatalf("it says that %v is published, and there are %+v", made.ID, there)
					}
				case errors.Is(err, upload.ErrOutcomeUnknown):
					unknown++
					if !strings.Contains(err.Error(), " for chapter "+number+" in language en") {
						t.Errorf("it does not say what to look at: %v", err)
					}
				case rand.N(2) == 0:
					time.Sleep(5 * time.Minute) // what is late
					there = published(number)
					fallthrough
				default:
					failed++
					if len(there) > 0 {
						t.Fatalf("it says that nothing is published (%v), and there are %+v", err, there)
					}
				}
			}
			time.Sleep(5 * time.Minute)
			there := published(number)
			if len(there) != 1 {
				t.Fatalf("%d chapters %s", len(there), number)
			}
			holds(t, client, there[0].ID, contents)
			if open, err := client.GetUploadSession(t.Context(), nil); err == nil { // begun by a request that came late
				must(t, client.AbandonUpload(t.Context(), open.Data.ID))
			}
		}
		t.Logf("%d runs: %d failed, and %d did not know what they had done", made, failed, unknown)
		if unknown*50 > made && unknown > 2 {
			t.Errorf("%d of %d runs did not know what they had done", unknown, made)
		}
	})
}
