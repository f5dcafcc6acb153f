// Emulator is the fake MangaDex of package apitest as a program, for clients in any language.
//
//	go run ./examples/emulator
//	go run ./examples/emulator -addr localhost:8931 -titles 5000 -faults 'GetManga:status=503,count=2;Page:drop,probability=0.1'
//
// It prints its addresses and an account that can log in, and ends on an interrupt or SIGTERM.
package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"text/tabwriter"

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

func run(ctx context.Context, args []string, out io.Writer) error {
	flags := flag.NewFlagSet("emulator", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	addr := flags.String("addr", "", "`address` for everything, such as localhost:8931; by default each host has a port of its own")
	seed := flags.Uint64("seed", 1, "`number` that the catalogue is made from")
	titles := flags.Int("titles", 100, "`number` of titles, 10 to 20000")
	limits := flags.Bool("limits", true, "limit requests as MangaDex does")
	var faults faultsFlag
	flags.Var(&faults, "faults", "what goes wrong: `operation:fault,…;…`, see below")
	switch err := flags.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		fmt.Fprintln(out, "usage: emulator [-addr address] [-seed number] [-titles number] [-limits=false] [-faults faults]\n\nflags:")
		flags.SetOutput(out)
		flags.PrintDefaults()
		fmt.Fprint(out, faultsHelp)
		return err
	case err != nil:
		return &usageError{err}
	case flags.NArg() > 0:
		return &usageError{fmt.Errorf("there is no use for %q", flags.Arg(0))}
	}
	options := []apitest.Option{apitest.WithSeed(*seed), apitest.WithTitles(*titles), apitest.WithFaults(faults...)}
	if *limits {
		options = append(options, apitest.WithLimits())
	}
	if *addr != "" {
		options = append(options, apitest.WithAddr(*addr))
	}
	server, err := apitest.NewServer(options...)
	var busy *net.OpError
	switch {
	case errors.As(err, &busy):
		return fmt.Errorf("cannot listen on %s; choose another -addr: %w", cmp.Or(*addr, "free ports"), busy)
	case err != nil:
		return &usageError{errors.New(strings.TrimPrefix(err.Error(), "apitest: "))}
	}
	defer server.Close()
	if err := introduce(out, server); err != nil {
		return err
	}
	<-ctx.Done()
	return nil
}

// introduce says where the server is and who can log in.
func introduce(out io.Writer, server *apitest.Server) error {
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, line := range [][2]string{
		{"API", server.URL},
		{"realm", server.AuthURL},
		{"covers", server.UploadsURL},
		{"page reports", server.ReportURL},
		{"user name", server.Account.Username},
		{"password", server.Account.Password},
		{"client id", server.Account.ClientID},
		{"client secret", server.Account.ClientSecret},
	} {
		fmt.Fprintf(table, "%s\t%s\n", line[0], line[1])
	}
	return table.Flush()
}
