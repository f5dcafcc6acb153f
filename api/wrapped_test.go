package api_test

import (
	"errors"
	"io"
	"net/http"
	"reflect"
	"testing"

	"github.com/google/uuid"

	"github.com/mangadex-go/mangadex/api"
	"github.com/mangadex-go/mangadex/api/apitest"
)

// A middleware that wraps the bodies of answers changes nothing: neither what calls return, nor what
// their errors say, nor what Do hands out.
func TestWrappedBodies(t *testing.T) {
	t.Parallel()
	fake := apitest.Start(t, apitest.WithTitles(20))
	plain, err := api.New(fake.URL, api.WithoutRateLimit())
	if err != nil {
		t.Fatal(err)
	}
	wrapped, err := api.New(fake.URL, api.WithoutRateLimit(), api.WithMiddleware(func(next api.HttpRequestDoer) api.HttpRequestDoer {
		return api.DoerFunc(func(req *http.Request) (*http.Response, error) {
			resp, err := next.Do(req)
			if err == nil {
				resp.Body = struct{ io.ReadCloser }{resp.Body}
			}
			return resp, err
		})
	}))
	if err != nil {
		t.Fatal(err)
	}
	ask := func(c *api.Client) (answers []any) {
		list, err := c.SearchManga(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		answers = append(answers, list.Data)
		title, err := c.GetManga(t.Context(), list.Data[0].ID, nil)
		if err != nil {
			t.Fatal(err)
		}
		_, err = c.GetManga(t.Context(), uuid.MustParse("00000000-0000-4000-8000-000000000000"), nil)
		var refused *api.Error
		if !errors.As(err, &refused) || !errors.Is(err, api.ErrNotFound) || len(refused.Errors) == 0 {
			t.Fatalf("got %v", err)
		}
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, fake.URL+"/manga/tag", nil)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := c.Do(t.Context(), req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		return append(answers, title.Data, refused.Errors[0].Title, string(refused.Body) != "", string(body))
	}
	if got, want := ask(wrapped), ask(plain); !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}
