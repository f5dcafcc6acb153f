// Library exports what an account keeps on MangaDex, and imports it again, into another account for
// example.
//
//	go run ./examples/library                             # a table of the fake MangaDex
//	go run ./examples/library -live -o mine.json export   # from MangaDex, after examples/login
//	go run ./examples/library -live -dry-run import mine.json
package main

import (
	"context"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"github.com/mangadex-go/mangadex/api"
	"github.com/mangadex-go/mangadex/api/library"
	"github.com/mangadex-go/mangadex/examples/internal/command"
)

const usage = `[flags] [export | import file]

  export  writes the followed titles with reading status, rating, read chapters and statistics;
          this is the default
  import  reads a JSON or CSV file of export, and follows titles, sets status and rating and marks
          chapters as read as it says; it takes nothing away, and what is so already is left alone.
          The failure of a title does not end it, and the same command does what is left

Exporting 1,000 titles takes at most 35 requests. A CSV file is for programs that show tables, and may
have been saved by one; it has only the number of read chapters, so use JSON to keep which ones.`

func main() { command.Main("library", usage, run) }

func run(ctx context.Context, c *command.Command) error {
	c.LogsIn()
	format := c.String("format", "", "export in this `format`: table, csv or json (default that of the name of the file of -o, or table)")
	output := c.String("o", "", "export to this `file` instead of the standard output")
	unfollowed := c.Bool("unfollowed", false, "export titles with a reading status that are not followed, too")
	dryRun := c.Bool("dry-run", false, "show what import would change, and change nothing")
	if err := c.Parse(); err != nil {
		return err
	}
	var work func(client *api.Client) error
	switch action := c.Arg(0); {
	case action == "import" && c.NArg() == 2:
		wanted, err := readFile(c.Arg(1))
		if err != nil {
			return err
		}
		c.Unfinished = "nothing is lost, and the same command goes on"
		work = func(client *api.Client) error { return restore(ctx, c, client, wanted, *dryRun) }
	case action == "import":
		return command.Usagef("import needs the name of one file")
	case action == "" || action == "export" && c.NArg() == 1:
		write, err := formatFor(*format, *output)
		if err != nil {
			return err
		}
		work = func(client *api.Client) error { return export(ctx, c, client, *unfollowed, *output, write) }
	default:
		return command.Usagef("%q is neither export nor import with a file", strings.Join(c.Args(), " "))
	}

	client, err := c.ClientWithSession()
	if err != nil {
		return err
	}
	return work(client)
}

// formatFor returns the format of that name, or else the one that the name of a file ends in.
func formatFor(name, file string) (func(io.Writer, []record) error, error) {
	if name == "" {
		if name = strings.TrimPrefix(filepath.Ext(file), "."); formats[name] == nil {
			name = "table"
		}
	}
	write, ok := formats[name]
	if !ok {
		return nil, command.Usagef("-format is %q; it can be table, csv or json", name)
	}
	return write, nil
}

func export(ctx context.Context, c *command.Command, client *api.Client, unfollowed bool, output string, write func(io.Writer, []record) error) error {
	var options []library.Option
	if unfollowed {
		options = append(options, library.WithUnfollowed())
	}
	titles, err := library.Read(ctx, client, options...)
	if err != nil {
		return err
	}
	if len(titles) == 0 {
		if err := hint(ctx, c, client); err != nil {
			return err
		}
	}
	records := make([]record, len(titles))
	for i := range titles {
		records[i] = describe(&titles[i])
	}
	return c.WriteTo(output, func(w io.Writer) error { return write(w, records) })
}

// hint says why there is nothing to export.
func hint(ctx context.Context, c *command.Command, client *api.Client) error {
	statuses, err := client.ListReadingStatuses(ctx, nil)
	if err != nil {
		return err
	}
	if n := len(statuses.Statuses); n > 0 {
		c.Note("this account follows no titles, but %d have a reading status; export them with -unfollowed", n)
		return nil
	}
	c.Note("this account follows no titles")
	return nil
}

func readFile(path string) ([]record, error) {
	content, err := command.ReadFile(path)
	if err != nil {
		return nil, err
	}
	records, err := parse(content)
	if err != nil {
		return nil, fmt.Errorf("%s: %w; nothing was changed", path, err)
	}
	return records, nil
}
