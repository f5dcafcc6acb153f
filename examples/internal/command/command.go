// Package command is what the examples share: whom they talk to, who is logged in, and how they
// end. It is short on purpose, so that a program that begins as a copy of an example can take what
// it needs of it along.
package command

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
	"time"

	"golang.org/x/term"

	"github.com/mangadex-go/mangadex/api/apitest"
	"github.com/mangadex-go/mangadex/api/cli"
	"github.com/mangadex-go/mangadex/authn"
	"github.com/mangadex-go/mangadex/internal/origin"
)

// What a program returns to the shell.
const (
	succeeded   = 0
	failed      = 1
	wrongUsage  = 2
	interrupted = 130 // as shells have it for Ctrl-C
)

// A Command is a run of a program. Define flags on it, then call [Command.Parse].
type Command struct {
	*flag.FlagSet
	Stdin  *os.File
	Stdout *cli.Output // takes results
	Stderr io.Writer   // takes everything else

	// Unfinished is what to know when the program ends too soon, such as how to go on.
	Unfinished string

	args                []string
	usage               string
	live, unlimited     *bool
	server              *string
	credentials, tokens *string // nil in a program that does not log in
	fake                *apitest.Server
	session             *authn.Session
	prompt              *cli.Prompt // on Stdin
}

// Main runs a program and ends it, with a status and, where there is an error, with one line on
// stderr. The first line of the usage is that of the arguments, such as "[flags] folder". The first
// Ctrl-C ends the context, the second one the program. The context ends, too, when nobody reads the
// output any more, so that the program can clear up.
func Main(name, usage string, run func(context.Context, *Command) error) {
	ctx, stop := signal.NotifyContext(context.Background(), endings()...)
	context.AfterFunc(ctx, stop)
	keepAliveWithoutReader()
	written, cancel := context.WithCancel(ctx)
	defer cancel()
	c := &Command{
		FlagSet: flag.NewFlagSet(name, flag.ContinueOnError),
		Stdin:   os.Stdin, Stdout: cli.NewOutput(os.Stdout, cancel), Stderr: os.Stderr,
		args: os.Args[1:], usage: usage,
	}
	c.live = c.Bool("live", false, "talk to MangaDex instead of the fake one in this program")
	c.server = c.String("server", "", "talk to the server at this `address`, such as that of examples/emulator, or https://api.mangadex.dev")
	c.unlimited = c.Bool("unlimited", false, "send requests to -server as fast as they come, for one of your own that has no limits")
	err := run(written, c)
	if lost := c.Stdout.Err(); lost != nil { // whose end is that of the program
		err = lost
	}
	if closeErr := c.close(); err == nil {
		err = closeErr
	}
	status, line := c.outcome(ctx, err)
	if line != "" {
		fmt.Fprintln(c.Stderr, name+": "+strings.TrimPrefix(line, name+": "))
	}
	os.Exit(status)
}

// close ends what the program has begun. A login that could not be kept is an error.
func (c *Command) close() (err error) {
	if c.session != nil {
		err = c.session.Close()
	}
	if c.fake != nil {
		c.fake.Close()
	}
	return err
}

// Parse reads the flags. Those that mean something when they are empty are named. The error is for
// [Main].
func (c *Command) Parse(mayBeEmpty ...string) error {
	c.SetOutput(io.Discard)
	err := c.FlagSet.Parse(c.args)
	switch {
	case errors.Is(err, flag.ErrHelp):
		c.SetOutput(c.Stdout)
		fmt.Fprintf(c.Stdout, "usage: %s %s\n\nflags:\n", c.Name(), strings.TrimSpace(c.usage))
		c.PrintDefaults()
		return err
	case err != nil:
		return Usagef("%w%s", err, c.hint(err))
	}
	if err := c.check(mayBeEmpty); err != nil {
		return err
	}
	switch {
	case *c.live && *c.server != "":
		return Usagef("-live and -server exclude each other")
	case *c.unlimited && *c.server == "":
		return Usagef("-unlimited is for a -server of your own")
	case *c.server != "":
		if _, err := origin.Parse(*c.server, "http://localhost:8931"); err != nil {
			return Usagef("-server %w", err)
		}
	}
	for _, arg := range c.Args() {
		name, _, _ := strings.Cut(strings.TrimLeft(arg, "-"), "=")
		if strings.TrimSpace(arg) == "" {
			return Usagef("an argument is empty; give it a value, or leave it out")
		}
		if strings.HasPrefix(arg, "-") && (c.Lookup(name) != nil || name == "h" || name == "help") {
			return Usagef("%s comes too late; flags go before everything else", arg)
		}
	}
	return nil
}

