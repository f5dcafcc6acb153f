// Quickstart searches for a title, lists its chapters and prints the addresses of the pages of one.
//
//	go run ./examples/quickstart              # on the fake MangaDex, without a network
//	go run ./examples/quickstart -live cat    # on MangaDex
package main

import (
	"bufio"
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
	"text/tabwriter"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/mangadex-go/mangadex/api"
	"github.com/mangadex-go/mangadex/api/apitest"
	"github.com/mangadex-go/mangadex/api/reading"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	err := run(ctx, os.Args[1:], os.Stdout)
	var usage *usageError
	switch {
	case err == nil, errors.Is(err, flag.ErrHelp):
	case errors.As(err, &usage):
		fmt.Fprintf(os.Stderr, "quickstart: %v; see quickstart -h\n", err)
		os.Exit(2)
	case ctx.Err() != nil:
		fmt.Fprintln(os.Stderr, "quickstart: interrupted")
		os.Exit(130)
	default:
		fmt.Fprintln(os.Stderr, "quickstart:", err)
		os.Exit(1)
	}
}

// A usageError says that the program was called in a wrong way.
type usageError struct{ error }

func run(ctx context.Context, args []string, out io.Writer) error {
	flags := flag.NewFlagSet("quickstart", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	live := flags.Bool("live", false, "ask MangaDex instead of the fake one in this program")
	language := flags.String("language", "en", "`code` of the language of titles and chapters")
	if err := flags.Parse(args); errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(out, "usage: quickstart [-live] [-language code] [title]\n\nflags:")
		flags.SetOutput(out)
		flags.PrintDefaults()
		return err
	} else if err != nil {
		return &usageError{err}
	}
	for _, arg := range flags.Args() {
		if strings.HasPrefix(arg, "-") {
			return &usageError{fmt.Errorf("%s comes too late; flags go before the title", arg)}
		}
	}
	if !reading.IsLanguage(*language) {
		return &usageError{fmt.Errorf("-language is %q; it is a code such as en or pt-br", *language)}
	}
	title := strings.Join(flags.Args(), " ")

	server := api.Production
	if !*live {
		fake, err := apitest.NewServer()
		if err != nil {
			return err
		}
		defer fake.Close()
		server = fake.URL
	}
	client, err := api.New(server, api.WithUserAgent("quickstart"))
	if err != nil {
		return err
	}
	buffer := bufio.NewWriter(out) // it remembers what could not be written
	err = show(ctx, client, title, *language, buffer)
	if cause := network(err); cause != nil {
		err = fmt.Errorf("MangaDex cannot be reached; check the network, or run without -live: %w", cause)
	}
	lost := buffer.Flush()
	return cmp.Or(err, lost)
}

// show is what a program with this library looks like.
func show(ctx context.Context, client *api.Client, title, language string, out io.Writer) error {
	params := &api.SearchMangaParams{
		Limit:                       api.Ptr(10),
		AvailableTranslatedLanguage: []string{language},
		HasAvailableChapters:        api.Ptr(api.Yes),
		Includes:                    []api.Include{api.IncludeAuthor},
		Order:                       api.MangaOrder{}.LatestUploadedChapter(api.Desc),
	}
	if title != "" {
		params.Title = &title
		params.Order = api.MangaOrder{}.Relevance(api.Desc)
	}
	found, err := client.SearchManga(ctx, params)
	if err != nil {
		return err
	}
	switch {
	case len(found.Data) > 0:
	case title == "":
		return fmt.Errorf("there is no title with chapters in %q; try another -language", language)
	default:
		return fmt.Errorf("no title matches %q with chapters in %q; try another word or -language", title, language)
	}
	fmt.Fprintf(out, "%d of %d titles:\n", len(found.Data), found.Total)
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, manga := range found.Data {
		author := ""
		if authors := manga.Relationships.Authors(); len(authors) > 0 && authors[0].Attributes != nil {
			author = authors[0].Attributes.Name
		}
		fmt.Fprintf(table, "  %s\t%s\t%s\n", manga.ID, shorten(manga.Attributes.Title.In(language)), author)
	}
	if err := table.Flush(); err != nil {
		return err
	}

	manga, err := client.GetManga(ctx, found.Data[0].ID, nil)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "\n%s\n", manga.Data.Attributes.Title.In(language))
	readable := uuid.Nil
	feed := &api.GetMangaFeedParams{
		TranslatedLanguage: []string{language},
		Order:              api.ChapterOrder{}.Volume(api.Asc).Chapter(api.Asc),
	}
	for chapter, err := range client.GetMangaFeedAll(ctx, manga.Data.ID, feed) {
		if err != nil {
			return err
		}
		a := chapter.Attributes
		pages := fmt.Sprintf("%d pages", a.Pages)
		if a.ExternalURL != nil {
			pages = "on another site"
		}
		fmt.Fprintf(out, "  chapter %s, %s, %s\n", orNone(a.Chapter), pages, a.ReadableAt.Format("2006-01-02"))
		if readable == uuid.Nil && a.Pages > 0 && a.ExternalURL == nil {
			readable = chapter.ID
		}
	}
	if readable == uuid.Nil {
		fmt.Fprintln(out, "none of them can be read here")
		return nil
	}

	node, err := client.GetAtHomeServer(ctx, readable, nil)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "\nthe pages of chapter %s:\n", readable)
	for _, page := range node.Chapter.Data {
		fmt.Fprintf(out, "  %s/data/%s/%s\n", node.BaseURL, node.Chapter.Hash, page)
	}
	return nil
}

func orNone(text *string) string {
	if text == nil {
		return "–"
	}
	return cmp.Or(*text, "–")
}

func shorten(text string) string {
	const longest = 50
	if utf8.RuneCountInString(text) <= longest {
		return text
	}
	return string([]rune(text)[:longest-1]) + "…"
}

// network is what the network says that is wrong, nil if it is something else.
func network(err error) error {
	var op *net.OpError
	var dns *net.DNSError
	switch {
	case errors.As(err, &op):
		return op
	case errors.As(err, &dns):
		return dns
	}
	return nil
}
