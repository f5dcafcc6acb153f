package apitest

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
)

// seesChapter tells whether who asks may see a chapter.
func (c *call) seesChapter(ch *chapter) bool {
	return ch.published() && !ch.heldBack(c.now) || c.user != nil && (ch.uploader == c.user || c.user.may("chapter.edit.any"))
}

func (c *call) chapterOf(parameter string) (*chapter, error) {
	return lookup(c, &c.chapters, "Chapter", parameter, c.seesChapter)
}

var chapterKeys = map[string]func(a, b *chapter) int{
	"createdAt":  byCreated[*chapter],
	"updatedAt":  byUpdated[*chapter],
	"publishAt":  func(a, b *chapter) int { return a.publishAt.Compare(b.publishAt) },
	"readableAt": func(a, b *chapter) int { return a.readableAt.Compare(b.readableAt) },
	"volume":     func(a, b *chapter) int { return byNumber(a.fields.Volume, b.fields.Volume) },
	"chapter":    func(a, b *chapter) int { return byNumber(a.fields.Chapter, b.fields.Chapter) },
}

// A chapterFilter is what a list or a feed of chapters asks for. A nil field asks for nothing.
type chapterFilter struct {
	ids, groups, uploaders, notGroups, notUploaders map[uuid.UUID]bool
	volumes, numbers                                texts
	translated, original, notOriginal, ratings      texts
	title                                           string
	manga                                           uuid.UUID
	created, updated, published                     time.Time
	link, notLink                                   string
	future                                          bool
	only                                            []func(*chapter) bool
}

func (c *call) chapterFilter() (chapterFilter, error) {
	ids, err := c.wantedIDs()
	f := chapterFilter{
		ids:          ids,
		groups:       set(c.ids("groups[]")),
		uploaders:    set(c.ids("uploader[]")),
		notGroups:    set(c.ids("excludedGroups[]")),
		notUploaders: set(c.ids("excludedUploaders[]")),
		volumes:      texts(c.query["volume[]"]),
		numbers:      texts(c.query["chapter[]"]),
		translated:   texts(c.query["translatedLanguage[]"]),
		original:     texts(c.query["originalLanguage[]"]),
		notOriginal:  texts(c.query["excludedOriginalLanguage[]"]),
		ratings:      c.ratings(),
		title:        strings.ToLower(c.query.Get("title")),
		created:      c.since("createdAtSince"),
		updated:      c.since("updatedAtSince"),
		published:    c.since("publishAtSince"),
		link:         c.query.Get("externalUrl"),
		notLink:      c.query.Get("excludeExternalUrl"),
	}
	if manga := c.ids("manga"); manga != nil {
		f.manga = manga[0]
	}
	// By default there is nothing that cannot be read yet, whatever includeFutureUpdates says. Each of the
	// three filters lifts that, and keeps or drops what it is about.
	now := c.now
	for name, is := range map[string]func(*chapter) bool{
		"includeEmptyPages":      func(ch *chapter) bool { return ch.pageCount() == 0 },
		"includeFuturePublishAt": func(ch *chapter) bool { return ch.publishAt.After(now) },
		"includeExternalUrl":     func(ch *chapter) bool { return ch.external != nil },
	} {
		if yes, given := c.flag(name); given {
			f.future = true
			f.only = append(f.only, func(ch *chapter) bool { return is(ch) == yes })
		}
	}
	if yes, _ := c.flag("includeUnavailable"); !yes {
		f.only = append(f.only, func(ch *chapter) bool { return !ch.unavailable })
	}
	return f, err
}

