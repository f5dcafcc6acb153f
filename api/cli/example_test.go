package cli_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"testing"

	"github.com/google/uuid"

	"github.com/mangadex-go/mangadex/api"
	"github.com/mangadex-go/mangadex/api/apitest"
	"github.com/mangadex-go/mangadex/api/cli"
	"github.com/mangadex-go/mangadex/api/transport"
	"github.com/mangadex-go/mangadex/authn"
)

// A program that follows a title says in one line what is wrong, and prints its name as it is and not as
// what it does.
func Example() {
	srv, err := apitest.NewServer()
	if err != nil {
		fmt.Println(err)
		return
	}
	defer srv.Close()
	session, err := authn.New(authn.WithAPIServer(srv.URL), authn.Anonymous())
	if err != nil {
		fmt.Println(err)
		return
	}
	defer session.Close()
	client, err := api.New(srv.URL, authn.Use(session))
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := client.FollowManga(context.Background(), srv.State().Manga()[0].ID); err != nil {
		fmt.Println("shelf:", cli.Explain(err, cli.Hints{LogIn: "with shelf login"}))
	}
	fmt.Println(cli.Linef("%s has %d chapters", "The Kettle\x1b[2J\nnothing", 12))
	// Output:
	// shelf: nobody is logged in; log in with shelf login
	// The Kettle[2J nothing has 12 chapters
}

func TestExplain(t *testing.T) {
	t.Parallel()
	server := apitest.Start(t, apitest.WithoutNetwork())
	client, err := api.New(server.URL, api.WithTransport(transport.WithBase(server.Transport())), api.WithoutRetry())
	if err != nil {
		t.Fatal(err)
	}
	refused := func(f apitest.Fault) error {
		server.Fail(f)
		defer server.Heal()
		_, err := client.GetManga(t.Context(), server.State().Manga()[0].ID, nil)
		return err
	}
	_, unknown := client.GetManga(t.Context(), uuid.New(), nil)
	_, noFile := os.Open("no-such-file")
	for name, test := range map[string]struct {
		err   error
		hints cli.Hints
		want  string // its end
	}{
		"unknown id":          {err: unknown, want: "; check the id"},
		"server fails":        {err: refused(apitest.Fault{Status: 503}), want: "; try again later"},
		"captcha":             {err: refused(apitest.Fault{Captcha: true}), want: "log in at https://mangadex.org in a browser, then try again"},
		"ban":                 {err: &transport.BannedError{}, hints: cli.Hints{Banned: "be patient"}, want: "run fewer programs at once; be patient"},
		"no file":             {err: noFile, want: "; check the path"},
		"no permission":       {err: &fs.PathError{Op: "open", Path: "x", Err: fs.ErrPermission}, want: "; choose another place, or change its permissions"},
		"several":             {err: errors.Join(errors.New("one"), errors.New("two"), errors.New("three")), want: "one (and 2 more)"},
		"nothing to say more": {err: errors.New("api: odd\x1b[2J"), want: "odd[2J"},
	} {
		got := cli.Explain(test.err, test.hints)
		if len(got) < len(test.want) || got[len(got)-len(test.want):] != test.want {
			t.Errorf("%s: %s; want that it ends with %q", name, got, test.want)
		}
	}
}
