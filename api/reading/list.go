package reading

import (
	"bytes"
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/mangadex-go/mangadex/api"
)

// A List has chapters of a title in reading order. [NewList] makes one. It does not change, so that
// goroutines can share it.
type List struct {
	Entries []Entry

	// Resets reports whether numbers begin anew with each volume, so that the volume decides first.
	Resets bool

	numbers, volumes Width
	entryOf          map[uuid.UUID]int
}

// An Entry is one thing to read, in one language, in all its versions.
type Entry struct {
	Volume   Number // that of a version which has one
	Number   Number
	Language string
	Versions []Version // the chosen one first, then in the order of preference; at least one
}

// A Version is a chapter as it was uploaded once.
type Version struct {
	api.Chapter

	// Behind is why it is behind the chosen version; it is empty for the chosen one.
	Behind Reason
}

// Chosen is the version to read.
func (e *Entry) Chosen() *Version { return &e.Versions[0] }

// Title is the title of the chosen version, or else that of the first version with a title. It has been
// through [Line], and is often empty.
func (e *Entry) Title() string {
	for i := range e.Versions {
		if title := titleOf(&e.Versions[i].Chapter); title != "" {
			return title
		}
	}
	return ""
}

// An Option changes what [NewList] returns.
type Option func(*settings)

type settings struct {
	resets     bool
	preference preference
}

// WithReset says whether numbers begin anew with each volume; a title says so in
// ChapterNumbersResetOnNewVolume. Without this option, the chapters decide.
func WithReset(resets bool) Option {
	return func(s *settings) { s.resets = resets }
}

// NewList puts chapters of one title into reading order, and those that are versions of each other
// into one entry. The chapters need the relationships that the server always sends; the names of groups
// ([api.IncludeScanlationGroup]) are needed only to prefer groups by name. A chapter that comes
// twice counts once.
func NewList(chapters []api.Chapter, options ...Option) *List {
	var s settings
	for _, option := range options {
		if option != nil {
			option(&s)
		}
	}
	all := parse(chapters)
	l := &List{Resets: s.resets || beginAnew(all), numbers: Width{Whole: 4}, volumes: Width{Whole: 2}}
	join(all)
	for _, versions := range group(all) {
		l.Entries = append(l.Entries, entryOf(versions))
		l.numbers = l.numbers.Fit(versions[0].number)
		l.volumes = l.volumes.Fit(versions[0].volume)
	}
	s.preference.arrange(l.Entries)
	l.Entries = l.sorted(l.Entries)
	l.entryOf = make(map[uuid.UUID]int, len(all))
	for i := range l.Entries {
		for _, version := range l.Entries[i].Versions {
			l.entryOf[version.ID] = i
		}
	}
	return l
}

// A parsed is a chapter with what decides on its place.
type parsed struct {
	*api.Chapter
	volume, number Number
	title          string      // folded; empty for none
	by             []uuid.UUID // groups, or else the uploader
}

func parse(chapters []api.Chapter) []parsed {
	seen := make(map[uuid.UUID]bool, len(chapters))
	all := make([]parsed, 0, len(chapters))
	for i := range chapters {
		c := &chapters[i]
		if seen[c.ID] {
			continue
		}
		seen[c.ID] = true
		p := parsed{Chapter: c, volume: NumberOf(c.Attributes.Volume), number: NumberOf(c.Attributes.Chapter), title: sameTitle(c)}
		p.by = makers(c)
		all = append(all, p)
	}
	return all
}

// makers are the groups of a chapter, or else its uploader.
func makers(c *api.Chapter) []uuid.UUID {
	var ids []uuid.UUID
	for _, group := range c.Relationships.Groups() {
		ids = append(ids, group.ID)
	}
	if uploader, ok := c.Relationships.Uploader(); ok && len(ids) == 0 {
		ids = append(ids, uploader.ID)
	}
	return ids
}

// maxTitle is how many characters of a title count. MangaDex takes 255.
const maxTitle = 1000

func titleOf(c *api.Chapter) string {
	if c.Attributes.Title == nil {
		return ""
	}
	return line(*c.Attributes.Title, maxTitle)
}

// sameTitle is a title so that equal ones are the same text. One of signs only keeps them.
func sameTitle(c *api.Chapter) string {
	title := titleOf(c)
	return cmp.Or(fold(title), title)
}

// entryOf makes an entry of chapters that are versions of each other.
func entryOf(versions []parsed) Entry {
	e := Entry{Number: versions[0].number, Language: versions[0].Attributes.TranslatedLanguage}
	for _, v := range versions {
		if e.Volume.IsZero() {
			e.Volume = v.volume
		}
		e.Versions = append(e.Versions, Version{Chapter: *v.Chapter})
	}
	return e
}

// A spot is what decides where an entry stands among others.
type spot struct {
	entry    Entry
	appeared time.Time // when the first version could be read
	title    string
	id       uuid.UUID // the smallest of the versions
}

// sorted puts entries into reading order.
func (l *List) sorted(entries []Entry) []Entry {
	spots := make([]spot, len(entries))
	for i := range entries {
		e := &entries[i]
		p := spot{entry: *e, title: e.Title(), id: e.Chosen().ID}
		for _, version := range e.Versions {
			if t := version.Attributes.ReadableAt; !t.IsZero() && (p.appeared.IsZero() || t.Before(p.appeared)) {
				p.appeared = t
			}
			if bytes.Compare(version.ID[:], p.id[:]) < 0 {
				p.id = version.ID
			}
		}
		spots[i] = p
	}
	slices.SortFunc(spots, func(a, b spot) int {
		number, volume := a.entry.Number.Compare(b.entry.Number), a.entry.Volume.Compare(b.entry.Volume)
		if l.Resets {
			number, volume = volume, number
		}
		return cmp.Or(
			number, volume,
			a.appeared.Compare(b.appeared),
			compareNatural(a.title, b.title),
			strings.Compare(a.entry.Language, b.entry.Language),
			bytes.Compare(a.id[:], b.id[:]),
		)
	})
	for i := range spots {
		entries[i] = spots[i].entry
	}
	return entries
}
