package main

import (
	"cmp"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/google/uuid"

	"github.com/mangadex-go/mangadex/api"
	"github.com/mangadex-go/mangadex/api/reading"
	"github.com/mangadex-go/mangadex/authn"
)

const (
	perPage    = 24     // titles
	maxResults = 10_000 // that MangaDex shows of a search
)

// A list is a page of titles.
type list struct {
	Heading, Empty string
	Cards          []card
	Before, After  string // addresses of the pages next to it
	Home           bool   // with what this browser has begun to read
}

// A card is a title in a list.
type card struct{ Address, Title, Author, Cover, Facts string }

// search lists what a search finds, or the titles that most readers follow. An address of MangaDex,
// or an id, leads to the title itself.
func (s *server) search(w http.ResponseWriter, r *http.Request) error {
	question := strings.TrimSpace(r.FormValue("q"))
	if to := addressIn(question); to != "" {
		http.Redirect(w, r, to, http.StatusSeeOther)
		return nil
	}
	language := s.languageOf(r)
	if language == "" {
		return &problem{http.StatusBadRequest, "That is not the code of a language; one looks like en or pt-br."}
	}
	n, err := pageOf(r)
	if err != nil {
		return err
	}
	params := &api.SearchMangaParams{
		Limit: api.Ptr(perPage), Offset: api.Ptr((n - 1) * perPage), Order: api.MangaOrder{}.FollowedCount(api.Desc),
		Includes: []api.Include{api.IncludeAuthor, api.IncludeCoverArt},
	}
	view := list{Heading: "Popular titles", Home: n == 1, Empty: "There is no title with chapters in " + languageName(language) + "."}
	if question != "" {
		params.Title, params.Order = &question, api.MangaOrder{}.Relevance(api.Desc)
		view = list{Heading: "Titles for “" + question + "”", Empty: "No title matches. Try fewer words, or another language. Titles that are rated pornographic are left out; paste the address of one."}
	}
	if language != anyLanguage {
		params.AvailableTranslatedLanguage = []string{language}
	}
	found, err := s.client.SearchManga(authn.ContextWithoutToken(r.Context()), params)
	if err != nil {
		return err
	}
	view.fill(r, found, language, n)
	title := view.Heading
	if question == "" {
		title = "Reader"
	}
	return s.show(w, r, http.StatusOK, "list", title, view)
}

// following lists the titles that the account follows.
func (s *server) following(w http.ResponseWriter, r *http.Request) error {
	n, err := pageOf(r)
	if err != nil {
		return err
	}
	found, err := s.client.ListFollowedManga(r.Context(), &api.ListFollowedMangaParams{
		Limit: api.Ptr(perPage), Offset: api.Ptr((n - 1) * perPage),
		Includes: []api.Include{api.IncludeAuthor, api.IncludeCoverArt},
	})
	if err != nil {
		return err
	}
	view := list{Heading: "Following", Empty: "You follow no title yet. The page of a title has a button for it."}
	view.fill(r, found, s.languageOf(r), n)
	return s.show(w, r, http.StatusOK, "list", view.Heading, view)
}

func (l *list) fill(r *http.Request, found *api.MangaList, language string, n int) {
	for i := range found.Data {
		m := &found.Data[i]
		c := card{
			Address: titleAddress(m.ID, language), Title: reading.Line(reading.Title(&m.Attributes, language)),
			Author: authorsOf(m.Relationships), Cover: coverAddress(m.ID, m.Relationships, "256"), Facts: statusName(m.Attributes.Status),
		}
		if m.Attributes.Year != nil {
			c.Facts = strconv.Itoa(*m.Attributes.Year) + ", " + strings.ToLower(c.Facts)
		}
		l.Cards = append(l.Cards, c)
	}
	at := func(n int) string {
		query := r.URL.Query()
		query.Set("page", strconv.Itoa(n))
		return r.URL.Path + "?" + query.Encode()
	}
	if n > 1 {
		l.Before, l.Empty = at(n-1), "The list ends before this page."
	}
	if n*perPage < found.Total && (n+1)*perPage <= maxResults {
		l.After = at(n + 1)
	}
}

func pageOf(r *http.Request) (int, error) {
	text := cmp.Or(r.FormValue("page"), "1")
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 || n*perPage > maxResults {
		return 0, &problem{http.StatusBadRequest, fmt.Sprintf("MangaDex shows the pages 1 to %d of a list.", maxResults/perPage)}
	}
	return n, nil
}

// addressIn is where a question leads that is an id or an address of MangaDex, empty for any other.
func addressIn(question string) string {
	link, ok := reading.ParseLink(question)
	switch {
	case !ok || link.ID == uuid.Nil:
		return ""
	case link.Kind == api.ResourceTypeChapter:
		return "/chapter/" + link.ID.String()
	case link.Kind == api.ResourceTypeManga, link.Kind == api.ResourceTypeCoverArt, link.Kind == "":
		return "/title/" + link.ID.String()
	}
	return ""
}

func titleAddress(id uuid.UUID, language string) string {
	return "/title/" + id.String() + "?lang=" + url.QueryEscape(language)
}

func coverAddress(id uuid.UUID, rs api.Relationships, size string) string {
	cover, ok := rs.Cover()
	if !ok || cover.Attributes == nil {
		return ""
	}
	return "/title/" + id.String() + "/covers/" + url.PathEscape(cover.Attributes.FileName) + "?size=" + size
}

// authorsOf names who wrote and who drew a title, each once.
func authorsOf(rs api.Relationships) string {
	var names []string
	for _, person := range slices.Concat(rs.Authors(), rs.Artists()) {
		if person.Attributes == nil {
			continue
		}
		if name := reading.Line(person.Attributes.Name); !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return strings.Join(names, ", ")
}
