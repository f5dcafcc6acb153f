// Package blocks is where the code of README.md is compiled and run: the test of package readme adds
// it to this package.
package blocks

import (
	"image"
	"image/png"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/mangadex-go/mangadex/api"
	"github.com/mangadex-go/mangadex/api/apitest"
	"github.com/mangadex-go/mangadex/authn"
)

// world is what the code takes for granted, made with the fake MangaDex.
type world struct {
	srv                                                           *apitest.Server
	client                                                        *api.Client
	clientID, clientSecret, username, password, tokenFile, folder string
	mangaID, chapterID, groupID                                   uuid.UUID
	since                                                         time.Time
	save                                                          func(api.Chapter) error
}

func newWorld(t *testing.T) *world {
	srv := apitest.Start(t)
	w := &world{
		srv: srv, clientID: srv.Account.ClientID, clientSecret: srv.Account.ClientSecret,
		username: srv.Account.Username, password: srv.Account.Password,
		tokenFile: filepath.Join(t.TempDir(), "token"), folder: t.TempDir(),
		save: func(api.Chapter) error { return nil }, since: time.Now().AddDate(-1, 0, 0),
	}
	session, err := authn.New(authn.WithAPIServer(srv.URL), authn.WithAuthServer(srv.AuthURL),
		authn.WithPersonalClient(w.clientID, w.clientSecret), authn.WithPassword(w.username, w.password))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { session.Close() })
	if w.client, err = api.New(srv.URL, authn.Use(session), api.WithoutRateLimit()); err != nil {
		t.Fatal(err)
	}
	for chapter, err := range w.client.ListChaptersAll(t.Context(), nil) {
		if err != nil {
			t.Fatal(err)
		}
		manga, _ := chapter.Relationships.Manga()
		groups := chapter.Relationships.Groups()
		if chapter.Attributes.Pages > 0 && chapter.Attributes.ExternalURL == nil && len(groups) > 0 {
			w.mangaID, w.chapterID, w.groupID = manga.ID, chapter.ID, groups[0].ID
			break
		}
	}
	page, err := os.Create(filepath.Join(w.folder, "1.png"))
	if err != nil {
		t.Fatal(err)
	}
	defer page.Close()
	if err := png.Encode(page, image.NewGray(image.Rect(0, 0, 800, 1200))); err != nil {
		t.Fatal(err)
	}
	return w
}

// The world must hold what the code needs.
func TestWorld(t *testing.T) {
	t.Parallel()
	if w := newWorld(t); w.chapterID == uuid.Nil || w.groupID == uuid.Nil {
		t.Error("the fake has no chapter that can be read")
	}
}
