package main

import (
	"archive/zip"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"syscall"

	"github.com/google/uuid"

	"github.com/mangadex-go/mangadex/api"
	"github.com/mangadex-go/mangadex/api/athome"
	"github.com/mangadex-go/mangadex/api/reading"
	"github.com/mangadex-go/mangadex/examples/internal/command"
	"github.com/mangadex-go/mangadex/internal/atomicfile"
)

// A saving says how chapters are saved.
type saving struct {
	folder                                               string
	cbz, dataSaver, port443, covers, series, prune, json bool
	jobs                                                 int
}

// save saves chapters, some at once. It goes on when a chapter cannot be had, and stops when nothing can.
func (s saving) save(ctx context.Context, c *command.Command, client *api.Client, manga *api.Manga, chapters []api.Chapter, want selection) error {
	if chosen := want.choose(chapters, manga, nil); chosen.err != nil {
		return chosen.err
	}
	there, err := openFolder(ctx, c, s.folder, manga)
	if err != nil {
		return err
	}
	defer there.unlock()
	if err := there.adopt(want.choose(chapters, manga, nil).List); err != nil {
		return err
	}
	chosen := want.choose(chapters, manga, there.kept())
	renamed, err := there.rename(chosen.List)
	if err != nil {
		return err
	}
	c.Unfinished = "the same command goes on where this one stopped"
	t := newTally(c, s.json, renamed)
	for _, w := range chosen.wanted {
		t.all += w.Attributes.Pages
	}
	j := job{saving: s, titleFolder: there, client: client, manga: *manga, list: chosen.List, single: want.only != uuid.Nil, tally: t, options: s.options(c, client)}
	err = j.each(ctx, chosen.wanted)
	t.bar.Close()
	if err == nil && s.covers {
		err = j.saveCovers(ctx, c)
	}
	if err == nil && s.series {
		err = j.saveSeries(want.languages)
	}
	if err == nil && !j.single {
		err = j.tellGone(want.languages)
	}
	there.clean(func(id uuid.UUID) bool {
		_, listed := chosen.Entry(id)
		r := there.record(id)
		return listed && r != nil && !r.isRight()
	})
	if err != nil {
		return err
	}
	return t.end(len(chosen.wanted))
}

// options are what chapters of all kinds are opened with.
func (s saving) options(c *command.Command, client *api.Client) []athome.Option {
	options := []athome.Option{athome.WithGaps()}
	if s.port443 {
		options = append(options, athome.WithPort443())
	}
	return options
}

// A job saves chapters of a title into its folder.
type job struct {
	saving
	*titleFolder
	client  *api.Client
	manga   api.Manga
	list    *reading.List
	single  bool // one chapter is wanted, and nothing is said of others
	tally   *tally
	options []athome.Option
}

// each saves chapters, some at once.
func (j *job) each(ctx context.Context, all []wanted) error {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	queue := make(chan wanted, len(all))
	for _, w := range all {
		queue <- w
	}
	close(queue)
	var workers sync.WaitGroup
	for range j.jobs {
		workers.Go(func() {
			for w := range queue {
				if ctx.Err() != nil {
					return
				}
				if err := j.chapter(ctx, w); err != nil {
					stop(err)
				}
			}
		})
	}
	workers.Wait()
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return nil
}

// chapter brings a chapter into the folder, and tells what came of it. It returns an error if others would
// fail, too.
func (j *job) chapter(ctx context.Context, w wanted) error {
	place := reading.PlaceOf(&w.Chapter)
	if w.beside && place != reading.Here {
		return nil // the chosen version says more
	}
	o := j.tally.begin(j.list, w)
	switch place {
	case reading.Elsewhere:
		o.finish(stateElsewhere, "", fmt.Errorf("it is on another site; read it at %s", reading.Short(*w.Attributes.ExternalURL, 300)))
		return nil
	case reading.Nowhere:
		if !j.single && j.record(w.ID) != nil {
			o.skip() // it is told, or removed, at the end
			return nil
		}
		o.finish(stateGone, "", errors.New("it was taken down, or has no pages; it cannot be fetched any more"))
		return nil
	}
	r, err := j.begin(w)
	if err != nil {
		return err
	}
	path := filepath.Join(j.dir, r.Name)
	if j.isDone(ctx, r, w, path) {
		o.report(athome.Progress{Pages: w.Attributes.Pages})
		o.finish(stateThere, path, nil)
		return j.replace(w)
	}
	mended := r.Pages != nil && stampOf(path) != ""
	if err = j.fetch(ctx, r, w, path, o.report); err == nil {
		err = j.replace(w)
	}
	var incomplete *athome.IncompleteError
	switch {
	case err == nil && mended:
		o.finish(stateMended, path, j.inOther(r))
	case err == nil:
		o.finish(stateSaved, path, j.inOther(r))
	case ctx.Err() != nil, endsAll(err):
		return err
	case errors.Is(err, athome.ErrExternal):
		o.finish(stateElsewhere, "", err)
	case errors.Is(err, athome.ErrTakenDown), errors.Is(err, athome.ErrNoPages):
		o.finish(stateGone, "", err)
	case errors.As(err, &incomplete):
		o.finish(stateMissing, path, err)
	default:
		o.finish(stateMissing, "", err)
	}
	return nil
}

// endsAll reports whether an error is one that every other chapter would end in.
func endsAll(err error) bool {
	var op *net.OpError
	return atomicfile.IsFull(err) || atomicfile.IsReadOnly(err) || errors.Is(err, os.ErrPermission) || errors.Is(err, syscall.ENOTDIR) || errors.Is(err, syscall.EISDIR) ||
		errors.Is(err, api.ErrCaptchaRequired) || errors.As(err, &op) && op.Op == "dial" && !errors.As(err, new(*athome.PageError))
}

