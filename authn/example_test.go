package authn_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net/http/httptest"
	"os"
	"path/filepath"

	"github.com/google/uuid"

	"github.com/mangadex-go/mangadex/api"
	"github.com/mangadex-go/mangadex/authn"
)

// The examples run against a server on this computer. Programs for MangaDex need none of this.
func exampleServer() (options authn.Option, server string, stop func()) {
	fake := httptest.NewServer(newFake())
	return authn.Options(authn.WithAPIServer(fake.URL), authn.WithAuthServer(fake.URL+realm)), fake.URL, fake.Close
}

func Example() {
	local, server, stop := exampleServer() // a program for MangaDex uses api.Production
	defer stop()

	dir, err := os.MkdirTemp("", "authn") // a program has a folder that stays
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "token.json")

	session, err := authn.New(local,
		authn.WithPersonalClient(clientID, clientSecret),
		authn.WithPassword(username, password),
		authn.WithStore(authn.NewFileStore(path)), // the next run needs no password
	)
	if err != nil {
		log.Fatal(err)
	}
	client, err := api.New(server, authn.Use(session))
	if err != nil {
		log.Fatal(err)
	}
	me, err := client.GetCurrentUser(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(me.Data.Attributes.Username)
	// Output: reader
}

// Start from a refresh token: no password is needed.
func ExampleWithRefreshToken() {
	local, _, stop := exampleServer()
	defer stop()
	saved := exampleRefreshToken(local)

	session, err := authn.New(local,
		authn.WithPersonalClient(clientID, clientSecret),
		authn.WithRefreshToken(saved),
		authn.WithOnToken(func(t authn.Token) { saved = t.RefreshToken }), // it may work only once
	)
	if err != nil {
		log.Fatal(err)
	}
	user, err := session.User(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(user.Attributes.Username, saved == session.RefreshToken())
	// Output: reader true
}

func exampleRefreshToken(local authn.Option) string {
	session, err := authn.New(local, authn.WithPersonalClient(clientID, clientSecret), authn.WithPassword(username, password))
	if err != nil {
		log.Fatal(err)
	}
	if err := session.Login(context.Background()); err != nil {
		log.Fatal(err)
	}
	return session.RefreshToken()
}

// Log in with username and password, by a personal client.
func ExampleWithPersonalClient() {
	local, _, stop := exampleServer()
	defer stop()

	session, err := authn.New(local,
		authn.WithPersonalClient(clientID, clientSecret),
		authn.WithPassword(username, password),
	)
	if err != nil {
		log.Fatal(err)
	}
	if err := session.Login(context.Background()); err != nil { // or leave it to the first call
		log.Fatal(err)
	}
	fmt.Println(session.Anonymous(), session.Permissions().Has("manga.create"))
	// Output: false true
}

// Without a personal client a session uses the session endpoints, for accounts that still can.
func ExampleWithPassword() {
	local, _, stop := exampleServer()
	defer stop()

	session, err := authn.New(local, authn.WithPassword(username, password))
	if err != nil {
		log.Fatal(err)
	}
	status, err := session.Check(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(status.Roles)
	// Output: [ROLE_MEMBER]
}

// Begin without a login, and log in when the user asks for it.
func ExampleSession_LoginWith() {
	local, server, stop := exampleServer()
	defer stop()
	ctx := context.Background()

	session, err := authn.New(local, authn.Anonymous(), authn.WithPersonalClient(clientID, clientSecret))
	if err != nil {
		log.Fatal(err)
	}
	client, err := api.New(server, authn.Use(session))
	if err != nil {
		log.Fatal(err)
	}

	_, err = client.GetCurrentUser(ctx)
	var unauthorized *authn.UnauthorizedError
	if errors.As(err, &unauthorized) {
		fmt.Println("a login is needed for", unauthorized.Method, unauthorized.Path)
	}

	err = session.LoginWith(ctx, username, "mistyped")
	fmt.Println("wrong password:", errors.Is(err, authn.ErrWrongPassword))

	if err := session.LoginWith(ctx, username, password); err != nil {
		log.Fatal(err)
	}
	me, err := client.GetCurrentUser(ctx)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("hello,", me.Data.Attributes.Username)
	// Output:
	// a login is needed for GET /user/me
	// wrong password: true
	// hello, reader
}

// Credentials from the environment.
func ExampleFromEnv() {
	local, _, stop := exampleServer()
	defer stop()
	for name, value := range map[string]string{ // what the user has exported
		"MANGADEX_CLIENT_ID": clientID, "MANGADEX_CLIENT_SECRET": clientSecret,
		"MANGADEX_USERNAME": username, "MANGADEX_PASSWORD": password,
	} {
		os.Setenv(name, value)
		defer os.Unsetenv(name)
	}

	session, err := authn.New(local, authn.FromEnv())
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(session.Login(context.Background()))
	// Output: <nil>
}

// Credentials from a file that only its owner may read.
func ExampleFromFile() {
	local, _, stop := exampleServer()
	defer stop()
	dir, err := os.MkdirTemp("", "authn")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "credentials.json")
	if err := os.WriteFile(path, []byte(exampleCredentials), 0o600); err != nil {
		log.Fatal(err)
	}

	session, err := authn.New(local, authn.FromFile(path))
	if err != nil {
		log.Fatal(err) // names what is wrong: an unknown name, half a pair, a file that everybody can read
	}
	fmt.Println(session.Login(context.Background()))
	// Output: <nil>
}

// What a user has written.
const exampleCredentials = `{
	"username": "reader",
	"password": "pass word/&+\"<only-a-test>"
}`

// Log out on the server, and forget everything here.
func ExampleSession_Logout() {
	local, _, stop := exampleServer()
	defer stop()
	ctx := context.Background()

	session, err := authn.New(local, authn.WithPersonalClient(clientID, clientSecret), authn.WithPassword(username, password))
	if err != nil {
		log.Fatal(err)
	}
	if err := session.Login(ctx); err != nil {
		log.Fatal(err)
	}
	if err := session.Logout(ctx); err != nil {
		log.Print(err) // the server was not told; the session has ended here nevertheless
	}
	fmt.Println(session)
	// Output: authn.Session(anonymous)
}

// Send one call without the token, for an answer that a cache can give.
func ExampleContextWithoutToken() {
	local, server, stop := exampleServer()
	defer stop()

	session, err := authn.New(local, authn.WithPersonalClient(clientID, clientSecret), authn.WithPassword(username, password))
	if err != nil {
		log.Fatal(err)
	}
	client, err := api.New(server, authn.Use(session))
	if err != nil {
		log.Fatal(err)
	}
	_, err = client.GetManga(authn.ContextWithoutToken(context.Background()), uuid.MustParse(mangaID), nil)
	fmt.Println(err)
	// Output: <nil>
}

// A store of one's own, such as the keyring of the system.
func ExampleStore() {
	local, _, stop := exampleServer()
	defer stop()
	ctx := context.Background()

	keyring := &keyringStore{}
	for range 2 { // two runs of a program
		session, err := authn.New(local, authn.WithPersonalClient(clientID, clientSecret), authn.WithPassword(username, password), authn.WithStore(keyring))
		if err != nil {
			log.Fatal(err)
		}
		if err := session.Login(ctx); err != nil {
			log.Fatal(err)
		}
	}
	fmt.Println(keyring.saved, "login in two runs")
	// Output: 1 login in two runs
}

// A keyringStore stands for the keyring of a system.
type keyringStore struct {
	secret []byte
	saved  int
}

func (s *keyringStore) Load(context.Context) (authn.Token, error) {
	if s.secret == nil {
		return authn.Token{}, nil
	}
	return authn.DecodeToken(s.secret)
}

func (s *keyringStore) Save(_ context.Context, t authn.Token) error {
	s.secret = authn.EncodeToken(t)
	s.saved++
	return nil
}

func (s *keyringStore) Delete(context.Context) error {
	s.secret = nil
	return nil
}