func (f *chapterFilter) match(ch *chapter, now time.Time) bool {
	switch {
	case !ch.published(), ch.heldBack(now),
		f.ids != nil && !f.ids[ch.id],
		f.manga != uuid.Nil && ch.manga.id != f.manga,
		!f.ratings.has(ch.manga.fields.ContentRating),
		!f.future && ch.readableAt.After(now),
		f.translated != nil && !f.translated.has(ch.fields.TranslatedLanguage),
		f.original != nil && !f.original.has(ch.manga.fields.OriginalLanguage),
		f.notOriginal.has(ch.manga.fields.OriginalLanguage),
		f.uploaders != nil && !f.uploaders[ch.uploader.id],
		f.notUploaders[ch.uploader.id],
		f.groups != nil && !anyGroup(ch, f.groups),
		f.notGroups != nil && anyGroup(ch, f.notGroups),
		f.volumes != nil && !f.volumes.has(orNone(ch.fields.Volume)),
		f.numbers != nil && !f.numbers.has(orNone(ch.fields.Chapter)),
		ch.created.Before(f.created), ch.updated.Before(f.updated), ch.publishAt.Before(f.published),
		f.title != "" && (ch.fields.Title == nil || !strings.Contains(strings.ToLower(*ch.fields.Title), f.title)),
		f.link != "" && (ch.external == nil || !strings.Contains(*ch.external, f.link)),
		f.notLink != "" && ch.external != nil && strings.Contains(*ch.external, f.notLink):
		return false
	}
	for _, wanted := range f.only {
		if !wanted(ch) {
			return false
		}
	}
	return true
}

func anyGroup(ch *chapter, wanted map[uuid.UUID]bool) bool {
	return slices.ContainsFunc(ch.groups, func(g *group) bool { return wanted[g.id] })
}

// orNone is a volume or a chapter as a key: none where there is none.
func orNone(s optional) string {
	if s == nil || *s == "" {
		return "none"
	}
	return *s
}

func listChapters(c *call) ([]byte, error) {
	p, err := c.page(10)
	if err != nil {
		return nil, err
	}
	f, err := c.chapterFilter()
	if err != nil {
		return nil, err
	}
	found, total := c.chapters.pick(c.order(), chapterKeys, p, func(ch *chapter) bool { return f.match(ch, c.now) })
	return collection(c, found, p, total)
}

// feed is the answer that holds those of the chapters that the request asks for.
func (c *call) feed(chapters []*chapter) ([]byte, error) {
	p, err := c.page(100)
	if err != nil {
		return nil, err
	}
	f, err := c.chapterFilter()
	if err != nil {
		return nil, err
	}
	var found []*chapter
	for _, ch := range chapters {
		if f.match(ch, c.now) {
			found = append(found, ch)
		}
	}
	if p.shuffle {
		rand.Shuffle(len(found), func(a, b int) { found[a], found[b] = found[b], found[a] })
	}
	o := c.order(orderKey{"createdAt", false})
	slices.SortStableFunc(found, func(a, b *chapter) int { return compare(o, a, b, chapterKeys) })
	return collection(c, cut(found, p), p, len(found))
}

func getMangaFeed(c *call) ([]byte, error) {
	m, err := c.mangaOf("id")
	if err != nil {
		return c.feed(nil) // MangaDex has no 404 here
	}
	return c.feed(m.chapters)
}

// An aggregate chapter stands for all versions of a chapter.
type aggregateChapter struct {
	Chapter       string      `json:"chapter"`
	ID            uuid.UUID   `json:"id"`
	IsUnavailable bool        `json:"isUnavailable"`
	Others        []uuid.UUID `json:"others"`
	Count         int         `json:"count"`
}

type aggregateVolume struct {
	Volume   string                    `json:"volume"`
	Count    int                       `json:"count"`
	Chapters phpMap[*aggregateChapter] `json:"chapters"`
}

func getMangaAggregate(c *call) ([]byte, error) {
	volumes := phpMap[*aggregateVolume]{}
	if m, err := c.mangaOf("id"); err == nil { // MangaDex has no 404 here
		translated, groups := texts(c.query["translatedLanguage[]"]), set(c.ids("groups[]"))
		unavailable, _ := c.flag("includeUnavailable")
		chapters := slices.Clone(m.chapters)
		slices.SortStableFunc(chapters, func(a, b *chapter) int {
			return cmp.Or(-byNumber(a.fields.Volume, b.fields.Volume), -byNumber(a.fields.Chapter, b.fields.Chapter))
		})
		for _, ch := range chapters {
			if ch.published() && !ch.appears().After(c.now) && (unavailable || !ch.unavailable) &&
				(translated == nil || translated.has(ch.fields.TranslatedLanguage)) && (groups == nil || anyGroup(ch, groups)) {
				volumes = aggregate(volumes, ch)
			}
		}
	}
	return object(map[string]any{"volumes": volumes}), nil
}

