package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
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
	pages     map[string]athome.Progress // by the path of the chapter
	all       int                        // pages of all chapters
	there     int                        // chapters that were there
	done      int
	elsewhere []error // chapters that cannot be read here
	failed    []error
	bar       *command.Bar
}

func (t *tally) show(path string, p athome.Progress) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.pages[path] = p
	pages, bytes := 0, int64(0)
	for _, p := range t.pages {
		pages, bytes = pages+p.Pages, bytes+p.Bytes
	}
	t.bar.Show(pages, t.all, bytes)
}

// save saves chapters, some at once. It goes on when a chapter cannot be had, and stops when
// nothing can.
func (s saving) save(ctx context.Context, c *command.Command, client *api.Client, chapters []api.Chapter) error {
	c.Unfinished = "the same command goes on where this one stopped"
	t := &tally{pages: map[string]athome.Progress{}, bar: c.Bar()}
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
	c.Note("chapters saved: %d, there before: %d", t.done-t.there, t.there)
	return nil
}

// chapter saves a chapter. It returns an error if others would fail, too.
func (s saving) chapter(ctx context.Context, c *command.Command, client *api.Client, details api.Chapter, t *tally) error {
	path := filepath.Join(s.folder, chapterName(details))
	if s.cbz {
		path += ".cbz"
	}
	there := false
	var err error
	if s.cbz {
		_, missing := os.Stat(path)
		there = missing == nil // an archive gets its name when it is whole
	}
	if there {
		t.show(path, athome.Progress{Pages: details.Attributes.Pages})
	} else {
		err = s.fetch(ctx, client, details, path, func(p athome.Progress) { t.show(path, p) })
	}

	var page *athome.PageError
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case err == nil:
		if t.done++; there {
			t.there++
		}
		t.bar.Print(c.Stdout, path)
	case ctx.Err() != nil:
		return err
	case errors.Is(err, athome.ErrExternal), errors.Is(err, athome.ErrUnavailable), errors.Is(err, athome.ErrNoPages):
		t.elsewhere = append(t.elsewhere, err)
	case errors.As(err, &page), errors.Is(err, api.ErrNotFound):
		t.failed = append(t.failed, err)
	default:
		return err
	}
	return nil
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
