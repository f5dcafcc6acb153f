package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/gofrs/flock"
	"github.com/google/uuid"

	"github.com/mangadex-go/mangadex/api"
	"github.com/mangadex-go/mangadex/api/reading"
	"github.com/mangadex-go/mangadex/examples/internal/command"
	"github.com/mangadex-go/mangadex/internal/atomicfile"
)

// A titleFolder is the folder of a title. One program at a time works on it.
type titleFolder struct {
	*index
	dir    string
	unlock func()
}

// openFolder finds the folder of a title in another one, or makes it, and gives it today's name.
func openFolder(ctx context.Context, c *command.Command, parent string, manga *api.Manga) (*titleFolder, error) {
	if err := atomicfile.MakeFolder(parent, 0o777); err != nil {
		return nil, err
	}
	unlock, err := lock(ctx, c, filepath.Join(parent, "."+manga.ID.String()+".lock"))
	if err != nil {
		return nil, err
	}
	s := &titleFolder{dir: filepath.Join(parent, reading.TitleFileName(manga)), unlock: unlock}
	if old := findFolder(parent, manga.ID); old != "" && old != s.dir {
		if _, err := os.Lstat(s.dir); errors.Is(err, fs.ErrNotExist) {
			err = atomicfile.Rename(old, s.dir)
			if err != nil {
				unlock()
				return nil, err
			}
			c.Note("the folder is %s now", s.dir)
		}
	}
	if err := atomicfile.MakeFolder(s.dir, 0o777); err != nil {
		unlock()
		return nil, err
	}
	x, err := readIndex(s.dir)
	if err != nil {
		c.Note("%v", err)
	}
	x.Manga, x.Title = manga.ID, reading.Line(reading.Title(&manga.Attributes))
	s.index = x
	return s, nil
}

// findFolder finds the folder of a title by its index, or else by the id in its name.
func findFolder(parent string, manga uuid.UUID) string {
	entries, err := os.ReadDir(parent)
	if err != nil {
		return ""
	}
	named := ""
	for _, entry := range entries {
		dir := filepath.Join(parent, entry.Name())
		if !entry.IsDir() {
			continue
		}
		if _, err := os.Stat(filepath.Join(dir, indexName)); err == nil {
			if x, err := readIndex(dir); err == nil && x.Manga == manga {
				return dir
			}
		} else if strings.HasSuffix(entry.Name(), "["+manga.String()[:8]+"]") {
			named = dir
		}
	}
	return named
}

