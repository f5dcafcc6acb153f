package main

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/mangadex-go/mangadex/api/reading"
)

// A figure is what a plot and the table beside it show.
type figure struct {
	Name, Title string
	Unit        string   // of the values, in a word
	Series      []string // names of the values of a row; one without a name if there is nothing to tell apart
	Rows        []figureRow
	Upright     bool // the labels are a sequence, such as days
}

type figureRow struct {
	Label  string
	Values []float64
}

// figures are all that there are, in their order.
var figures = []struct {
	name string
	of   func(context.Context, *database) (figure, error)
}{
	{"days", chaptersByDay}, {"languages", chaptersByLanguage}, {"years", titlesByYear}, {"tags", titlesByTag},
	{"ratings", titlesByRating}, {"groups", busiestGroups}, {"runs", allowanceByRun},
}

// figureOf makes a figure by its name.
func figureOf(ctx context.Context, db *database, name string) (f figure, ok bool, err error) {
	for _, one := range figures {
		if one.name == name {
			f, err = one.of(ctx, db)
			f.Name = name
			return f, true, err
		}
	}
	return figure{}, false, nil
}

const days = 30 // that are shown

// lastDays are the first and the last of the days that are shown. The last one is that of the newest
// chapter that can be read: a copy may be old.
func lastDays(ctx context.Context, db *database) (from, to time.Time, ok bool, err error) {
	var newest any
	now := time.Now().UTC()
	err = db.QueryRowContext(ctx, "SELECT max(readable_at) FROM chapter WHERE readable_at <= $1", now.Format(timeLayout)).Scan(&newest)
	switch v := newest.(type) {
	case time.Time:
		to = v.UTC()
	case string:
		to, _ = time.Parse(timeLayout, v)
	}
	if err != nil || to.IsZero() {
		return from, to, false, err
	}
	to = to.Truncate(24 * time.Hour)
	return to.AddDate(0, 0, 1-days), to, true, nil
}

func chaptersByDay(ctx context.Context, db *database) (figure, error) {
	const shown = 5 // languages
	f := figure{Title: "New chapters by day and language", Unit: "chapters", Upright: true}
	from, to, ok, err := lastDays(ctx, db)
	if err != nil || !ok {
		return f, err
	}
	byDay, byLanguage := map[string]map[string]float64{}, map[string]float64{}
	query := fmt.Sprintf("SELECT %s, coalesce(language, ''), count(*) FROM chapter WHERE readable_at >= $1 AND readable_at < $2 GROUP BY 1, 2", db.day)
	err = each(ctx, db, query, []any{moment(from), moment(to.AddDate(0, 0, 1))}, func(row *sql.Rows) error {
		var day, language string
		var n float64
		err := row.Scan(&day, &language, &n)
		if byDay[day] == nil {
			byDay[day] = map[string]float64{}
		}
		byDay[day][language] += n
		byLanguage[language] += n
		return err
	})
	if err != nil {
		return f, err
	}
	for language := range byLanguage {
		f.Series = append(f.Series, language)
	}
	slices.SortFunc(f.Series, func(a, b string) int {
		if byLanguage[a] != byLanguage[b] {
			return int(byLanguage[b] - byLanguage[a])
		}
		return strings.Compare(a, b)
	})
	more := len(f.Series) > shown
	f.Series = f.Series[:min(len(f.Series), shown)]
	for day := from; !day.After(to); day = day.AddDate(0, 0, 1) {
		label := day.Format(time.DateOnly)
		row, rest := figureRow{Label: label}, 0.0
		for language, n := range byDay[label] {
			if !slices.Contains(f.Series, language) {
				rest += n
			}
		}
		for _, language := range f.Series {
			row.Values = append(row.Values, byDay[label][language])
		}
		if more {
			row.Values = append(row.Values, rest)
		}
		f.Rows = append(f.Rows, row)
	}
	if more {
		f.Series = append(f.Series, "others")
	}
	return f, nil
}

