package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/mangadex-go/mangadex/api"
	"github.com/mangadex-go/mangadex/api/cli"
	"github.com/mangadex-go/mangadex/api/upload"
	"github.com/mangadex-go/mangadex/examples/internal/command"
)

// A run is a job on its way.
type run struct {
	job
	*command.Command
	client  *api.Client
	uploads *diary
}

// looks is what to know when it is not known whether a chapter was published.
const looks = "the same command looks for the chapter before it sends anything"

func (r *run) publish(ctx context.Context, pages *book) error {
	published, err := r.earlier(ctx)
	if err != nil || published {
		return err
	}
	bar := r.Bar()
	defer bar.Close()
	session, err := r.begin(ctx, upload.WithPatience(r.wait), upload.WithRecord(r.uploads.keep), upload.WithProgress(func(p upload.Progress) {
		bar.Show(cli.Progress{Pages: p.Pages, TotalPages: p.TotalPages, Bytes: p.Bytes})
	}))
	if err != nil {
		return err
	}
	if err := onlyOf(session, pages); err != nil {
		return err
	}
	if err := session.AddPages(ctx, upload.Folder(pages)); err != nil {
		if errors.Is(err, upload.ErrAnotherPage) {
			var page *upload.PageError
			errors.As(err, &page)
			return fmt.Errorf("the open upload has another picture as %q than the folder; begin anew by -replace", page.Pages[0])
		}
		return r.leave(session, err)
	}
	chapter, err := session.Commit(ctx, r.draft, upload.TermsAccepted)
	switch {
	case errors.Is(err, upload.ErrOutcomeUnknown):
		return r.unknown(err)
	case err != nil:
		return r.leave(session, err)
	}
	bar.Print(r.Stdout, link(chapter.ID))
	return nil
}

func link(chapter uuid.UUID) string { return "https://mangadex.org/chapter/" + chapter.String() }

// unknown is the end of a run that does not know whether it has published the chapter. What came in
// the way is said, but is not what the user has to do something about.
func (r *run) unknown(err error) error {
	r.Unfinished = looks
	return errors.New(err.Error())
}

// earlier finds out whether the chapter has been published before. If an earlier run has published
// it without knowing, this one has nothing to do but to say so.
func (r *run) earlier(ctx context.Context) (published bool, err error) {
	for _, record := range slices.Clone(r.uploads.Uploads) {
		if !r.isOf(&record) {
			continue
		}
		if record.InDoubt() {
			record, err = r.find(ctx, record)
			switch {
			case err != nil && !r.again:
				return false, r.unknown(err)
			case err == nil && record.Published != uuid.Nil && !r.again:
				fmt.Fprintln(r.Stdout, link(record.Published))
				return true, nil
			}
			continue
		}
		if record.Published == uuid.Nil || r.again {
			continue
		}
		there, err := api.Found(second(r.client.GetChapter(ctx, record.Published, nil)))
		switch {
		case err != nil:
			return false, err
		case there:
			return false, again(record.Published)
		}
		if err := r.uploads.forget(record.Session); err != nil { // it has been deleted since
			return false, err
		}
	}
	if r.again {
		return false, nil
	}
	chapters, err := upload.Published(ctx, r.client, r.manga, r.groups, r.draft)
	if err != nil {
		return false, err
	}
	if len(chapters) > 0 {
		return false, again(chapters[0].ID)
	}
	return false, nil
}

func second[T any](_ T, err error) error { return err }

// again refuses to publish a chapter a second time.
func again(chapter uuid.UUID) error {
	return fmt.Errorf("the account has published this chapter already: %s; nothing was sent (-again would publish a second one)", link(chapter))
}

// isOf reports whether a record is of the same chapter as the job.
func (r *run) isOf(record *upload.Record) bool {
	number, _ := record.Draft.Chapter.Get()
	wanted, _ := r.draft.Chapter.Get()
	groups := map[uuid.UUID]bool{}
	for _, group := range record.Groups {
		groups[group] = true
	}
	return record.Manga == r.manga && number == wanted && record.Draft.TranslatedLanguage == r.draft.TranslatedLanguage &&
		len(record.Groups) == len(r.groups) && !slices.ContainsFunc(r.groups, func(id uuid.UUID) bool { return !groups[id] })
}

// find finds out what came of a commit of an earlier run, and keeps it.
func (r *run) find(ctx context.Context, record upload.Record) (upload.Record, error) {
	r.Note("an earlier run does not know whether it has published the chapter; looking for it")
	r.Unfinished = looks
	chapter, err := upload.Find(ctx, r.client, record, upload.WithPatience(r.wait))
	switch {
	case err == nil:
		record.Published = chapter.ID
		r.Note("it is there, and only the answer was lost")
	case errors.Is(err, upload.ErrNotPublished):
		record.Sent = time.Time{}
		r.Note("it is not there; its upload is open")
	default:
		return record, err
	}
	r.Unfinished = ""
	return record, r.uploads.keep(record)
}

// begin opens an upload session, or goes on with the one that is open.
func (r *run) begin(ctx context.Context, options ...upload.Option) (*upload.Session, error) {
	earlier := upload.WithEarlier(r.uploads.Uploads...)
	open := upload.Begin
	if r.resume {
		open = upload.Resume
	}
	session, err := open(ctx, r.client, r.manga, r.groups, append(slices.Clone(options), earlier)...)
	var found *upload.OpenError
	var id uuid.UUID
	switch {
	case errors.As(err, &found):
		id = found.ID
	case r.resume && err == nil:
		id = session.ID()
	case errors.Is(err, upload.ErrNoSession):
		return nil, errors.New("there is no open upload to go on with; leave out -resume to begin one")
	default:
		return session, err
	}
	record, known := r.uploads.of(id)
	switch {
	case known && record.InDoubt(): // of another chapter
		if _, err := r.find(ctx, record); err != nil {
			return nil, r.unknown(err)
		}
		return r.begin(ctx, options...)
	case r.resume && found != nil && found.Manga != uuid.Nil && found.Manga != r.manga:
		return nil, fmt.Errorf("the open upload is for the title %v; name that one by -manga, or begin anew by -replace", found.Manga)
	case r.resume && found != nil:
		return nil, errors.New("the open upload edits a chapter, and is not for a new one; begin anew by -replace")
	case r.resume:
		return session, nil
	case r.replace:
		return found.Replace(ctx)
	}
	return nil, fmt.Errorf("there is an open upload with %d pages; go on with it by -resume, or throw it away by -replace", len(found.Pages))
}

// leave leaves a session that has pages for a later run, and closes one that has none. One that another
// program has ended has nothing to go on with.
func (r *run) leave(session *upload.Session, err error) error {
	if errors.Is(err, upload.ErrSessionClosed) {
		return err
	}
	n := len(session.Pages())
	if n == 0 {
		return errors.Join(err, session.Close())
	}
	r.Unfinished = fmt.Sprintf("%d pages are sent, and the same command with -resume goes on", n)
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
