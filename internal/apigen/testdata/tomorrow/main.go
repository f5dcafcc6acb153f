// Command tomorrow uses what a document of tomorrow adds. It is built in a copy of the module.
package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"os"
	"strings"

	"github.com/google/uuid"

	"github.com/mangadex-go/mangadex/api"
)

func main() {
	if err := run(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// server prints the requests that it gets, and has one answer.
type server struct{ answer string }

func (s *server) Do(req *http.Request) (*http.Response, error) {
	kind, parameters, _ := mime.ParseMediaType(req.Header.Get("Content-Type"))
	fmt.Println(req.Method, req.URL.RequestURI(), kind)
	if req.Body != nil {
		body, err := io.ReadAll(req.Body)
		if err != nil {
			return nil, err
		}
		boundary := cmp.Or(parameters["boundary"], " none ")
		fmt.Println(strings.ReplaceAll(strings.ReplaceAll(string(body), boundary, "boundary"), "\r\n", "\n"))
	}
	return &http.Response{
		StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {"application/json"}},
		Body: io.NopCloser(strings.NewReader(s.answer)), Request: req,
	}, nil
}

func run(ctx context.Context) error {
	s := &server{}
	client, err := api.New("https://api.example.test", api.WithHTTPClient(s), api.WithoutRateLimit(), api.WithoutRetry())
	if err != nil {
		return err
	}
	id := uuid.MustParse("10000000-0000-4000-8000-00000000000a")
	encoded := func(v any, err error) error {
		if err != nil {
			return err
		}
		text, err := json.Marshal(v)
		fmt.Println(string(text))
		return err
	}

	// What MangaDex could add.
	s.answer = `{"result":"ok","response":"entity","data":{"mood":"bright","title":null,"newer":1}}`
	mood, err := client.GetMangaIDMood(ctx, id, &api.GetMangaIDMoodParams{Moods: []api.GetMangaIDMoodParamsMoods{"bright"}})
	if err := encoded(mood, err); err != nil {
		return err
	}
	fmt.Println(mood.Data.Title == nil, len(mood.Data.Extra))
	s.answer = `{"result":"ok","response":"collection","data":[{"attributes":{"status":"dormant"}}],"limit":1,"offset":0,"total":1}`
	list, err := client.SearchManga(ctx, &api.SearchMangaParams{Mood: api.Ptr("dark")})
	if err != nil {
		return err
	}
	fmt.Println(list.Data[0].Attributes.Status == api.PublicationStatusDormant)
	fmt.Println(*api.ChapterAttributes{Mood: api.Ptr("calm")}.Mood)
	// Types that are written by hand, and orders.
	var related api.Relationship
	if err := json.Unmarshal([]byte(`{"id":"10000000-0000-4000-8000-00000000000a","type":"manga","mood":{"since":"2030-01-02T03:04:05+00:00"},"newer":1}`), &related); err != nil {
		return err
	}
	fmt.Println(related.GetMood().Since, len(related.Extra))
	if err := encoded(related, nil); err != nil {
		return err
	}
	s.answer = `{"result":"ok","data":{"id":"10000000-0000-4000-8000-00000000000a","type":"cover_art"}}`
	cover := api.CoverUpload{File: api.File{Name: "1.png", Content: strings.NewReader("picture")}, Mood: json.RawMessage(`["calm"]`), Weight: api.Ptr(0.5)}
	if _, err := client.UploadCover(ctx, id, cover); err != nil {
		return err
	}
	s.answer = `{"result":"ok","data":[],"limit":1,"offset":0,"total":0}`
	if _, err := client.SearchManga(ctx, &api.SearchMangaParams{Order: api.MangaOrder{}.Year(api.SortDirectionByDecade).Mood("true")}); err != nil {
		return err
	}
	// Answers that are a list or a map as a whole, and what is neither.
	for _, s.answer = range []string{`[{"mood":"bright","newer":1},{}]`, `{"a":{"mood":"dark"}}`, `[]`, `{}`, `{"result":"error","errors":[{"title":"no_moods"}]}`, `"bright"`} {
		if err := encoded(client.GetMood(ctx)); err != nil {
			fmt.Println(err)
		}
		if err := encoded(client.GetMoodName(ctx)); err != nil {
			fmt.Println(err)
		}
	}
	// A first parameter that can be left out leaves the method as it is; one that must be given does not.
	s.answer = `{"result":"ok"}`
	err = errors.Join(
		client.FollowManga(ctx, id),
		client.FollowMangaWith(ctx, id, &api.FollowMangaParams{Quiet: api.Ptr(true)}),
		client.UnfollowManga(ctx, id, &api.UnfollowMangaParams{Reason: "read"}),
	)
	if err != nil {
		return err
	}
	// So does a first body, and a first thing to return.
	s.answer = `{"result":"ok","average":7.5}`
	if err := client.DeleteRating(ctx, id); err != nil {
		return err
	}
	if err := encoded(client.DeleteRatingWith(ctx, id, api.DeleteRatingBody{Mood: "calm"})); err != nil {
		return err
	}
	for _, op := range api.Operations() {
		if op.Deprecated {
			fmt.Println(op.ID, "is still there")
		}
	}

	// What OpenAPI allows, and names that are taken.
	s.answer = `{"result":"ok","new":{"a":1},"data":{"extra":"more","a-b":"x","@type":"y","1st":1,"type":"a b","list":null,"lists":[[{"x":1.5,"q":2}],[]],` +
		`"map":{"k":["10000000-0000-4000-8000-00000000000a"]},"maps":{"m":{"y":null,"n":1}},"free":{"a":[1]},"any":[1],"either":"e","self":{"list":[1],"nothing":null,"u":0},` +
		`"selves":[{"nothing":"n"}],"nothing":null,"day":"2020-01-02","mail":"a@example.test","bytes":"aGk=","big":9007199254740993,"small":1.5,"unsigned":18446744073709551615,` +
		`"at":null,"title":[],"inline":{"z":{"deep":"d"}},"all":{"name":null,"more":"m"},"code":2,"unknown":[null]},"list":[],"relationships":[{"id":"10000000-0000-4000-8000-00000000000a","type":"odd"}]}`
	if err := encoded(client.OddEverything(ctx, api.EverythingBody{Nothing: api.Value("n"), List: api.Value([]int{1})})); err != nil {
		return err
	}
	s.answer = `{"result":"ok","response":"collection","data":[{"name":"n","extra":"e","more":1}],"limit":1,"offset":0,"total":1}`
	params := &api.OddThingParams{Flag: true, Numbers: []int{1, 2}, Order: api.OddThingOrder{}.Oddness(api.Desc)}
	for thing, err := range client.OddThingAll(ctx, "x", "c/d", 3, params) {
		if err := encoded(thing, err); err != nil {
			return err
		}
	}
	s.answer = `{"result":"ok","name":"n"}`
	if err := encoded(client.GetMangaIDTwin(ctx, id)); err != nil {
		return err
	}
	return client.PutOddThing(ctx, "x", "c", 3, "text/plain", strings.NewReader("hello"))
}
