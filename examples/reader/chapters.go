package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/mangadex-go/mangadex/api"
	"github.com/mangadex-go/mangadex/api/athome"
	"github.com/mangadex-go/mangadex/api/reading"
	"github.com/mangadex-go/mangadex/authn"
	"github.com/mangadex-go/mangadex/examples/internal/web"
)

// A chapter is the page that shows the pages of one.
type chapter struct {
	ID, Manga        uuid.UUID
	Title, Label     string // of the title, and of the chapter
	Back             string
	Name, Groups     string
	Layout           string // rtl, ltr or strip
	Pages            []string
	Previous, Next   *row
	LoggedIn, IsRead bool
}

func (s *server) chapter(w http.ResponseWriter, r *http.Request) error {
	id, err := idOf(r)
	if err != nil {
		return err
	}
	ctx := authn.ContextWithoutToken(r.Context())
	opened, release, err := s.images.chapter(ctx, id)
	if errors.Is(err, athome.ErrExternal) || errors.Is(err, athome.ErrTakenDown) || errors.Is(err, athome.ErrNoPages) {
		return s.notHere(ctx, w, r, id, err)
	}
	if err != nil {
		return err
	}
	defer release()
	details := opened.Details()
	row := rowOf(&details)
	v := chapter{ID: id, Label: row.Label, Name: row.Name, Groups: row.Groups, LoggedIn: !s.session.Anonymous(), Back: "/", Layout: "rtl"}
	for i, page := range opened.Pages() {
		v.Pages = append(v.Pages, fmt.Sprintf("/chapter/%s/pages/%d?v=%s", id, i+1, web.Tag([]byte(page.Name))))
	}
	manga, ok := details.Relationships.Manga()
	if ok {
		v.Manga, v.Back = manga.ID, titleAddress(manga.ID, details.Attributes.TranslatedLanguage)
		if a := manga.Attributes; a != nil {
			v.Title = reading.Line(reading.Title(a, details.Attributes.TranslatedLanguage))
			if a.OriginalLanguage != "ja" {
				v.Layout = "strip"
			}
		}
		v.Previous, v.Next = s.around(ctx, &details, manga)
	}
	return s.show(w, r, http.StatusOK, "chapter", v.Label+" – "+v.Title, v)
}

// notHere shows why a chapter cannot be read here, and where to go on.
func (s *server) notHere(ctx context.Context, w http.ResponseWriter, r *http.Request, id uuid.UUID, why error) error {
	found, err := s.client.GetChapter(ctx, id, &api.GetChapterParams{Includes: []api.Include{api.IncludeManga, api.IncludeScanlationGroup}})
	if err != nil {
		return why
	}
	status, view := http.StatusOK, message{Text: "The publisher shows this chapter on a site of its own."}
	if external := (*athome.ExternalError)(nil); errors.As(why, &external) {
		if view.Link = reading.WebAddress(external.URL); view.Link == "" {
			view.Text = "The publisher shows this chapter on a site of its own, whose address is not one that a browser can be sent to."
		}
	} else {
		problem := explain(why)
		status, view.Text, view.Bad = problem.status, problem.text, true
	}
	if manga, ok := found.Data.Relationships.Manga(); ok {
		view.Back = titleAddress(manga.ID, found.Data.Attributes.TranslatedLanguage)
		view.Before, view.After = s.around(ctx, &found.Data, manga)
	}
	return s.show(w, r, status, "message", rowOf(&found.Data).Label, view)
}

// around are the chapters before and after one. It can be read without them, so they are nil when they
// cannot be had.
func (s *server) around(ctx context.Context, c *api.Chapter, manga api.Ref[api.MangaAttributes]) (previous, next *row) {
	all, err := s.feedWith(ctx, manga.ID, c)
	if err != nil {
		return nil, nil
	}
	if !slices.ContainsFunc(all, func(other api.Chapter) bool { return other.ID == c.ID }) { // one that was taken down
		all = append(slices.Clone(all), *c)
	}
	order := inOrder(all, manga.Attributes)
	return neighbour(order.Previous, c), neighbour(order.Next, c)
}

