package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"time"

	"github.com/gofrs/flock"
	"github.com/google/uuid"

	"github.com/mangadex-go/mangadex/api"
	"github.com/mangadex-go/mangadex/api/cli"
	"github.com/mangadex-go/mangadex/examples/internal/command"
	"github.com/mangadex-go/mangadex/internal/atomicfile"
)

const (
	// lookBack is how far behind the newest chapter a run looks for chapters that appear late, because
	// they waited for the staff or were put back.
	lookBack = 30 * 24 * time.Hour
	// newTitle is how old a chapter may be of a title that no run has seen a chapter of: the account
	// may have begun to follow it.
	newTitle = 72 * time.Hour
	// remembered is how many chapters are kept for the feed, if a run does not have more.
	remembered = 100
	// maxSeen and maxAge bound what is kept to tell versions by.
	maxSeen = 20_000
	maxAge  = 365 * 24 * time.Hour
)

// A state is what a run leaves to the next one.
type state struct {
	From     time.Time          `json:"from"`     // nothing from before is told of
	LastRun  time.Time          `json:"lastRun"`  // zero before the first one
	Chapters []chapter          `json:"chapters"` // that were told of last, the newest last
	Seen     map[uuid.UUID]seen `json:"seen"`     // chapters that are not told of again; nil in files of old
}

// seen is what is kept of a chapter, to know its versions.
type seen struct {
	Manga    uuid.UUID   `json:"manga"`
	At       time.Time   `json:"at"` // when it could be read, by the clock of the server
	Language string      `json:"language"`
	Volume   *string     `json:"volume,omitempty"`
	Number   *string     `json:"number,omitempty"`
	Title    *string     `json:"title,omitempty"`
	Groups   []uuid.UUID `json:"groups,omitempty"`
	By       uuid.UUID   `json:"by"`
}

func seenOf(c *api.Chapter) seen {
	a := &c.Attributes
	s := seen{At: a.ReadableAt, Language: a.TranslatedLanguage, Volume: a.Volume, Number: a.Chapter, Title: a.Title}
	for _, r := range c.Relationships {
		switch r.Type {
		case api.ResourceTypeManga:
			s.Manga = r.ID
		case api.ResourceTypeScanlationGroup:
			s.Groups = append(s.Groups, r.ID)
		case api.ResourceTypeUser:
			s.By = r.ID
		}
	}
	return s
}

// chapter is the chapter, as far as it is known.
func (s seen) chapter(id uuid.UUID) api.Chapter {
	c := api.Chapter{ID: id, Attributes: api.ChapterAttributes{
		ReadableAt: s.At, TranslatedLanguage: s.Language, Volume: s.Volume, Chapter: s.Number, Title: s.Title, Pages: 1,
	}}
	for _, group := range s.Groups {
		c.Relationships = append(c.Relationships, api.Relationship{ID: group, Type: api.ResourceTypeScanlationGroup})
	}
	c.Relationships = append(c.Relationships, api.Relationship{ID: s.By, Type: api.ResourceTypeUser})
	return c
}

// load reads the state file, which need not be there.
func load(path string) (state, error) {
	var s state
	content, err := command.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) || err == nil && len(content) == 0 { // a file that was made to be mounted
		return s, nil
	}
	if err != nil {
		return s, err
	}
	if err := json.Unmarshal(content, &s); err != nil || s.From.IsZero() || s.LastRun.IsZero() {
		return s, fmt.Errorf("%s is damaged, or not a state file of watch; it is left as it is: repair it, remove it to begin anew, or give another -state", path)
	}
	return s, nil
}

// begun returns the state as a run at a time begins with it. Times in it are believed only up to now:
// a run with a wrong clock may have written them.
func (s state) begun(now time.Time, since time.Duration) state {
	if s.From.IsZero() || s.From.After(s.newest(now)) && s.From.After(now) {
		s.From = now.Add(-since)
	}
	if s.LastRun.After(now) {
		s.LastRun = now
	}
	return s
}