// lock waits until no other program works on a title. The file goes away at the end.
func lock(ctx context.Context, c *command.Command, path string) (unlock func(), err error) {
	for told := false; ; {
		l := flock.New(path)
		ok, err := l.TryLock()
		if err != nil && !atomicfile.IsBusy(err) {
			c.Note("%s cannot be locked, so let no other program work in this folder: %v", path, err)
			return func() {}, nil
		}
		if ok && isFile(l, path) {
			return func() {
				if runtime.GOOS != "windows" {
					os.Remove(path) // while nobody else has it
				}
				l.Unlock() //nolint:errcheck // the end of the program does it, too
				if runtime.GOOS == "windows" {
					os.Remove(path) // which fails there while anybody has it
				}
			}, nil
		}
		l.Unlock() //nolint:errcheck // it was not had, or is of a file that is gone
		if !ok && !told {
			told = true
			c.Note("another program works on this title; this one waits for it")
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// isFile reports whether a lock is on the file that is at the path now: whoever had it before may have
// removed that.
func isFile(l *flock.Flock, path string) bool {
	held, err := l.Stat()
	if err != nil {
		return false
	}
	there, err := os.Stat(path)
	return err == nil && os.SameFile(held, there)
}

// adopt takes chapters into the index that are in the folder by their names, such as those of a run that was
// killed, or from before there was an index.
func (s *titleFolder) adopt(l *reading.List) error {
	entries, err := os.ReadDir(s.dir)
	if err != nil {
		return err
	}
	there := map[string]fs.DirEntry{}
	byID := map[string][]string{} // names by the beginning of the id
	for _, entry := range entries {
		there[entry.Name()] = entry
		if id, ok := shortID(entry.Name()); ok {
			byID[id] = append(byID[id], entry.Name())
		}
	}
	for id, r := range s.Chapters {
		if there[r.Name] == nil {
			if names := byID[id.String()[:8]]; len(names) > 0 {
				r.Name, r.Archive, r.Stamp = names[0], !there[names[0]].IsDir(), ""
			} else {
				delete(s.Chapters, id) // somebody has removed it
			}
		}
	}
	for i := range l.Entries {
		for _, v := range l.Entries[i].Versions {
			names := byID[v.ID.String()[:8]]
			if s.Chapters[v.ID] == nil && len(names) > 0 {
				s.Chapters[v.ID] = &record{Name: names[0], Archive: !there[names[0]].IsDir(), Language: v.Attributes.TranslatedLanguage}
			}
		}
	}
	return nil
}

// shortID is the beginning of the id of a chapter that a name ends with.
func shortID(name string) (string, bool) {
	stem := strings.TrimSuffix(name, ".cbz")
	if len(stem) < 10 || stem[len(stem)-1] != ']' || stem[len(stem)-10] != '[' {
		return "", false
	}
	id := stem[len(stem)-9 : len(stem)-1]
	return id, strings.Trim(id, "0123456789abcdef") == ""
}

// rename gives what is in the folder today's names.
func (s *titleFolder) rename(l *reading.List) (renamed int, err error) {
	for id, r := range s.Chapters {
		name := l.FileName(id)
		if r.Archive {
			name += ".cbz"
		}
		if l.FileName(id) == "" || name == r.Name {
			continue
		}
		to := filepath.Join(s.dir, name)
		if _, err := os.Lstat(to); err == nil && !strings.EqualFold(name, r.Name) {
			continue // somebody else's
		}
		if err := atomicfile.Rename(filepath.Join(s.dir, r.Name), to); err != nil {
			return renamed, err
		}
		old := r.Name
		if err := s.change(func() { r.Name = name }); err != nil {
			return renamed, fmt.Errorf("%s was renamed to %s: %w", old, name, err)
		}
		renamed++
	}
	return renamed, nil
}

// kept are the chapters that are there.
func (s *titleFolder) kept() []uuid.UUID {
	var ids []uuid.UUID
	for id, r := range s.Chapters {
		if !r.Beside {
			ids = append(ids, id)
		}
	}
	return ids
}

// gone are the chapters in the folder that are not in the list, of the languages that the list has.
func (s *titleFolder) gone(l *reading.List, languages []string) []uuid.UUID {
	var ids []uuid.UUID
	for id, r := range s.Chapters {
		if e, ok := l.Entry(id); slices.Contains(languages, r.Language) && (!ok || placeOf(e, id) == reading.Nowhere) {
			ids = append(ids, id)
		}
	}
	slices.SortFunc(ids, func(a, b uuid.UUID) int { return reading.CompareNames(s.Chapters[a].Name, s.Chapters[b].Name) })
	return ids
}

func placeOf(e *reading.Entry, id uuid.UUID) reading.Place {
	for i := range e.Versions {
		if e.Versions[i].ID == id {
			return reading.PlaceOf(&e.Versions[i].Chapter)
		}
	}
	return reading.Nowhere
}

// remove removes a chapter from the folder.
func (s *titleFolder) remove(id uuid.UUID) error {
	if err := os.RemoveAll(filepath.Join(s.dir, s.record(id).Name)); err != nil {
		return err
	}
	return s.change(func() { delete(s.Chapters, id) })
}

// clean removes what interrupted runs have left of chapters that are not waiting for the next one.
func (s *titleFolder) clean(waiting func(uuid.UUID) bool) {
	entries, err := os.ReadDir(s.dir)
	if err != nil {
		return
	}
	for _, entry := range entries {
		if strings.HasPrefix(entry.Name(), "."+indexName+".") { // nobody else writes it now
			os.Remove(filepath.Join(s.dir, entry.Name()))
			continue
		}
		id, err := uuid.Parse(strings.TrimSuffix(strings.TrimPrefix(entry.Name(), "."), ".pages"))
		if err == nil && entry.Name() == partsName(id) && !waiting(id) {
			os.RemoveAll(filepath.Join(s.dir, entry.Name()))
		}
	}
}

// partsName is the folder in which package athome keeps the pages of an archive that is not whole yet.
func partsName(id uuid.UUID) string { return "." + id.String() + ".pages" }
