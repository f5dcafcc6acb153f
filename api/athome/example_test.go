package athome_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"path/filepath"

	"github.com/mangadex-go/mangadex/api"
	"github.com/mangadex-go/mangadex/api/apitest"
	"github.com/mangadex-go/mangadex/api/athome"
)

// A chapter becomes a comic book archive. The fake MangaDex stands for the real one.
func Example() {
	ctx := context.Background()
	srv, err := apitest.NewServer()
	if err != nil {
		log.Fatal(err)
	}
	defer srv.Close()
	client, err := api.New(srv.URL)
	if err != nil {
		log.Fatal(err)
	}
	manga := srv.State().Manga()[0]
	id, err := srv.State().AddChapter(apitest.Chapter{Manga: manga.ID, Number: "1", Pages: 4})
	if err != nil {
		log.Fatal(err)
	}

	chapter, err := athome.Open(ctx, client, id)
	if errors.Is(err, athome.ErrExternal) {
		fmt.Println("read it elsewhere:", err)
		return
	} else if err != nil {
		log.Fatal(err)
	}
	defer chapter.Close()
	dir, err := os.MkdirTemp("", "athome")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	if err := chapter.SaveCBZ(ctx, filepath.Join(dir, "chapter.cbz")); err != nil {
		log.Fatal(err)
	}
	for image, err := range chapter.All(ctx) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Printf("page %d is %s\n", image.Page.Index+1, image.ContentType)
		if image.Page.Index == 1 {
			break
		}
	}
	// Output:
	// page 1 is image/png
	// page 2 is image/png
}
