// Emulator is the fake MangaDex of package apitest as a program, for clients in any language.
//
//	go run ./examples/emulator
//	go run ./examples/emulator -addr localhost:8931 -titles 5000 -faults 'GetManga:status=503,count=2;Page:drop,probability=0.1'
//
// It prints its addresses, its limits and the accounts that can log in, tells whom it bans and what it
// publishes, and ends on an interrupt or SIGTERM.
package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"text/tabwriter"
	"time"

	"github.com/mangadex-go/mangadex/api/apitest"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	err := run(ctx, os.Args[1:], os.Stdout)
	var usage *usageError
	switch {
	case err == nil, errors.Is(err, flag.ErrHelp):
	case errors.As(err, &usage):
		fmt.Fprintf(os.Stderr, "emulator: %v; see emulator -h\n", err)
		os.Exit(2)
	default:
		fmt.Fprintln(os.Stderr, "emulator:", err)
		os.Exit(1)
	}
}

// A usageError says that the program was called in a wrong way.
type usageError struct{ error }

// settings are what the flags say.
type settings struct {
	addr     string
	limits   bool
	publish  time.Duration
	accounts accountsFlag
	options  []apitest.Option
}

func parse(args []string, out io.Writer) (settings, error) {
	flags := flag.NewFlagSet("emulator", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	var s settings
	flags.StringVar(&s.addr, "addr", "", "`address` for everything, such as localhost:8931; by default each host has a port of its own")
	seed := flags.Uint64("seed", 1, "`number` that the catalogue is made from")
	titles := flags.Int("titles", 100, "`number` of titles, 10 to 20000")
	hard := flags.Bool("hard", true, "add titles that programs get wrong: several versions of a number, no numbers, hostile names and the like")
	long := flags.Int("long", 0, "add a title with this `number` of chapters")
	flags.BoolVar(&s.limits, "limits", true, "limit requests as MangaDex does, and ban who goes on")
	flags.Func("publish", "publish a new chapter in each such `time`, such as 30s, of titles that accounts follow if there are any", func(text string) (err error) {
		if s.publish, err = time.ParseDuration(text); err != nil {
			return errors.New("it is a time with its unit, such as 30s")
		}
		return nil
	})
	flags.Var(&s.accounts, "account", "add an account, as `name` or name:ROLE_MEMBER,ROLE_STAFF; may be given several times")
	var faults faultsFlag
	flags.Var(&faults, "faults", "what goes wrong: `operation:fault,…;…`, see below")
	switch err := flags.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		fmt.Fprintln(out, "usage: emulator [-addr address] [-titles number] [-limits=false] [-publish time] [-account name:roles] [-faults faults] [more flags]\n\nflags:")
		flags.SetOutput(out)
		flags.PrintDefaults()
		fmt.Fprint(out, faultsHelp)
		return s, err
	case err != nil:
		return s, &usageError{err}
	case flags.NArg() > 0:
		return s, &usageError{fmt.Errorf("there is no use for the argument %q; leave it out", flags.Arg(0))}
	case s.publish < 0:
		return s, &usageError{fmt.Errorf("-publish is %v; it cannot be negative", s.publish)}
	}
	s.options = []apitest.Option{apitest.WithSeed(*seed), apitest.WithTitles(*titles), apitest.WithLongTitle(*long), apitest.WithFaults(faults...)}
	if *hard {
		s.options = append(s.options, apitest.WithHardCases())
	}
	if s.limits {
		s.options = append(s.options, apitest.WithLimits())
	}
	if s.addr != "" {
		s.options = append(s.options, apitest.WithAddr(s.addr))
	}
	for _, account := range s.accounts {
		s.options = append(s.options, apitest.WithAccount(account))
	}
	return s, nil
}

func run(ctx context.Context, args []string, out io.Writer) error {
	s, err := parse(args, out)
	if err != nil {
		return err
	}
	logger := slog.New(slog.NewTextHandler(out, nil))
	server, err := apitest.NewServer(append(s.options, apitest.WithLogger(logger))...)
	var busy *net.OpError
	switch {
	case errors.As(err, &busy):
		return fmt.Errorf("cannot listen on %s; choose another -addr: %w", cmp.Or(s.addr, "free ports"), busy)
	case err != nil:
		return &usageError{errors.New(strings.TrimPrefix(err.Error(), "apitest: "))}
	}
	defer server.Close()
	names := []string{server.Account.Username}
	for _, account := range s.accounts {
		names = append(names, account.Username)
	}
	if err := introduce(out, server, names); err != nil {
		return err
	}
	if s.publish > 0 {
		return publish(ctx, server, s.publish, names, logger)
	}
	<-ctx.Done()
	return nil
}

// introduce says where the server is, what its limits are and who can log in.
func introduce(out io.Writer, server *apitest.Server, names []string) error {
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	limits := "off"
	if text := server.Limits(); text != "" {
		limits = text + "; -limits=false turns them off"
	}
	lines := [][2]string{
		{"API", server.URL},
		{"realm", server.AuthURL},
		{"covers", server.UploadsURL},
		{"page reports", server.ReportURL},
		{"limits", limits},
	}
	for _, name := range names {
		account, _ := server.State().Account(name)
		lines = append(lines, [2]string{"user name", account.Username}, [2]string{"password", account.Password},
			[2]string{"client id", account.ClientID}, [2]string{"client secret", account.ClientSecret})
	}
	for _, line := range lines {
		fmt.Fprintf(table, "%s\t%s\n", line[0], line[1])
	}
	return table.Flush()
}
