package main

import (
	"archive/zip"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync"

	"github.com/mangadex-go/mangadex/api"
	"github.com/mangadex-go/mangadex/api/athome"
	"github.com/mangadex-go/mangadex/examples/internal/command"
)

// A saving says how chapters are saved.
type saving struct {
	folder    string
	cbz       bool
	dataSaver bool
	jobs      int
}

// A tally counts what has come of the chapters so far.
type tally struct {
	mu        sync.Mutex
	begun     []*progress
	all       int // pages of all chapters
	there     int // chapters that were there
	done      int
	elsewhere []error // chapters that cannot be read here
	failed    []error
	bar       *command.Bar
}

// A progress is how far a chapter has come.
type progress struct {
	name string
	over bool
	athome.Progress
}

// show shows how far the chapters have come. The tally is locked.
func (t *tally) show() {
	whole := command.Progress{All: t.all}
	var running []string
	for _, p := range t.begun {
		whole.Pages, whole.Bytes = whole.Pages+p.Pages, whole.Bytes+p.Bytes
		if !p.over {
			running = append(running, p.name)
		}
	}
	whole.What = strings.Join(running, ", ")
	t.bar.Show(whole)
}

// save saves chapters, some at once. It goes on when a chapter cannot be had, and stops when
// nothing can.
func (s saving) save(ctx context.Context, c *command.Command, client *api.Client, chapters []api.Chapter) error {
	c.Unfinished = "the same command goes on where this one stopped"
	t := &tally{bar: c.Bar()}
	for _, chapter := range chapters {
		t.all += chapter.Attributes.Pages
	}
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	queue := make(chan api.Chapter, len(chapters))
	for _, chapter := range chapters {
		queue <- chapter
	}
	close(queue)
	var workers sync.WaitGroup
	for range s.jobs {
		workers.Go(func() {
			for chapter := range queue {
				if ctx.Err() != nil {
					return
				}
				if err := s.chapter(ctx, c, client, chapter, t); err != nil {
					stop(err)
				}
			}
		})
	}
	workers.Wait()
	t.bar.Close()
	for _, err := range t.elsewhere {
		c.Note("%v", err)
	}
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case len(t.failed) > 0:
		return fmt.Errorf("%d of %d chapters are not complete: %w", len(t.failed), len(chapters), t.failed[0])
	case t.done == 0:
		c.Unfinished = ""
		return errors.New("none of these chapters can be read on MangaDex")
	}
	if t.there == 0 {
		c.Note("chapters saved: %d", t.done)
	} else {
		c.Note("chapters saved: %d, there before: %d", t.done-t.there, t.there)
	}
	return nil
}

// chapter saves a chapter. It returns an error if others would fail, too.
func (s saving) chapter(ctx context.Context, c *command.Command, client *api.Client, details api.Chapter, t *tally) error {
	path := filepath.Join(s.folder, chapterName(details))
	if s.cbz {
		path += ".cbz"
	}
	p := &progress{}
	p.name, _, _ = strings.Cut(chapterName(details), " [") // volume and number
	report := func(now athome.Progress) {
		t.mu.Lock()
		defer t.mu.Unlock()
		p.Progress = now
		t.show()
	}
	t.mu.Lock()
	t.begun = append(t.begun, p)
	t.mu.Unlock()
	there := s.cbz && isArchive(path)
	var err error
	if there {
		report(athome.Progress{Pages: details.Attributes.Pages})
	} else {
		err = s.fetch(ctx, client, details, path, report)
	}

	t.mu.Lock()
	defer t.mu.Unlock()
	p.over = true
	var page *athome.PageError
	switch {
	case err == nil:
		if t.done++; there {
			t.there++
		}
		t.bar.Print(c.Stdout, path)
	case ctx.Err() != nil:
		return err
	case errors.Is(err, athome.ErrExternal), errors.Is(err, athome.ErrUnavailable), errors.Is(err, athome.ErrNoPages):
		t.elsewhere = append(t.elsewhere, fmt.Errorf("%s: %w", p.name, err))
	case errors.As(err, &page), errors.Is(err, api.ErrNotFound):
		t.failed = append(t.failed, err)
	default:
		return err
	}
	return nil
}

// isArchive reports whether there is a whole archive. It got its name when it was whole, so only the
// end is looked at.
func isArchive(path string) bool {
	archive, err := zip.OpenReader(path)
	return err == nil && archive.Close() == nil
}

func (s saving) fetch(ctx context.Context, client *api.Client, details api.Chapter, path string, progress func(athome.Progress)) error {
	options := []athome.Option{athome.WithUserAgent(command.Agent), athome.WithDetails(details), athome.WithProgress(progress)}
	if s.dataSaver {
		options = append(options, athome.WithDataSaver())
	}
	chapter, err := athome.Open(ctx, client, details.ID, options...)
	if err != nil {
		return err
	}
	defer chapter.Close()
	if s.cbz {
		return chapter.SaveCBZ(ctx, path)
	}
	return chapter.Save(ctx, path)
}