// neighbour is the chapter before or after one: the version that goes best with it, and here rather
// than elsewhere. What can be read nowhere is passed over.
func neighbour(step func(uuid.UUID) (*reading.Entry, bool), of *api.Chapter) *row {
	self := &reading.Version{Chapter: *of}
	for entry, ok := step(of.ID); ok; entry, ok = step(entry.Chosen().ID) {
		if v := entry.Same(self); reading.PlaceOf(&v.Chapter) != reading.Nowhere {
			row := rowOf(&v.Chapter)
			return &row
		}
	}
	return nil
}

// inOrder puts chapters of a title into reading order. That the numbers begin anew with each volume
// is often not said, so only a yes is believed.
func inOrder(chapters []api.Chapter, a *api.MangaAttributes) *reading.List {
	if a != nil && a.ChapterNumbersResetOnNewVolume {
		return reading.NewList(chapters, reading.WithReset(true))
	}
	return reading.NewList(chapters)
}

func rowOf(c *api.Chapter) row {
	a := &c.Attributes
	v := row{
		ID: c.ID, Address: "/chapter/" + c.ID.String(), Label: "Oneshot", Name: reading.Line(text(a.Title)),
		Language: a.TranslatedLanguage, Pages: a.Pages, Time: a.ReadableAt,
	}
	if n := reading.Line(text(a.Chapter)); n != "" {
		v.Label = "Chapter " + n
	}
	if n := reading.Line(text(a.Volume)); n != "" {
		v.Label += " (vol. " + n + ")"
	}
	var groups []string
	for _, g := range c.Relationships.Groups() {
		if g.Attributes != nil {
			groups = append(groups, reading.Line(g.Attributes.Name))
		}
	}
	v.Groups = strings.Join(groups, ", ")
	if reading.PlaceOf(c) == reading.Elsewhere {
		v.External = "another site"
		if u, err := url.Parse(reading.WebAddress(text(a.ExternalURL))); err == nil && u.Host != "" {
			v.External = u.Host
		}
	}
	return v
}

func text(t *string) string {
	if t == nil {
		return ""
	}
	return *t
}

// feeds keeps the chapters of the titles seen last: every page that is turned to asks for them.
type feeds struct {
	mu   sync.Mutex
	kept map[feedKey]feed
}

type feedKey struct {
	manga    uuid.UUID
	language string
}

type feed struct {
	chapters []api.Chapter
	until    time.Time
}

// feedWith is the feed of a title in the language of a chapter that must be in it, so that a chapter
// which is newer than what is kept has neighbours, too.
func (s *server) feedWith(ctx context.Context, manga uuid.UUID, chapter *api.Chapter) ([]api.Chapter, error) {
	language := chapter.Attributes.TranslatedLanguage
	all, err := s.feed(ctx, manga, language)
	if err != nil || slices.ContainsFunc(all, func(c api.Chapter) bool { return c.ID == chapter.ID }) {
		return all, err
	}
	s.feeds.mu.Lock()
	delete(s.feeds.kept, feedKey{manga, language})
	s.feeds.mu.Unlock()
	return s.feed(ctx, manga, language)
}

// feed is all chapters of a title in a language.
func (s *server) feed(ctx context.Context, manga uuid.UUID, language string) ([]api.Chapter, error) {
	const maxKept, life = 32, 5 * time.Minute
	key, now := feedKey{manga, language}, time.Now()
	s.feeds.mu.Lock()
	kept := s.feeds.kept[key]
	s.feeds.mu.Unlock()
	if now.Before(kept.until) {
		return kept.chapters, nil
	}
	params := &api.GetMangaFeedParams{
		ContentRating: reading.AllRatings(), Includes: []api.Include{api.IncludeScanlationGroup},
	}
	if language != anyLanguage && language != "" {
		params.TranslatedLanguage = []string{language}
	}
	var all []api.Chapter
	for c, err := range s.client.GetMangaFeedAll(ctx, manga, params, api.WithSlices()) {
		if err != nil {
			return nil, err
		}
		all = append(all, c)
	}
	s.feeds.mu.Lock()
	defer s.feeds.mu.Unlock()
	if s.feeds.kept == nil || len(s.feeds.kept) >= maxKept {
		s.feeds.kept = map[feedKey]feed{}
	}
	s.feeds.kept[key] = feed{all, now.Add(life)}
	return all, nil
}
