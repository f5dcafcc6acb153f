package api_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/mangadex-go/mangadex/api"
)

// An order that two others are made of stays as it was.
func TestOrderShared(t *testing.T) {
	t.Parallel()
	base := api.ChapterOrder{}.Volume(api.Asc)
	up, down := base.Chapter(api.Asc), base.Chapter(api.Desc)
	turned := up.Volume(api.Desc)
	if got := fmt.Sprint(base, up, down, turned); got != "[volume asc] [volume asc chapter asc] [volume asc chapter desc] [volume desc chapter asc]" {
		t.Error(got)
	}
}

// FuzzOrder sends keys in any sequence, and compares the query with a model.
func FuzzOrder(f *testing.F) {
	f.Add([]byte{0, 1, 2, 3, 4, 5})
	f.Add([]byte{5, 11, 5, 17, 3})
	keys := []string{"createdAt", "updatedAt", "publishAt", "readableAt", "volume", "chapter"}
	f.Fuzz(func(t *testing.T, data []byte) {
		var order api.ChapterOrder
		want, direction := []string{}, map[string]api.SortDirection{}
		for _, b := range data {
			n, d := int(b)%len(keys), []api.SortDirection{api.Asc, api.Desc, ""}[int(b)/len(keys)%3]
			order = []func(api.SortDirection) api.ChapterOrder{
				order.CreatedAt, order.UpdatedAt, order.PublishAt, order.ReadableAt, order.Volume, order.Chapter,
			}[n](d)
			if d == "" {
				continue
			}
			if direction[keys[n]] == "" {
				want = append(want, keys[n])
			}
			direction[keys[n]] = d
		}
		for i, key := range want {
			want[i] = "order[" + key + "]=" + string(direction[key])
		}
		got := capture(t, func(c *api.Client) error {
			_, err := c.ListChapters(t.Context(), &api.ListChaptersParams{Order: order})
			return err
		})
		if got.URL.RawQuery != strings.Join(want, "&") || got.Method != http.MethodGet {
			t.Errorf("%v is sent as %s, want %v", data, got.URL.RawQuery, want)
		}
	})
}