// begin takes a chapter into the index before anything of it is there, in the format that is wanted now.
func (j *job) begin(w wanted) (*record, error) {
	name := j.list.FileName(w.ID)
	if j.cbz {
		name += ".cbz"
	}
	r := j.record(w.ID)
	switch {
	case r == nil:
		r = &record{Name: name, Archive: j.cbz, Saver: j.dataSaver, Beside: w.beside, Language: w.Attributes.TranslatedLanguage}
	case r.Archive != j.cbz:
		if err := j.convert(r, w.ID, name); err != nil {
			return nil, err
		}
	}
	return r, j.change(func() {
		j.Chapters[w.ID] = r
		r.Beside = r.Beside && w.beside
	})
}

// convert makes the pages of a chapter available for the other format, so that they are not fetched again.
func (j *job) convert(r *record, id uuid.UUID, name string) error {
	old, to := filepath.Join(j.dir, r.Name), filepath.Join(j.dir, name)
	if j.cbz { // package athome takes them from there
		if err := os.RemoveAll(filepath.Join(j.dir, partsName(id))); err != nil {
			return err
		}
		if err := atomicfile.Rename(old, filepath.Join(j.dir, partsName(id))); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
	} else if err := unzip(old, to); err != nil {
		return err
	}
	return j.change(func() { r.Name, r.Archive, r.Stamp = name, j.cbz, "" })
}

// unzip puts the files of an archive into a folder, and removes the archive. One that is damaged has nothing.
func unzip(path, dir string) error {
	archive, err := zip.OpenReader(path)
	if err != nil {
		return os.RemoveAll(path)
	}
	defer archive.Close()
	if err := atomicfile.MakeFolder(dir, 0o777); err != nil {
		return err
	}
	for _, f := range archive.File {
		if f.Name != filepath.Base(f.Name) || f.Name == "ComicInfo.xml" {
			continue
		}
		if err := unzipFile(f, filepath.Join(dir, f.Name)); err != nil {
			return err
		}
	}
	archive.Close() // some systems remove no file that is open
	return os.Remove(path)
}

func unzipFile(f *zip.File, to string) error {
	in, err := f.Open()
	if err != nil {
		return nil // it is fetched
	}
	defer in.Close()
	out, err := os.Create(to)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in) // what breaks off is found out later, by its hash
	if closeErr := out.Close(); atomicfile.IsFull(err) || closeErr != nil {
		return errors.Join(err, closeErr)
	}
	return nil
}

// isDone reports whether a chapter is there as it should be, without asking anybody.
func (j *job) isDone(ctx context.Context, r *record, w wanted, path string) bool {
	if !r.isRight() || r.Version != w.Attributes.Version || r.Saver && !j.dataSaver || r.Archive && r.Series != j.Title {
		return false
	}
	stamp := stampOf(path)
	if stamp == r.Stamp {
		return true
	}
	faults, err := athome.Check(ctx, path, r.pages())
	return err == nil && len(faults) == 0 && j.change(func() { r.Stamp = stamp }) == nil
}

// fetch brings what is missing of a chapter into the folder, and takes note of it in the index.
func (j *job) fetch(ctx context.Context, r *record, w wanted, path string, progress func(athome.Progress)) error {
	var mu sync.Mutex
	var other []int
	options := append(slices.Clone(j.options), athome.WithDetails(w.Chapter), athome.WithTitle(j.manga), athome.WithProgress(progress),
		athome.WithFallback(func(page athome.Page) {
			mu.Lock()
			defer mu.Unlock()
			other = append(other, page.Index)
		}))
	if j.dataSaver && (r.Pages == nil || r.Saver) { // better pages stay
		options = append(options, athome.WithDataSaver())
	}
	chapter, err := athome.Open(ctx, j.client, w.ID, options...)
	if err != nil {
		return err
	}
	defer chapter.Close()
	pages := chapter.Pages()
	var names []string
	for _, page := range pages {
		names = append(names, page.Name)
	}
	if err := j.change(func() { r.Pages, r.Saver, r.Stamp = names, pages[0].DataSaver, "" }); err != nil {
		return err
	}
	if j.cbz {
		err = chapter.SaveCBZ(ctx, path)
	} else {
		err = chapter.Save(ctx, path)
	}
	var incomplete *athome.IncompleteError
	if err != nil && !errors.As(err, &incomplete) {
		return err
	}
	var missing []int
	if incomplete != nil {
		missing = incomplete.Missing
	}
	slices.Sort(other)
	return errors.Join(err, j.change(func() {
		r.Other, r.Missing, r.Version, r.Series, r.Stamp = slices.Compact(other), missing, w.Attributes.Version, j.Title, stampOf(path)
	}))
}

// inOther says which pages are there in the other quality only.
func (j *job) inOther(r *record) error {
	if len(r.Other) == 0 {
		return nil
	}
	return fmt.Errorf("%d of %d pages could be had in the other quality only; the next run tries again", len(r.Other), len(r.Pages))
}

// replace removes the version of a chapter that another one has taken the place of. One that cannot be read
// any more, or was saved beside others, stays.
func (j *job) replace(by wanted) error {
	if by.beside {
		return nil
	}
	for i := range by.entry.Versions {
		v := &by.entry.Versions[i]
		r := j.record(v.ID)
		if v.ID == by.ID || r == nil || r.Beside || reading.PlaceOf(&v.Chapter) != reading.Here {
			continue
		}
		if err := j.remove(v.ID); err != nil {
			return err
		}
	}
	return nil
}
