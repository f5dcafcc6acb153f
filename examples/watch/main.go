// Watch tells of new chapters of the titles that the account follows, each chapter once. Run it
// every now and then, by cron for example, or let it do that itself with -every.
//
//	go run ./examples/watch                                       # on the fake MangaDex
//	go run ./examples/watch -live -format rss -o chapters.xml     # on MangaDex, after examples/login
package main

import (
	"context"
	"io"
	"strings"
	"time"

	"github.com/mangadex-go/mangadex/api"
	"github.com/mangadex-go/mangadex/examples/internal/command"
	"github.com/mangadex-go/mangadex/internal/atomicfile"
)

const usage = `[flags]

Prints the chapters that are new since the last run, which is kept in the state file: each once, in
one version, also those that appear weeks late. If anything goes wrong the state stays as it was, and
the next run tells of the same chapters. Two runs with one state wait for each other. With -format rss
the result is a feed, which also has the chapters of the last runs.`

func main() { command.Main("watch", usage, run) }

func run(ctx context.Context, c *command.Command) error {
	c.LogsIn()
	languages := c.String("language", "en", "tell of chapters in these languages, such as en or en,pt-br: `codes` with commas between; empty for all")
	since := c.Duration("since", 7*24*time.Hour, "how far back the first run looks, a `duration` such as 48h")
	format := c.String("format", "text", "print in this `format`: text, json or rss")
	output := c.String("o", "", "write to this `file` instead of the standard output")
	every := c.Duration("every", 0, "look every now and then until Ctrl-C, a `duration` such as 15m, instead of once")
	statePath := c.String("state", "", "keep what has been told in this `file` (default watch.json in a folder for the server among your settings)")
	if err := c.Parse("language"); err != nil {
		return err
	}
	write, ok := formats[*format]
	switch {
	case !ok:
		return command.Usagef("-format is %q; it can be text, json or rss", *format)
	case c.NArg() > 0:
		return command.Usagef("too much: %s", strings.Join(c.Args(), " "))
	case *every < 0, *every > 0 && *every < time.Second:
		return command.Usagef("-every is %v; it must be a second or more", *every)
	case *since <= 0:
		return command.Usagef("-since is %v; it must be above 0", *since)
	}
	var codes []string // none: all languages
	if *languages != "" {
		var err error
		if codes, err = command.ParseLanguages(*languages); err != nil {
			return err
		}
	}
	client, err := c.ClientWithSession()
	if err != nil {
		return err
	}
	path, err := c.Path(*statePath, "watch.json")
	if err != nil {
		return err
	}
	w := watch{c: c, client: client, path: path, output: *output, write: write, languages: codes, since: *since}
	if *every == 0 {
		c.Unfinished = "the next run tells of the same chapters"
		if err := w.round(ctx); err != nil {
			return err
		}
		c.Unfinished = ""
		return nil
	}
	return w.forever(ctx, *every)
}

// A watch is what every round needs.
type watch struct {
	c            *command.Command
	client       *api.Client
	path, output string // of the state and of the result
	write        func(w io.Writer, news []chapter, after state) error
	languages    []string // none: all
	since        time.Duration
}

// forever makes a round every now and then until ctx ends. A round that fails is told, and the next
// one tells of the same chapters.
func (w *watch) forever(ctx context.Context, every time.Duration) error {
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for {
		if err := w.round(ctx); err != nil {
			if ctx.Err() != nil {
				return err
			}
			w.c.Note("%s; the next attempt is in %v", w.c.Explain(err), every)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-ticker.C:
		}
	}
}

// round tells of what is new.
func (w *watch) round(ctx context.Context) error {
	unlock, err := lock(ctx, w.c, w.path)
	if err != nil {
		return err
	}
	defer unlock()
	before, err := load(w.path)
	if err != nil {
		return err
	}
	now := time.Now().UTC()
	before = before.begun(now, w.since)
	found, err := fetch(ctx, w.client, before.horizon(now), w.languages)
	if err != nil {
		return err
	}
	news := before.news(found, now)
	after := before.with(news, found, now)
	if err := w.c.WriteTo(w.output, func(out io.Writer) error { return w.write(out, news, after) }); err != nil {
		return err
	}
	if err := atomicfile.Write(w.path, 0o666, after.save); err != nil {
		return err
	}
	if len(after.Chapters) == 0 {
		return hint(ctx, w.c, w.client)
	}
	return nil
}

// hint says why there may be nothing to tell.
func hint(ctx context.Context, c *command.Command, client *api.Client) error {
	follows, err := client.ListFollowedManga(ctx, &api.ListFollowedMangaParams{Limit: api.Ptr(1)})
	if err != nil {
		return err
	}
	if follows.Total == 0 {
		c.Note("this account follows no titles")
		return nil
	}
	c.Note("no chapters of the %d titles that this account follows; see -since and -language", follows.Total)
	return nil
}
