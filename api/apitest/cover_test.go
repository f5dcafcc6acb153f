package apitest_test

import (
	"bytes"
	"image"
	"net/http"
	"testing"

	"github.com/google/uuid"

	"github.com/mangadex-go/mangadex/api"
	"github.com/mangadex-go/mangadex/api/apitest"
)

func TestCovers(t *testing.T) {
	t.Parallel()
	srv := apitest.Start(t)
	client := newClient(t, srv)
	list, err := client.ListCovers(t.Context(), &api.ListCoversParams{Limit: api.Ptr(2)})
	if err != nil {
		t.Fatal(err)
	}
	for _, cover := range list.Data {
		manga, _ := cover.Relationships.Manga()
		for size, width := range map[string]int{"": 528, ".256.jpg": 256, ".512.jpg": 512} {
			resp, body := fetch(t, http.DefaultClient, srv.UploadsURL+"/covers/"+manga.ID.String()+"/"+cover.Attributes.FileName+size)
			picture, format, err := image.Decode(bytes.NewReader(body))
			if err != nil || picture.Bounds().Dx() != width || resp.Header.Get("Content-Type") != "image/"+format || size != "" && format != "jpeg" {
				t.Errorf("%s%s: %d, %s, %v", cover.Attributes.FileName, size, resp.StatusCode, resp.Header.Get("Content-Type"), err)
			}
		}
	}
}

// An edit of a cover with all its nullable fields, and the thumbnail of one that was uploaded.
func TestCoverEdits(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.fill(t)
	ctx, id := t.Context(), uuid.MustParse(w.ids["cover"])
	edited := must[*api.CoverResponse](t)(w.client.UpdateCover(ctx, id, api.CoverEdit{Version: 1, Volume: api.Value("2"), Description: api.Value("front"), Locale: api.Null[string]()}))
	if a := edited.Data.Attributes; *a.Volume != "2" || *a.Description != "front" || a.Locale != nil || a.Version != 2 {
		t.Errorf("the cover is %+v", a)
	}
	client := &http.Client{Transport: w.srv.Transport()}
	resp, body := fetch(t, client, w.srv.UploadsURL+"/covers/"+w.ids["manga"]+"/"+edited.Data.Attributes.FileName+".256.jpg")
	if resp.StatusCode != 200 || resp.Header.Get("Content-Type") != "image/jpeg" || !bytes.HasPrefix(body, []byte("\xff\xd8")) {
		t.Errorf("the thumbnail: %d %s", resp.StatusCode, resp.Header.Get("Content-Type"))
	}
	if err := w.client.DeleteCover(ctx, id); err != nil {
		t.Fatal(err)
	}
	if main, ok := must[*api.MangaResponse](t)(w.client.GetManga(ctx, uuid.MustParse(w.ids["manga"]), nil)).Data.Relationships.Cover(); !ok || main.ID == id {
		t.Errorf("the cover of the title is %v", main)
	}
}
