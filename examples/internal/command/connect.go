package command

import (
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/mangadex-go/mangadex/api"
	"github.com/mangadex-go/mangadex/api/apitest"
	"github.com/mangadex-go/mangadex/authn"
	"github.com/mangadex-go/mangadex/internal/origin"
)

// Agent is how the examples call themselves in the User-Agent. A program of your own has another
// name and address.
const Agent = "mangadex-go-examples (+https://github.com/mangadex-go/mangadex)"

// Client returns a client for the server that the flags name. It keeps within the limits of MangaDex,
// except with the fake one in this program and with -unlimited.
func (c *Command) Client(options ...api.Option) (*api.Client, error) {
	server, err := c.address()
	if err != nil {
		return nil, err
	}
	options = append(options, api.WithUserAgent(Agent))
	if c.fake != nil || *c.unlimited {
		options = append(options, api.WithoutRateLimit())
	}
	return api.New(server, options...)
}

// address is the server that the flags name. It starts the fake one.
func (c *Command) address() (string, error) {
	switch {
	case *c.live:
		return api.Production, nil
	case *c.server != "":
		return *c.server, nil
	case c.fake == nil:
		fake, err := apitest.NewServer()
		if err != nil {
			return "", err
		}
		c.fake = fake
		if err := fill(fake); err != nil {
			return "", err
		}
	}
	return c.fake.URL, nil
}

// fill puts titles into the library of the account of the fake MangaDex, some with a new chapter.
func fill(fake *apitest.Server) error {
	library := apitest.Library{Statuses: map[uuid.UUID]string{}, Ratings: map[uuid.UUID]int{}}
	for i, manga := range fake.State().Manga() {
		if i%3 == 2 {
			continue
		}
		library.Manga = append(library.Manga, manga.ID)
		library.Statuses[manga.ID] = [...]string{"reading", "plan_to_read", "completed", "on_hold"}[i%4]
		if i%2 == 0 {
			library.Ratings[manga.ID] = 1 + i%10
		}
		if chapters := fake.State().Chapters(manga.ID); len(chapters) > 1 {
			library.Read = append(library.Read, chapters[0].ID)
		}
		if i%10 == 0 {
			if _, err := fake.State().AddChapter(apitest.Chapter{
				ID: uuid.NewHash(sha256.New(), manga.ID, []byte("new chapter"), 4), Manga: manga.ID, Number: "100", Pages: 4,
				PublishAt: time.Now().Add(-time.Duration(i+1) * time.Hour),
			}); err != nil {
				return err
			}
		}
	}
	return fake.State().SetLibrary(fake.Account.Username, library)
}

// Fake returns the fake MangaDex in this program once [Command.Client] or [Command.Session] has
// started it, and nil if the program talks to another server.
func (c *Command) Fake() *apitest.Server { return c.fake }

// LogsIn defines the flags of a program that logs in.
func (c *Command) LogsIn() {
	c.credentials = c.String("credentials", "", "log in with what is in this `file`, a JSON object with client_id, client_secret, username, password and refresh_token, as far as they are needed; without it, with MANGADEX_CLIENT_ID and so on from the environment")
	c.tokens = c.String("token", "", "keep the login in this `file` (default token.json in a folder for the server among your settings)")
}

// Session returns a session that logs in as the flags of [Command.LogsIn] and the environment say,
// and keeps the login in a file. With the fake MangaDex it is that of its account.
func (c *Command) Session(more ...authn.Option) (*authn.Session, error) {
	server, err := c.address()
	if err != nil {
		return nil, err
	}
	path, err := c.Path(*c.tokens, "token.json")
	if err != nil {
		return nil, err
	}
	store := authn.WithStore(authn.NewFileStore(path))
	options := append(more, authn.WithUserAgent(Agent), authn.WithAPIServer(server), store)
	switch {
	case c.fake != nil:
		account := c.fake.Account
		options = append(options, authn.WithAuthServer(c.fake.AuthURL),
			authn.WithPersonalClient(account.ClientID, account.ClientSecret), authn.WithPassword(account.Username, account.Password))
	case server != api.Production && server != api.Development: // whose realms are known
		options = append(options, authn.WithAuthServer(strings.TrimRight(server, "/")+"/realms/mangadex"))
	}
	switch {
	case *c.credentials != "":
		options = append(options, authn.FromFile(*c.credentials))
	case c.fake == nil: // which does not know what is in the environment
		options = append(options, authn.FromEnv())
	}
	if *c.tokens != "" {
		options = append(options, store) // a flag goes before the environment
	}
	c.session, err = authn.New(options...)
	return c.session, err
}

// ClientWithSession returns a client that logs in as [Command.Session] does.
func (c *Command) ClientWithSession(options ...api.Option) (*api.Client, error) {
	session, err := c.Session()
	if err != nil {
		return nil, err
	}
	return c.Client(append(options, authn.Use(session))...)
}

// BesideLogin returns the path of a file beside that of the login, in a program that [Command.LogsIn].
func (c *Command) BesideLogin(name string) (string, error) {
	switch {
	case strings.EqualFold(filepath.Base(*c.tokens), name):
		return "", Usagef("-token is %s, a name that is for another file there; choose another one", *c.tokens)
	case *c.tokens != "":
		return filepath.Join(filepath.Dir(*c.tokens), name), nil
	}
	return c.Path("", name)
}

// host is the server in the words of the user.
func (c *Command) host() string {
	if *c.live {
		return "MangaDex"
	}
	return "the server " + *c.server
}

// Path returns the path that was given or else one for a file of that name among the settings of
// the user, where each server has a folder.
func (c *Command) Path(given, name string) (string, error) {
	if given != "" {
		return given, nil
	}
	settings, err := os.UserConfigDir()
	if err != nil {
		return "", fmt.Errorf("there is no place for %s: %w; name one with a flag", name, err)
	}
	server := "fake"
	if *c.live {
		server = "mangadex.org"
	} else if known, err := origin.Parse(*c.server, api.Production); err == nil {
		server = strings.ReplaceAll(known.Host(), ":", "_")
	}
	return filepath.Join(settings, "mangadex-go", server, name), nil
}
