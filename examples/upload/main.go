// Upload publishes a chapter: the pictures of a folder or of an archive, in natural order.
//
//	go run ./examples/upload -accept-terms -chapter 1 pages             # to the fake MangaDex
//	go run ./examples/upload -live -accept-terms -manga https://mangadex.org/title/… -chapter 1 pages
package main

import (
	"archive/zip"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/google/uuid"
	"github.com/oapi-codegen/nullable"

	"github.com/mangadex-go/mangadex/api"
	"github.com/mangadex-go/mangadex/api/upload"
	"github.com/mangadex-go/mangadex/examples/internal/command"
)

const usage = `[flags] -accept-terms folder|archive.cbz

Pages are JPEG, PNG or GIF files, which are checked before anything is sent. The terms of uploading
are at https://mangadex.org/compliance; read them, then say -accept-terms. MangaDex has a title for
trials, f9c33607-9180-4ba6-b85c-e4b5faee7192.

An account has one open upload at most. After an interruption the pages that were sent stay there,
and the same command goes on with -resume, or begins anew with -replace.`

func main() { command.Main("upload", usage, run) }

// A job is what to upload.
type job struct {
	manga           uuid.UUID
	groups          []uuid.UUID
	draft           api.ChapterDraft
	resume, replace bool
}

func run(ctx context.Context, c *command.Command) error {
	var j job
	c.LogsIn()
	accepted := c.Bool("accept-terms", false, "I have read https://mangadex.org/compliance and accept the terms")
	manga := c.String("manga", "", "upload to this title: its `id` or a link to it; the fake MangaDex in this program has a title of its own")
	groups := c.String("groups", "", "the `ids` of the groups that made the chapter, with commas between")
	chapter := c.String("chapter", "", "the `number` of the chapter, such as 12 or 12.5; empty for a oneshot")
	volume := c.String("volume", "", "the `number` of the volume, if there is one")
	title := c.String("title", "", "the `title` of the chapter, if there is one")
	c.StringVar(&j.draft.TranslatedLanguage, "language", "en", "the `code` of the language of the chapter")
	c.BoolVar(&j.resume, "resume", false, "go on with the open upload of the account, which is for the groups that it was begun with")
	c.BoolVar(&j.replace, "replace", false, "throw the open upload of the account away")
	if err := c.Parse(); err != nil {
		return err
	}
	switch {
	case c.NArg() != 1 || c.Arg(0) == "":
		return command.Usagef("name one folder or archive")
	case !*accepted:
		return command.Usagef("read the terms at https://mangadex.org/compliance, then say -accept-terms")
	case j.resume && j.replace:
		return command.Usagef("-resume and -replace exclude each other")
	}
	if err := j.fill(*manga, *groups, *chapter, *volume, *title); err != nil {
		return err
	}
	pages, err := open(c.Arg(0))
	if err != nil {
		return err
	}
	defer pages.close() //nolint:errcheck // it was only read

	client, err := c.ClientWithSession()
	if err != nil {
		return err
	}
	if *manga == "" {
		if c.Fake() == nil {
			return command.Usagef("-manga is missing: the id of a title, or a link to it")
		}
		j.manga = c.Fake().State().Manga()[0].ID
	}
	return j.publish(ctx, c, client, pages)
}

// number is what the API takes for the number of a chapter or volume.
var number = regexp.MustCompile(`^((0|[1-9]\d*)(\.\d+)?[a-z]?)?$`)

// fill checks what was given, before anything is sent.
func (j *job) fill(manga, groups, chapter, volume, title string) error {
	if manga != "" {
		id, kind, ok := command.ParseID(manga)
		if !ok || kind != "" && kind != "title" {
			return command.Usagef("-manga: %q is not the id of a title nor a link to one", manga)
		}
		j.manga = id
	}
	for _, group := range strings.FieldsFunc(groups, func(r rune) bool { return r == ',' || r == ' ' }) {
		id, kind, ok := command.ParseID(group)
		if !ok || kind != "" && kind != "group" {
			return command.Usagef("-groups: %q is not the id of a group", group)
		}
		j.groups = append(j.groups, id)
	}
	for flag, value := range map[string]string{"-chapter": chapter, "-volume": volume} {
		if !number.MatchString(value) || len(value) > 8 {
			return command.Usagef("%s is %q; it is a number like 12, 12.5 or 12b", flag, value)
		}
	}
	if n := utf8.RuneCountInString(title); n > 255 {
		return command.Usagef("-title has %d characters; it can have 255", n)
	}
	if languages, err := command.ParseLanguages(j.draft.TranslatedLanguage); err != nil {
		return err
	} else if len(languages) != 1 {
		return command.Usagef("a chapter has one -language")
	}
	j.draft.Chapter, j.draft.Volume, j.draft.Title = valueOrNull(chapter), valueOrNull(volume), valueOrNull(title)
	return nil
}

