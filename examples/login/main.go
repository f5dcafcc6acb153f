// Login logs in to MangaDex and keeps the login for the other examples.
//
//	go run ./examples/login                             # on the fake MangaDex, with its account
//	go run ./examples/login -live -credentials me.json  # on MangaDex
//	go run ./examples/login -live whoami
//	go run ./examples/login -live logout
package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/mangadex-go/mangadex/authn"
	"github.com/mangadex-go/mangadex/examples/internal/command"
)

const usage = `[flags] [login | whoami | logout]

  login   logs in and keeps the refresh token; this is the default
  whoami  says who is logged in
  logout  ends the login and forgets the token

There are two ways to log in. With the id and the secret of a personal client, which you get in the
settings of MangaDex, the program speaks OAuth2. Without them it uses the older session endpoints,
which refuse accounts made or given a new password since December 2022.

Credentials come from a file (-credentials), or else from the environment: MANGADEX_CLIENT_ID and
MANGADEX_CLIENT_SECRET, MANGADEX_USERNAME and MANGADEX_PASSWORD, MANGADEX_REFRESH_TOKEN. With
-username the password is asked for; so is a one-time code where the password alone is refused. A refresh
token that was kept is used before a password. There is no flag for a password, because other users of
the machine can see flags.`

func main() { command.Main("login", usage, run) }

func run(ctx context.Context, c *command.Command) error {
	c.LogsIn()
	username := c.String("username", "", "log in with this `name`, and ask for the password")
	if err := c.Parse(); err != nil {
		return err
	}
	switch {
	case c.NArg() > 1:
		return command.Usagef("too much: %s", strings.Join(c.Args(), " "))
	case *username != "" && c.Arg(0) != "" && c.Arg(0) != "login":
		return command.Usagef("-username is for login, not for %s", c.Arg(0))
	}
	var options []authn.Option
	if c.Arg(0) == "" || c.Arg(0) == "login" {
		options = append(options, authn.WithOneTimeCode(func(ctx context.Context) (string, error) {
			code, err := c.AskSecret(ctx, "one-time code, if the account has one")
			if ctx.Err() == nil {
				err = nil // there was none
			}
			return code, err
		}))
	}
	session, err := c.Session(options...)
	if err != nil {
		return err
	}
	switch c.Arg(0) {
	case "", "login":
		return login(ctx, c, session, *username)
	case "whoami":
		return whoami(ctx, c, session)
	case "logout":
		return logout(ctx, c, session)
	}
	return command.Usagef("%q is none of login, whoami, logout", c.Arg(0))
}

func login(ctx context.Context, c *command.Command, session *authn.Session, username string) error {
	var err error
	if username == "" {
		err = session.Login(ctx)
	} else {
		var password string
		if password, err = c.AskSecret(ctx, "password of "+username); err == nil {
			err = session.LoginWith(ctx, username, password)
		}
	}
	var nothing *authn.UnauthorizedError
	if errors.As(err, &nothing) && nothing.Unwrap() == nil {
		return command.Usagef("there is nothing to log in with: give -credentials or -username, or set MANGADEX_USERNAME and so on")
	}
	if err != nil {
		return err
	}
	return whoami(ctx, c, session)
}

func whoami(ctx context.Context, c *command.Command, session *authn.Session) error {
	user, err := session.User(ctx)
	if err != nil {
		return err
	}
	token, err := session.Token(ctx)
	if err != nil {
		return err
	}
	fmt.Fprintf(c.Stdout, "%s, %s\n", user.Attributes.Username, strings.Join(user.Attributes.Roles, " "))
	c.Note("the session token is good for %v and renewed after that", time.Until(token.Expiry).Round(time.Second))
	return nil
}

func logout(ctx context.Context, c *command.Command, session *authn.Session) error {
	if session.RefreshToken() == "" {
		if c.Fake() != nil {
			c.Note("nobody was logged in: the fake MangaDex of each run is a new one")
		} else {
			c.Note("nobody was logged in")
		}
		return nil
	}
	if err := session.Logout(ctx); err != nil {
		return fmt.Errorf("the token is forgotten, but the server does not know yet: %w", err)
	}
	c.Note("logged out")
	return nil
}
