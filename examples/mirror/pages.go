package main

import (
	"database/sql"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
)

const perPage = 24 // titles

// A card is a title in a list.
type card struct {
	ID     uuid.UUID
	Title  string
	Cover  string // file; empty: none
	Year   string
	Rating string
}

// cards are a page of titles.
type cards struct {
	Query          string
	All            int
	Cards          []card
	Previous, Next string // addresses; empty: none
}

// titles searches all names of titles, or shows those that were added last.
func (s *server) titles(w http.ResponseWriter, r *http.Request) error {
	query := strings.TrimSpace(r.FormValue("q"))
	page, err := strconv.Atoi(r.FormValue("page"))
	if err != nil || page < 1 || page > 10_000 {
		page = 1
	}
	// What is found is looked for once, to be counted and to be shown.
	with, from, order, args := "", "manga", "manga.created_at DESC, manga.id", []any{}
	if query != "" {
		with = "WITH found AS MATERIALIZED (SELECT DISTINCT manga_id FROM manga_name WHERE " + s.db.within + "(folded, $1) > 0)"
		from, order = "found JOIN manga ON manga.id = found.manga_id", "manga.title, manga.id"
		args = append(args, fold(query))
	}
	found := cards{Query: query}
	counted, _, _ := strings.Cut(from, " ")
	statement := fmt.Sprintf(`%s SELECT shown.id, shown.title, coalesce(cover.file_name, ''), coalesce(CAST(shown.year AS text), ''), statistics.rating_bayesian, (SELECT count(*) FROM %s)
		FROM (SELECT manga.id, manga.title, manga.year, manga.cover_id, manga.created_at FROM %s ORDER BY %s LIMIT %d OFFSET %d) AS shown
		LEFT JOIN cover ON cover.id = shown.cover_id LEFT JOIN statistics ON statistics.manga_id = shown.id ORDER BY %s`,
		with, counted, from, order, perPage, (page-1)*perPage, strings.ReplaceAll(order, "manga.", "shown."))
	err = each(r.Context(), s.db, statement, args, func(row *sql.Rows) error {
		var c card
		var rating sql.NullFloat64
		err := row.Scan(&c.ID, &c.Title, &c.Cover, &c.Year, &rating, &found.All)
		if rating.Valid {
			c.Rating = fmt.Sprintf("%.2f", rating.Float64)
		}
		found.Cards = append(found.Cards, c)
		return err
	})
	switch {
	case err != nil:
		return err
	case page > 1 && len(found.Cards) == 0:
		return &problem{http.StatusNotFound, "The list is not so long."}
	}
	at := func(page int) string {
		return "/?" + url.Values{"q": {query}, "page": {strconv.Itoa(page)}}.Encode()
	}
	if page > 1 {
		found.Previous = at(page - 1)
	}
	if page*perPage < found.All {
		found.Next = at(page + 1)
	}
	return s.show(w, r, http.StatusOK, "titles", "Titles", found)
}

// news are the chapters that became readable last, with figures.
type news struct {
	Figures []figure
	Days    []newsDay
}

type newsDay struct {
	Day      string
	Chapters []newsChapter
}

type newsChapter struct {
	ID                      uuid.UUID
	Title, Number, Language string
}

func (s *server) chapters(w http.ResponseWriter, r *http.Request) error {
	var n news
	var err error
	if n.Figures, err = s.figures(r, "days", "languages"); err != nil {
		return err
	}
	language := r.FormValue("language")
	condition, args := "", []any{time.Now().UTC().Format(timeLayout)}
	if language != "" {
		condition, args = " AND language = $2", append(args, clean(language))
	}
	query := fmt.Sprintf(`SELECT new.day, new.id, coalesce(manga.title, ''), coalesce(new.number, ''), coalesce(new.language, '')
		FROM (SELECT %s AS day, id, manga_id, number, language, readable_at FROM chapter
			WHERE readable_at <= $1%s ORDER BY readable_at DESC LIMIT 100) AS new
		LEFT JOIN manga ON manga.id = new.manga_id ORDER BY new.readable_at DESC, new.id`, s.db.day, condition)
	err = each(r.Context(), s.db, query, args, func(row *sql.Rows) error {
		var day string
		var c newsChapter
		err := row.Scan(&day, &c.ID, &c.Title, &c.Number, &c.Language)
		if len(n.Days) == 0 || n.Days[len(n.Days)-1].Day != day {
			n.Days = append(n.Days, newsDay{Day: day})
		}
		last := &n.Days[len(n.Days)-1]
		last.Chapters = append(last.Chapters, c)
		return err
	})
	if err != nil {
		return err
	}
	return s.show(w, r, http.StatusOK, "chapters", "New chapters", n)
}

func (s *server) figures(r *http.Request, names ...string) ([]figure, error) {
	var all []figure
	for _, name := range names {
		f, _, err := figureOf(r.Context(), s.db, name)
		if err != nil {
			return nil, err
		}
		all = append(all, f)
	}
	return all, nil
}

// numbers shows figures.
func (s *server) numbers(names ...string) func(http.ResponseWriter, *http.Request) error {
	title := "Numbers"
	if names[0] == "runs" {
		title = "Runs"
	}
	return func(w http.ResponseWriter, r *http.Request) error {
		all, err := s.figures(r, names...)
		if err != nil {
			return err
		}
		return s.show(w, r, http.StatusOK, "figures", title, all)
	}
}
