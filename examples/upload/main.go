// Upload publishes a chapter: the pictures of a folder or of an archive, in natural order. It
// publishes it once: whatever happens to the answers of the server, the same command finds out what
// came of it before it sends anything.
//
//	go run ./examples/upload -accept-terms -chapter 1 pages             # to the fake MangaDex
//	go run ./examples/upload -live -accept-terms -manga https://mangadex.org/title/… -chapter 1 pages
package main

import (
	"context"
	"regexp"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/mangadex-go/mangadex/api"
	"github.com/mangadex-go/mangadex/api/reading"
	"github.com/mangadex-go/mangadex/examples/internal/command"
)

const usage = `[flags] -accept-terms folder|archive.cbz

Pages are JPEG, PNG or GIF files, which are checked before anything is sent. The terms of uploading
are at https://mangadex.org/compliance; read them, then say -accept-terms. MangaDex has a title for
trials, f9c33607-9180-4ba6-b85c-e4b5faee7192.

An account has one open upload at most. After an interruption the pages that were sent stay there,
and the same command goes on with -resume, or begins anew with -replace.

A chapter that the account has published already, with the same number, in the same language and by
the same groups, is not uploaded again, but with -again. If it is not known whether one was
published, because the answer was lost, the same command looks for it; a new chapter can be held back
from the lists until it is processed and approved. What it has to know for that is kept in
upload.json, beside the login.`

func main() { command.Main("upload", usage, start) }

// A job is what to upload.
type job struct {
	manga                  uuid.UUID
	groups                 []uuid.UUID
	draft                  api.ChapterDraft
	resume, replace, again bool
	wait                   time.Duration // for a commit whose answer was lost
}

func start(ctx context.Context, c *command.Command) error {
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
	c.BoolVar(&j.again, "again", false, "upload the chapter although the account has published it, or may have; look for it before")
	c.DurationVar(&j.wait, "wait", 2*time.Minute, "how long the server may be at publishing after its answer was lost: so `long` an upload is looked for before it is taken for not published")
	if err := c.Parse("chapter", "volume", "title"); err != nil {
		return err
	}
	switch {
	case c.NArg() != 1:
		return command.Usagef("name one folder or archive")
	case !*accepted:
		return command.Usagef("read the terms at https://mangadex.org/compliance, then say -accept-terms")
	case j.resume && j.replace:
		return command.Usagef("-resume and -replace exclude each other")
	case j.wait <= 0:
		return command.Usagef("-wait is %v; it is a time above zero, such as 2m", j.wait)
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
	uploads, err := openDiary(c)
	if err != nil {
		return err
	}
	return (&run{job: j, Command: c, client: client, uploads: uploads}).publish(ctx, pages)
}

// number is what the API takes for the number of a chapter or volume.
var number = regexp.MustCompile(`^((0|[1-9]\d*)(\.\d+)?[a-z]?)?$`)

// fill checks what was given, before anything is sent.
func (j *job) fill(manga, groups, chapter, volume, title string) error {
	if manga != "" {
		id, ok := idOf(manga, api.ResourceTypeManga)
		if !ok {
			return command.Usagef("-manga: %q is not the id of a title nor a link to one", manga)
		}
		j.manga = id
	}
	for _, group := range strings.FieldsFunc(groups, func(r rune) bool { return r == ',' || r == ' ' }) {
		id, ok := idOf(group, api.ResourceTypeScanlationGroup)
		if !ok {
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

// idOf reads an id, or a link to something of a kind.
func idOf(text string, kind api.ResourceType) (uuid.UUID, bool) {
	link, ok := reading.ParseLink(text)
	return link.ID, ok && link.Old == 0 && (link.Kind == "" || link.Kind == kind)
}

func valueOrNull(text string) api.Nullable[string] {
	if text == "" {
		return api.Null[string]()
	}
	return api.Value(text)
}
