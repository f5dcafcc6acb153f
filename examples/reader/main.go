// Reader is a web reader for the own computer: it searches titles, shows their chapters and lets
// the browser turn their pages, with the keyboard alone or on a phone. With a login it follows
// titles, keeps their reading status and marks what was read.
//
//	go run ./examples/reader          # on the fake MangaDex in this program, without a network
//	go run ./examples/reader -live    # on MangaDex
//
// The browser talks to this program alone. Pages and covers pass through it, and the login stays
// in it.
package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/mangadex-go/mangadex/api"
	"github.com/mangadex-go/mangadex/api/reading"
	"github.com/mangadex-go/mangadex/api/transport"
	"github.com/mangadex-go/mangadex/authn"
	"github.com/mangadex-go/mangadex/examples/internal/command"
	"github.com/mangadex-go/mangadex/examples/internal/web"
)

const usage = `[flags]

Serves a web reader until Ctrl-C. Without -live it shows an invented catalogue, and its account is
logged in. It can be used without a login. To log in, use examples/login, or the form in the browser:
it asks for name and password, while the personal client, if there is one, comes from -credentials or
from MANGADEX_CLIENT_ID and MANGADEX_CLIENT_SECRET.`

func main() { command.Main("reader", usage, run) }

func run(ctx context.Context, c *command.Command) error {
	c.LogsIn()
	addr := c.String("addr", "127.0.0.1:8080", "listen on this `address`; with port 0 a free one is chosen")
	language := c.String("language", "en", "begin with the language of this `code`, such as en or pt-br")
	saver := c.Bool("data-saver", false, "show the smaller versions of the pages")
	if err := c.Parse(); err != nil {
		return err
	}
	host, _, err := net.SplitHostPort(*addr)
	switch {
	case c.NArg() > 0:
		return command.Usagef("%q is not a flag", c.Arg(0))
	case err != nil:
		return command.Usagef("-addr %q is not a host and a port like 127.0.0.1:8080", *addr)
	case *language != anyLanguage && !reading.IsLanguage(*language):
		return command.Usagef("-language %q is not a code like en or pt-br", *language)
	}

	session, err := c.Session()
	if errors.Is(err, authn.ErrDamaged) {
		c.Note("log in again: %v", err) // the file was set aside, so that the next login does not overwrite it
		session, err = c.Session()
	}
	if err != nil {
		return err
	}
	const patience = 20 * time.Second // of a person, while requests wait for the limits
	client, err := c.Client(authn.Use(session), api.WithTransport(transport.WithMaxWait(patience)))
	if err != nil {
		return err
	}
	images, err := newImages(client, hostsOf(c, client), *saver)
	if err != nil {
		return err
	}
	defer images.Close()
	s := &server{client: client, session: session, images: images, language: *language, host: host, note: c.Note}
	if fake := c.Fake(); fake != nil {
		s.demo = &fake.Account
	}
	if err := s.load(); err != nil {
		return err
	}
	listener, err := net.Listen("tcp", *addr)
	if err != nil {
		// It is not wrapped: an unknown host in it would be taken for that of MangaDex.
		return fmt.Errorf("cannot listen on %s; choose another -addr, such as 127.0.0.1:0: %s", *addr, innermost(err).Error())
	}
	if !listener.Addr().(*net.TCPAddr).IP.IsLoopback() {
		c.Note("everybody who can reach %s reads with your login", listener.Addr())
	}
	if _, err := fmt.Fprintf(c.Stdout, "http://%s/ (Ctrl-C ends it)\n", listener.Addr()); err != nil {
		return err // without the address it is of no use
	}
	return web.Serve(ctx, listener, s.handler())
}

// hostsOf are the hosts of images beside the server of the client, if it is not MangaDex's own.
func hostsOf(c *command.Command, client *api.Client) hosts {
	if fake := c.Fake(); fake != nil {
		return hosts{fake.UploadsURL, fake.ReportURL}
	}
	if client.Server() == api.Production {
		return hosts{}
	}
	return hosts{client.Server() + "/uploads", client.Server() + "/network/report"} // as in examples/emulator
}

// innermost is the error without what the layers above say of it.
func innermost(err error) error {
	for {
		inner := errors.Unwrap(err)
		if inner == nil {
			return err
		}
		err = inner
	}
}
