package main

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/mangadex-go/mangadex/api"
	"github.com/mangadex-go/mangadex/api/reading"
	"github.com/mangadex-go/mangadex/authn"
)

// A title is the page of one.
type title struct {
	ID                          uuid.UUID
	Name, Cover, Authors, About string
	Facts, Tags                 []string
	Languages                   []choice
	Chapters                    []row
	Newest                      bool   // first
	Turn                        string // address with the other order
	Here                        string // path and query, for forms
	Begin                       *row   // what to read next; nil if there is nothing
	BeginName                   string

	LoggedIn bool
	Trouble  string // why what follows is not known
	Followed bool
	Statuses []choice
}

// A choice is an option in a list to choose from.
type choice struct {
	Value, Name string
	Chosen      bool
}

// A row is a chapter in a list.
type row struct {
	ID             uuid.UUID
	Address, Label string
	Name, Groups   string
	Language       string
	External       string // host of the site where it is read
	Pages          int
	Time           time.Time
	Read           bool
}

func (s *server) title(w http.ResponseWriter, r *http.Request) error {
	id, err := idOf(r)
	if err != nil {
		return err
	}
	language := s.languageOf(r)
	if language == "" {
		return &problem{http.StatusBadRequest, "That is not the code of a language; one looks like en or pt-br."}
	}
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	var (
		wg       sync.WaitGroup
		manga    *api.MangaResponse
		chapters []api.Chapter
		feedErr  error
		mine     library
	)
	wg.Go(func() {
		params := &api.GetMangaParams{Includes: []api.Include{api.IncludeAuthor, api.IncludeArtist, api.IncludeCoverArt}}
		if manga, err = s.client.GetManga(authn.ContextWithoutToken(ctx), id, params); err != nil {
			cancel()
		}
	})
	wg.Go(func() { chapters, feedErr = s.feed(ctx, id, language) })
	wg.Go(func() { mine = s.library(ctx, id) })
	wg.Wait()
	if err := cmp.Or(err, feedErr); err != nil {
		return err
	}

	a := &manga.Data.Attributes
	v := title{
		ID: id, Name: reading.Line(reading.Title(a, language)), Cover: coverAddress(id, manga.Data.Relationships, "512"),
		Authors: authorsOf(manga.Data.Relationships), About: reading.Plain(a.Description.In(language)),
		Newest: r.FormValue("order") != "oldest", Here: r.URL.RequestURI(),
		LoggedIn: mine.loggedIn, Trouble: mine.trouble, Followed: mine.followed,
	}
	if a.Year != nil {
		v.Facts = append(v.Facts, strconv.Itoa(*a.Year))
	}
	v.Facts = append(v.Facts, statusName(a.Status), languageName(a.OriginalLanguage)+" original", "rated "+strings.ToLower(statusName(a.ContentRating)))
	for _, tag := range a.Tags {
		v.Tags = append(v.Tags, tag.Attributes.Name.In(language))
	}
	for _, code := range slices.Sorted(slices.Values(append([]string{anyLanguage, language}, a.AvailableTranslatedLanguages...))) {
		if code != "" && (len(v.Languages) == 0 || v.Languages[len(v.Languages)-1].Value != code) {
			v.Languages = append(v.Languages, choice{code, languageName(code), code == language})
		}
	}
	for _, status := range append([]api.ReadingStatus{""}, statuses...) {
		v.Statuses = append(v.Statuses, choice{string(status), cmp.Or(statusName(status), "None"), status == mine.status})
	}
	order := inOrder(chapters, a)
	for _, entry := range order.Entries {
		for _, c := range entry.Versions {
			row := rowOf(&c.Chapter)
			row.Read = mine.read[c.ID]
			v.Chapters = append(v.Chapters, row)
		}
	}
	v.Begin, v.BeginName = begin(order, mine.read)
	turn := r.URL.Query()
	turn.Set("order", "newest")
	if v.Newest {
		turn.Set("order", "oldest")
		slices.Reverse(v.Chapters)
	}
	v.Turn = r.URL.Path + "?" + turn.Encode()
	return s.show(w, r, http.StatusOK, "title", v.Name, v)
}

// begin is where to go on reading: after the last chapter that was read, in whatever version.
func begin(chapters *reading.List, read map[uuid.UUID]bool) (at *row, name string) {
	isRead := func(id uuid.UUID) bool { return read[id] }
	first, ok := chapters.Continue(func(uuid.UUID) bool { return false })
	if !ok {
		return nil, ""
	}
	begun := slices.ContainsFunc(chapters.Entries, func(e reading.Entry) bool {
		return slices.ContainsFunc(e.Versions, func(v reading.Version) bool { return isRead(v.ID) })
	})
	next, more := chapters.Continue(isRead)
	switch {
	case !begun:
		row := rowOf(&first.Chosen().Chapter)
		return &row, "Start reading"
	case !more:
		row := rowOf(&first.Chosen().Chapter)
		return &row, "Read again"
	}
	row := rowOf(&next.Chosen().Chapter)
	return &row, "Continue: " + row.Label
}
