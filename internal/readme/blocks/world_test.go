// Package blocks is where the code of README.md is compiled and run: the test of package readme adds
// it to this package.
package blocks

import (
	"path/filepath"
	"testing"

	"github.com/google/uuid"

	"github.com/mangadex-go/mangadex/api/apitest"
)

// world is what the code takes for granted, made with the fake MangaDex.
type world struct {
	srv                                                   *apitest.Server
	clientID, clientSecret, username, password, tokenFile string
	mangaID                                               uuid.UUID
}

func newWorld(t *testing.T) *world {
	srv := apitest.Start(t)
	return &world{
		srv: srv, clientID: srv.Account.ClientID, clientSecret: srv.Account.ClientSecret,
		username: srv.Account.Username, password: srv.Account.Password,
		tokenFile: filepath.Join(t.TempDir(), "token"), mangaID: srv.State().Manga()[0].ID,
	}
}

// The world must hold what the code needs.
func TestWorld(t *testing.T) {
	t.Parallel()
	if w := newWorld(t); w.mangaID == uuid.Nil || w.clientSecret == "" {
		t.Error("the fake has no title, or no account that can log in")
	}
}