// counted is a figure of a query that gives labels and numbers.
func counted(ctx context.Context, db *database, f figure, query string, args ...any) (figure, error) {
	f.Series = []string{""}
	err := each(ctx, db, query, args, func(row *sql.Rows) error {
		var label string
		var n float64
		err := row.Scan(&label, &n)
		f.Rows = append(f.Rows, figureRow{reading.Line(label), []float64{n}})
		return err
	})
	return f, err
}

func chaptersByLanguage(ctx context.Context, db *database) (figure, error) {
	f := figure{Title: "Chapters by language", Unit: "chapters"}
	return counted(ctx, db, f, "SELECT language, count(*) FROM chapter WHERE language IS NOT NULL GROUP BY language ORDER BY count(*) DESC, language LIMIT 15")
}

func titlesByYear(ctx context.Context, db *database) (figure, error) {
	f := figure{Title: "Titles by the year in which they began", Unit: "titles", Upright: true}
	f, err := counted(ctx, db, f, "SELECT CAST(year AS text), count(*) FROM manga WHERE year BETWEEN 1900 AND 2100 GROUP BY year ORDER BY year")
	return f.filled(), err
}

// filled has a row for every number between the first one and the last.
func (f figure) filled() figure {
	var all []figureRow
	for _, row := range f.Rows {
		if len(all) > 0 {
			last, err1 := strconv.Atoi(all[len(all)-1].Label)
			next, err2 := strconv.Atoi(row.Label)
			for n := last + 1; err1 == nil && err2 == nil && n < next; n++ {
				all = append(all, figureRow{strconv.Itoa(n), []float64{0}})
			}
		}
		all = append(all, row)
	}
	f.Rows = all
	return f
}

func titlesByTag(ctx context.Context, db *database) (figure, error) {
	f := figure{Title: "Titles by tag, the 20 most frequent", Unit: "titles"}
	return counted(ctx, db, f, `SELECT tag.name, counts.n FROM (SELECT tag_id, count(*) AS n FROM manga_tag GROUP BY tag_id) AS counts
		JOIN tag ON tag.id = counts.tag_id ORDER BY counts.n DESC, tag.name LIMIT 20`)
}

func titlesByRating(ctx context.Context, db *database) (figure, error) {
	f := figure{Title: "Titles by rating", Unit: "titles", Upright: true}
	var bins strings.Builder
	for n := 1; n < 10; n++ {
		fmt.Fprintf(&bins, " WHEN rating_bayesian < %d THEN %d", n+1, n)
	}
	f, err := counted(ctx, db, f, "SELECT CAST(CASE"+bins.String()+" ELSE 10 END AS text), count(*) FROM statistics WHERE rating_bayesian IS NOT NULL GROUP BY CASE"+bins.String()+" ELSE 10 END ORDER BY min(rating_bayesian)")
	return f.filled(), err
}

func busiestGroups(ctx context.Context, db *database) (figure, error) {
	f := figure{Title: "The groups with most chapters", Unit: "chapters"}
	return counted(ctx, db, f, `SELECT scanlation_group.name, counts.n
		FROM (SELECT group_id, count(*) AS n FROM chapter_group GROUP BY group_id ORDER BY n DESC LIMIT 40) AS counts
		JOIN scanlation_group ON scanlation_group.id = counts.group_id ORDER BY counts.n DESC, scanlation_group.name LIMIT 20`)
}

// allowance is how many requests MangaDex allows in a second.
const allowance = 5

func allowanceByRun(ctx context.Context, db *database) (figure, error) {
	f := figure{Title: "Part of the allowance that the last runs used, in percent", Unit: "%", Series: []string{""}, Upright: true}
	err := each(ctx, db, "SELECT began, requests, working FROM run WHERE working > 0 ORDER BY id DESC LIMIT 30", nil, func(row *sql.Rows) error {
		var began int64
		var requests, working float64
		err := row.Scan(&began, &requests, &working)
		label := time.UnixMilli(began).UTC().Format("2006-01-02 15:04")
		f.Rows = append(f.Rows, figureRow{label, []float64{100 * requests / (allowance * working / 1000)}})
		return err
	})
	slices.Reverse(f.Rows)
	return f, err
}