// aggregate adds a chapter, which comes after all those of higher volumes and numbers.
func aggregate(volumes phpMap[*aggregateVolume], ch *chapter) phpMap[*aggregateVolume] {
	volume, number := orNone(ch.fields.Volume), orNone(ch.fields.Chapter)
	if len(volumes) == 0 || volumes[len(volumes)-1].key != volume {
		volumes = append(volumes, phpEntry[*aggregateVolume]{volume, &aggregateVolume{Volume: volume}})
	}
	v := volumes[len(volumes)-1].value
	v.Count++
	if n := len(v.Chapters); n > 0 && v.Chapters[n-1].key == number {
		version := v.Chapters[n-1].value
		version.Others = append(version.Others, ch.id)
		version.Count++
	} else {
		v.Chapters = append(v.Chapters, phpEntry[*aggregateChapter]{number, &aggregateChapter{number, ch.id, ch.unavailable, []uuid.UUID{}, 1}})
	}
	return volumes
}

// editsChapter tells whether who asks may change a chapter.
func (c *call) editsChapter(ch *chapter) bool {
	return ch.uploader == c.user || c.user.may("chapter.edit.any") || slices.ContainsFunc(ch.groups, func(g *group) bool { return g.leader == c.user })
}

// numberPattern is what volumes and chapters have to fit. Unlike that of the document it does not let
// an empty text through: none is null.
const numberPattern = `^(0|[1-9]\d*)(\.\d+)?[a-z]?$`

// checkNumbers refuses an empty volume or chapter; the rest fits the specification.
func (c *call) checkNumbers(where string, f chapterFields) error {
	for name, number := range map[string]optional{"volume": f.Volume, "chapter": f.Chapter} {
		if number != nil && *number == "" {
			return invalid(where+"/"+name, "Does not match the regex pattern "+numberPattern)
		}
	}
	return nil
}

func updateChapter(c *call) ([]byte, error) {
	ch, err := c.chapterOf("id")
	if err != nil {
		return nil, err
	}
	if !c.editsChapter(ch) {
		return nil, denied("The permission chapter.edit.any is required.")
	}
	if err := c.current(&ch.head); err != nil {
		return nil, err
	}
	if err := c.checkNumbers("", fields[chapterFields](c)); err != nil {
		return nil, err
	}
	if body := fields[struct{ Groups *[]uuid.UUID }](c); body.Groups != nil {
		if ch.groups, err = find(&c.groups, "Scanlation group", *body.Groups); err != nil {
			return nil, err
		}
	}
	c.decode(&ch.fields)
	c.changedChapter(ch, c.now)
	return one(ch, c.includes(), c.now), nil
}

// changedChapter notes an edit of a chapter.
func (st *store) changedChapter(ch *chapter, now time.Time) {
	ch.edit(now)
	st.chapters.changed()
	st.changedChapters(ch.manga)
}

// changedChapters notes that a title has other chapters than before.
func (st *store) changedChapters(m *manga) {
	m.touch()
	m.summary = nil
	m.findLatest()
	st.manga.changed("latestUploadedChapter")
}

func deleteChapter(c *call) ([]byte, error) {
	ch, err := c.chapterOf("id")
	if err != nil {
		return nil, err
	}
	if !c.editsChapter(ch) {
		return nil, denied("The permission chapter.edit.any is required.")
	}
	c.removeChapter(ch)
	return done, nil
}

func (st *store) removeChapter(ch *chapter) {
	ch.manga.chapters = slices.DeleteFunc(ch.manga.chapters, func(other *chapter) bool { return other == ch })
	st.chapters.remove(ch.id)
	st.changedChapters(ch.manga)
}