// check refuses what is a slip of a script: a flag whose variable is not set, which would stand for the
// default, and a file for two things, of which the later would take the place of the earlier.
func (c *Command) check(mayBeEmpty []string) (err error) {
	var files []*flag.Flag
	c.Visit(func(f *flag.Flag) {
		if f.Value.String() == "" && !slices.Contains(mayBeEmpty, f.Name) && err == nil {
			err = Usagef("-%s is empty; give it a value, or leave it out", f.Name)
		}
		if kind, _ := flag.UnquoteUsage(f); kind != "file" {
			return
		}
		for _, other := range files {
			if sameFile(f.Value.String(), other.Value.String()) && err == nil {
				err = Usagef("-%s and -%s are the same file; give each its own", other.Name, f.Name)
			}
		}
		files = append(files, f)
	})
	return err
}

// hint says what the flag package does not of an error of its own: what a duration looks like.
func (c *Command) hint(err error) (hint string) {
	c.VisitAll(func(f *flag.Flag) {
		value, ok := f.Value.(flag.Getter)
		if !ok || !strings.Contains(err.Error(), " for flag -"+f.Name+": ") {
			return
		}
		if _, ok := value.Get().(time.Duration); ok {
			hint = "; it is a time with its unit, such as 90s or 15m"
		}
	})
	return hint
}

// Note tells the user something, in a line of its own.
func (c *Command) Note(format string, args ...any) {
	fmt.Fprintln(c.Stderr, cli.OneLine(cli.Linef(format, args...)))
}

// Print writes a line of [cli.Linef] to Stdout.
func (c *Command) Print(format string, args ...any) {
	fmt.Fprintln(c.Stdout, cli.Linef(format, args...))
}

// Bar returns a bar on stderr, nil if that is not a terminal or one that cannot erase.
func (c *Command) Bar() *cli.Bar {
	if f, ok := c.Stderr.(*os.File); ok && term.IsTerminal(int(f.Fd())) && os.Getenv("TERM") != "dumb" {
		return cli.NewBar(f)
	}
	return nil
}

// AskSecret asks for a secret and reads a line of Stdin. A terminal does not show what is typed.
func (c *Command) AskSecret(ctx context.Context, what string) (string, error) {
	if c.prompt == nil {
		c.prompt = cli.NewPrompt(c.Stdin, c.Stderr)
	}
	return c.prompt.Secret(ctx, what)
}

// Explain says in one line what is wrong and what to do.
func (c *Command) Explain(err error) string {
	hints := cli.Hints{Server: c.host(), LogIn: "with examples/login"}
	if *c.server != "" {
		hints.Banned = "for a server of your own, see -limits of examples/emulator"
	}
	return cli.Explain(err, hints)
}

// ParseLanguages reads a flag as [cli.ParseLanguages] does.
func ParseLanguages(text string) ([]string, error) {
	codes, err := cli.ParseLanguages(text)
	if err != nil {
		return nil, Usagef("%w", err)
	}
	return codes, nil
}

// Usagef returns an error that says that the program was called in a wrong way.
func Usagef(format string, args ...any) error { return &usageError{fmt.Errorf(format, args...)} }

type usageError struct{ error }

func (e *usageError) Unwrap() error { return e.error }

// outcome is how a program ends.
func (c *Command) outcome(ctx context.Context, err error) (status int, line string) {
	var usage *usageError
	switch {
	case err == nil, errors.Is(err, flag.ErrHelp):
		return succeeded, ""
	case errors.As(err, &usage):
		return wrongUsage, cli.OneLine(err.Error()) + "; see " + c.Name() + " -h"
	case ctx.Err() != nil:
		status, line = interrupted, "interrupted"
	default:
		status, line = failed, c.Explain(err)
	}
	if c.Unfinished != "" {
		line += "; " + c.Unfinished
	}
	return status, line
}