// newest is when the newest chapter that was seen could be read, which no clock of ours has a part
// in. What lies ahead counts only if there is nothing else.
func (s state) newest(now time.Time) time.Time {
	var past, any time.Time
	see := func(at time.Time) {
		if any.Before(at) {
			any = at
		}
		if past.Before(at) && !at.After(now) {
			past = at
		}
	}
	for _, c := range s.Seen {
		see(c.At)
	}
	for _, c := range s.Chapters {
		see(c.Readable)
	}
	switch {
	case !past.IsZero():
		return past
	case !any.IsZero():
		return any
	}
	return s.LastRun
}

// horizon is the time from which on chapters are asked for.
func (s state) horizon(now time.Time) time.Time {
	if newest := s.newest(now); !newest.IsZero() {
		return newest.Add(-lookBack)
	}
	if usual := now.Add(-lookBack); usual.Before(s.From) {
		return usual
	}
	return s.From
}

// with returns the state after news have been told of, and other chapters have been found.
func (s state) with(news []chapter, found []api.Chapter, now time.Time) state {
	s.LastRun = now
	s.Chapters = append(slices.Clone(s.Chapters), news...)
	s.Chapters = s.Chapters[max(0, len(s.Chapters)-max(remembered, len(news))):]
	all := maps.Clone(s.Seen)
	if all == nil {
		all = map[uuid.UUID]seen{}
	}
	for i := range found {
		all[found[i].ID] = seenOf(&found[i])
	}
	s.Seen = all
	if oldest := s.newest(now).Add(-maxAge); len(all) > 0 {
		maps.DeleteFunc(all, func(_ uuid.UUID, c seen) bool { return c.At.Before(oldest) })
	}
	if excess := len(all) - max(maxSeen, 2*len(found)); excess > 0 {
		ids := slices.SortedFunc(maps.Keys(all), func(a, b uuid.UUID) int { return all[a].At.Compare(all[b].At) })
		for _, id := range ids[:excess] {
			delete(all, id)
		}
	}
	return s
}

func (s state) save(w io.Writer) error { return cli.WriteJSON(w, s) }

// lock makes sure that no two runs use a state at once: the second one waits. It locks a file beside
// the state, and the state itself: one that is mounted by itself may be all that two runs share.
func lock(ctx context.Context, c *command.Command, path string) (unlock func(), err error) {
	if target, err := filepath.EvalSymlinks(path); err == nil {
		path = target
	}
	info, statErr := os.Stat(path)
	isFile := statErr == nil && info.Mode().IsRegular()
	if statErr == nil && !isFile { // such as a folder, which load tells of
		return func() {}, nil
	}
	var locks []*flock.Flock
	unlock = func() {
		for _, l := range slices.Backward(locks) {
			l.Close()
		}
	}
	beside := flock.New(path+".lock", flock.SetPermissions(0o600))
	if err := atomicfile.MakeFolder(filepath.Dir(path), 0o777); err != nil {
		return unlock, err
	}
	waiting := false
	take := func(l *flock.Flock) error {
		got, err := l.TryLock()
		if err == nil && !got {
			if !waiting {
				c.Note("another run uses %s; waiting for its end", path)
				waiting = true
			}
			got, err = l.TryLockContext(ctx, 100*time.Millisecond)
		}
		if got {
			locks = append(locks, l)
		}
		return err
	}
	if err := take(beside); err != nil {
		if !isFile || ctx.Err() != nil {
			return unlock, cmp.Or(ctx.Err(), err)
		}
		// The folder cannot be written, and the state can: then it is written in place.
	}
	if isFile && runtime.GOOS != "windows" { // where a lock keeps even its owner from reading
		if err := take(flock.New(path, flock.SetFlag(os.O_RDWR))); err != nil && ctx.Err() != nil {
			unlock()
			return unlock, ctx.Err()
		}
	}
	return unlock, nil
}
