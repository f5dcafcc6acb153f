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
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/mangadex-go/mangadex/api"
	"github.com/mangadex-go/mangadex/api/apitest"
	"github.com/mangadex-go/mangadex/api/transport"
	"github.com/mangadex-go/mangadex/authn"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "reader:", err)
		os.Exit(status(err))
	}
}

// status is what the program ends with after an error.
func status(err error) int {
	if errors.As(err, new(*usageError)) {
		return 2
	}
	return 1
}

const userAgent = "reader-example"

const usage = `usage: reader [flags]

Serves a web reader until Ctrl-C. Without -live it shows an invented catalogue.

With -live a login takes the personal client of your account from MANGADEX_CLIENT_ID
and MANGADEX_CLIENT_SECRET. Without them it is the old login of MangaDex, which knows
accounts from before December 2022 only. The password is asked for in the browser, or
taken from MANGADEX_USERNAME and MANGADEX_PASSWORD.

Exit status: 0 after Ctrl-C, 1 if it cannot serve, 2 for a wrong flag.

`

// A usageError is a mistake on the command line.
type usageError struct{ error }

// A config is what the flags say.
type config struct {
	addr, language, state, server string
	live, saver                   bool
}

func parse(args []string, out io.Writer) (config, error) {
	var c config
	flags := flag.NewFlagSet("reader", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	flags.StringVar(&c.addr, "addr", "127.0.0.1:8080", "`address` to listen on; with port 0 a free one is chosen")
	flags.BoolVar(&c.live, "live", false, "read from MangaDex")
	flags.StringVar(&c.server, "server", "", "read from a fake MangaDex at this `URL`, such as that of examples/emulator")
	flags.StringVar(&c.language, "language", "en", "`code` of the language to begin with, such as en or pt-br")
	flags.StringVar(&c.state, "state", stateFile(), "`file` that keeps the login, with -live and -server")
	flags.BoolVar(&c.saver, "data-saver", false, "show the smaller versions of the pages")
	switch err := flags.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		fmt.Fprint(out, usage)
		flags.SetOutput(out)
		flags.PrintDefaults()
		return c, err
	case err != nil:
		return c, &usageError{fmt.Errorf("%w; see -h", err)}
	case flags.NArg() > 0:
		return c, &usageError{fmt.Errorf("%q is not a flag; see -h", flags.Arg(0))}
	case c.live && c.server != "":
		return c, &usageError{errors.New("-live and -server exclude each other; see -h")}
	case c.server != "" && !isURL(c.server):
		return c, &usageError{fmt.Errorf("-server %q is not an address like http://localhost:4000", c.server)}
	case !isLanguage(c.language):
		return c, &usageError{fmt.Errorf("-language %q is not a code like en or pt-br", c.language)}
	case c.state == "" && (c.live || c.server != ""):
		return c, &usageError{errors.New("there is no folder for settings here; say with -state where to keep the login")}
	}
	return c, nil
}

func isURL(text string) bool {
	u, err := url.Parse(text)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != ""
}

// stateFile is where the login is kept, empty where the system has no place for it.
func stateFile() string {
	dir, err := os.UserConfigDir()
	if err != nil {
		return ""
	}
	return filepath.Join(dir, "mangadex-reader", "login.json")
}

func run(ctx context.Context, args []string, out io.Writer) error {
	c, err := parse(args, out)
	if errors.Is(err, flag.ErrHelp) {
		return nil
	}
	if err != nil {
		return err
	}
	var from upstream
	switch {
	case c.live:
		from = upstream{api: api.Production}
	case c.server != "":
		from = emulator(c.server)
	default:
		fake, err := apitest.NewServer()
		if err != nil {
			return err
		}
		defer fake.Close()
		from = upstream{api: fake.URL, auth: fake.AuthURL, uploads: fake.UploadsURL, reports: fake.ReportURL, demo: &fake.Account}
	}
	return serve(ctx, c, from, out)
}

// An upstream is a MangaDex. Hosts that are empty are those of the real one.
type upstream struct {
	api, auth, uploads, reports string
	demo                        *apitest.Account // of the fake one in this program
}

// emulator is a fake MangaDex with everything at one address.
func emulator(server string) upstream {
	server = strings.TrimRight(server, "/")
	return upstream{api: server, auth: server + "/realms/mangadex", uploads: server + "/uploads", reports: server + "/network/report"}
}

// serve serves until ctx ends.
func serve(ctx context.Context, c config, from upstream, out io.Writer) error {
	session, warning, err := newSession(c, from)
	if err != nil {
		return err
	}
	defer session.Close()
	logger := log.New(out, "", 0)
	if warning != "" {
		logger.Print(warning)
	}
	polite := []transport.Option{transport.WithUserAgent(userAgent), transport.WithMaxWait(20 * time.Second)} // a person waits
	if from.api != api.Production {
		polite = append(polite, transport.WithoutRateLimit()) // it is a fake on the own machine
	}
	client, err := api.New(from.api, authn.Use(session), api.WithTransport(polite...))
	if err != nil {
		return err
	}
	images, err := newImages(client, from, c.saver)
	if err != nil {
		return err
	}
	defer images.Close()
	listener, err := net.Listen("tcp", c.addr)
	if err != nil {
		return fmt.Errorf("cannot listen on %s; choose another -addr, such as 127.0.0.1:0: %w", c.addr, innermost(err))
	}
	defer listener.Close()
	s, err := newServer(client, session, images, c, from.demo, logger)
	if err != nil {
		return err
	}
	if ip := listener.Addr().(*net.TCPAddr).IP; !ip.IsLoopback() {
		logger.Printf("everybody who can reach %s reads with your login", listener.Addr())
	}
	logger.Printf("http://%s/ (Ctrl-C ends it)", listener.Addr())

	web := &http.Server{
		Handler: s.handler(), ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute,
		ErrorLog: log.New(io.Discard, "", 0), // it tells of browsers that went away
	}
	ended := make(chan error, 1)
	go func() { ended <- web.Serve(listener) }()
	select {
	case err = <-ended:
	case <-ctx.Done():
		// What a click has set off may end: a login, a follow.
		grace, cancel := context.WithTimeout(context.Background(), 3*time.Second)
		defer cancel()
		if web.Shutdown(grace) != nil {
			web.Close()
		}
		err = <-ended
		logger.Print("stopped")
	}
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
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
