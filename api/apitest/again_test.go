package apitest_test

import (
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mangadex-go/mangadex/api/apitest"
)

// TestSearchSeesChanges asks the same again after each kind of change, and after none but time.
func TestSearchSeesChanges(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		srv := apitest.Start(t, apitest.WithoutNetwork())
		client := &http.Client{Transport: srv.Transport()}
		state := srv.State()
		const french = "&availableTranslatedLanguage[]=fr-ca"
		total := func(more, want string) {
			t.Helper()
			for range 2 {
				if _, text := fetch(t, client, srv.URL+"/manga?title=quite+unheard+of"+more); !strings.Contains(string(text), `"total":`+want+"}") {
					t.Errorf("%s: want %s in %s", more, want, text[max(len(text)-60, 0):])
				}
			}
		}
		total("", "0")
		id, err := state.AddManga(apitest.Manga{Title: "Quite unheard of"})
		if err != nil {
			t.Fatal(err)
		}
		total("", "1")
		total("&order[relevance]=desc", "1")
		total(french, "0")
		if _, err := state.AddChapter(apitest.Chapter{Manga: id, Number: "1", Language: "fr-ca", Pages: 1, ReadableAt: time.Now().Add(time.Hour)}); err != nil {
			t.Fatal(err)
		}
		total(french, "0")
		time.Sleep(2 * time.Hour)
		total(french, "1")
		if err := state.DeleteManga(id); err != nil {
			t.Fatal(err)
		}
		total("", "0")
		total("&order[relevance]=desc", "0")
	})
}