func valueOrNull(text string) nullable.Nullable[string] {
	if text == "" {
		return api.Null[string]()
	}
	return api.Value(text)
}

// A book is where pages come from.
type book struct {
	fs.FS
	patterns []string // of the names of pages; none: everything is a page
	close    func() error
}

// open opens a folder or an archive. An archive also has a ComicInfo.xml, which is no page.
func open(path string) (*book, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if info.IsDir() {
		entries, err := os.ReadDir(path)
		if err != nil {
			return nil, err
		}
		for _, entry := range entries {
			if entry.IsDir() && !strings.HasPrefix(entry.Name(), ".") {
				return nil, fmt.Errorf("%s has the folder %q in it; name a folder that has only pages", path, entry.Name())
			}
		}
		return &book{FS: os.DirFS(path), close: func() error { return nil }}, nil
	}
	archive, err := zip.OpenReader(path)
	if err != nil {
		return nil, fmt.Errorf("%s is neither a folder nor a comic book archive: %w", path, err)
	}
	const pages = "*.[^xX]*"
	if found, err := fs.Glob(archive, pages); err != nil || len(found) == 0 {
		archive.Close()
		return nil, fmt.Errorf("%s has no pages at its top; unpack it, and name the folder that has them", path)
	}
	return &book{archive, []string{pages}, archive.Close}, nil
}

func (j *job) publish(ctx context.Context, c *command.Command, client *api.Client, pages *book) error {
	bar := c.Bar()
	defer bar.Close()
	session, err := j.begin(ctx, client, upload.WithProgress(func(p upload.Progress) {
		bar.Show(command.Progress{Pages: p.Pages, All: p.TotalPages, Bytes: p.Bytes})
	}))
	if err != nil {
		return err
	}
	if err := onlyOf(session, pages); err != nil {
		return err
	}
	if err := session.AddPages(ctx, upload.Folder(pages, pages.patterns...)); err != nil {
		return j.keep(c, session, err)
	}
	chapter, err := session.Commit(ctx, j.draft, upload.TermsAccepted)
	if errors.Is(err, upload.ErrOutcomeUnknown) {
		return err
	}
	if err != nil {
		return j.keep(c, session, err)
	}
	bar.Print(c.Stdout, "https://mangadex.org/chapter/"+chapter.ID.String())
	return nil
}

// begin opens an upload session, or goes on with the one that is open.
func (j *job) begin(ctx context.Context, client *api.Client, options ...upload.Option) (*upload.Session, error) {
	session, err := upload.Begin(ctx, client, j.manga, j.groups, options...)
	var open *upload.OpenError
	switch {
	case !errors.As(err, &open):
		return session, err
	case j.resume && open.Manga != uuid.Nil && open.Manga != j.manga:
		return nil, fmt.Errorf("the open upload is for the title %v; name that one by -manga, or begin anew by -replace", open.Manga)
	case j.resume:
		return open.Resume()
	case j.replace:
		return open.Replace(ctx)
	}
	return nil, fmt.Errorf("there is an open upload with %d pages; go on with it by -resume, or throw it away by -replace", len(open.Pages))
}

// keep leaves a session that has pages for a later run, and closes one that has none. One that another
// program has ended has nothing to go on with.
func (j *job) keep(c *command.Command, session *upload.Session, err error) error {
	if errors.Is(err, upload.ErrSessionClosed) {
		return err
	}
	n := len(session.Pages())
	if n == 0 {
		return errors.Join(err, session.Close())
	}
	c.Unfinished = fmt.Sprintf("%d pages are sent, and the same command with -resume goes on", n)
	return err
}

// onlyOf checks that a session that was resumed has no pages of something else.
func onlyOf(session *upload.Session, pages *book) error {
	for _, page := range session.Pages() {
		if _, err := fs.Stat(pages, page.Name); errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("the open upload has the page %q, which is not in the folder; begin anew by -replace", page.Name)
		}
	}
	return nil
}
