package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/google/uuid"

	"github.com/mangadex-go/mangadex/api"
	"github.com/mangadex-go/mangadex/api/cli"
	"github.com/mangadex-go/mangadex/api/library"
	"github.com/mangadex-go/mangadex/api/reading"
)

// A record is what is exported of a title. Import looks at ID, Followed, Status, Rating and Read.
type record struct {
	ID       uuid.UUID   `json:"id"`
	Title    string      `json:"title"`
	Followed bool        `json:"followed"`
	Status   string      `json:"status,omitempty"`
	Rating   int         `json:"rating,omitempty"`  // 1 to 10
	Read     []uuid.UUID `json:"read"`              // chapters
	Average  float64     `json:"average,omitempty"` // rating by all users
	Follows  int         `json:"follows"`           // by all users
}

func describe(t *library.Title) record {
	r := record{ID: t.Manga.ID, Title: reading.Title(&t.Manga.Attributes), Followed: t.Followed, Status: string(t.Status), Read: t.Read}
	if t.Rating != nil {
		r.Rating = t.Rating.Rating
	}
	if t.Statistics != nil {
		r.Follows = t.Statistics.Follows
		if average := t.Statistics.Rating.Bayesian; average != nil {
			r.Average = *average
		}
	}
	return r
}

// formats write an export.
var formats = map[string]func(io.Writer, []record) error{"table": writeTable, "csv": writeCSV, "json": writeJSON}

func writeJSON(w io.Writer, records []record) error { return cli.WriteJSON(w, records) }

var columns = []string{"id", "title", "followed", "status", "rating", "read", "average", "follows"}

func writeCSV(w io.Writer, records []record) error {
	lines := [][]string{columns}
	for _, r := range records {
		lines = append(lines, []string{
			r.ID.String(), r.Title, strconv.FormatBool(r.Followed), r.Status, orEmpty(r.Rating), strconv.Itoa(len(r.Read)),
			strconv.FormatFloat(r.Average, 'f', 2, 64), strconv.Itoa(r.Follows),
		})
	}
	return cli.WriteCSV(w, lines)
}

func orEmpty(n int) string {
	if n == 0 {
		return ""
	}
	return strconv.Itoa(n)
}

func writeTable(w io.Writer, records []record) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "TITLE\tSTATUS\tRATING\tREAD\tAVERAGE\tFOLLOWS")
	for _, r := range records {
		fmt.Fprintf(table, "%s\t%s\t%s\t%d\t%.2f\t%d\n", reading.Short(r.Title, 50), r.Status, orEmpty(r.Rating), len(r.Read), r.Average, r.Follows)
	}
	return table.Flush()
}

// parse reads an export in JSON or CSV, all of it before anything is done.
func parse(content []byte) ([]record, error) {
	content, err := cli.UTF8(content)
	if err != nil {
		return nil, err
	}
	read := readCSV
	if text := bytes.TrimSpace(content); bytes.HasPrefix(text, []byte("[")) || bytes.HasPrefix(text, []byte("{")) {
		content, read = text, readJSON
	}
	records, err := read(content)
	if err != nil {
		return nil, err
	}
	seen := map[uuid.UUID]bool{}
	for i, r := range records {
		switch {
		case r.ID == uuid.Nil:
			return nil, fmt.Errorf("title %d (%q) has no id", i+1, r.Title)
		case seen[r.ID]:
			return nil, fmt.Errorf("title %d (%q) is there twice", i+1, r.Title)
		case r.Status != "" && !api.ReadingStatus(r.Status).Valid():
			return nil, fmt.Errorf("title %d (%q) has the unknown status %q", i+1, r.Title, r.Status)
		case r.Rating < 0 || r.Rating > 10:
			return nil, fmt.Errorf("title %d (%q) has the rating %d; it can be 1 to 10", i+1, r.Title, r.Rating)
		}
		seen[r.ID] = true
	}
	return records, nil
}

func readJSON(content []byte) ([]record, error) {
	var records []record
	if err := json.Unmarshal(content, &records); err != nil {
		return nil, fmt.Errorf("it is damaged, or not an export: %w", err)
	}
	return records, nil
}

func readCSV(content []byte) ([]record, error) {
	lines, err := cli.ReadCSV(content)
	if err != nil {
		return nil, fmt.Errorf("it is damaged, or not an export: %w", err)
	}
	column := map[string]int{}
	if len(lines) > 0 {
		for i, name := range lines[0] {
			column[strings.ToLower(name)] = i
		}
	}
	for _, name := range columns[:5] {
		if _, ok := column[name]; !ok {
			return nil, fmt.Errorf("it is not an export in CSV: the first line does not have %q", name)
		}
	}
	records := make([]record, 0, len(lines))
	for i, line := range lines[1:] {
		cell := func(name string) string { return line[column[name]] }
		r := record{Title: cell("title"), Status: cell("status")}
		var errID, errFollowed, errRating error
		r.ID, errID = uuid.Parse(cell("id"))
		r.Followed, errFollowed = strconv.ParseBool(strings.ToLower(cell("followed")))
		if text := cell("rating"); text != "" {
			r.Rating, errRating = strconv.Atoi(text)
		}
		switch {
		case errID != nil:
			return nil, fmt.Errorf("title %d (%q) has %q for an id: %w", i+1, r.Title, cell("id"), errID)
		case errFollowed != nil:
			return nil, fmt.Errorf("title %d (%q) has %q for followed; it can be true or false", i+1, r.Title, cell("followed"))
		case errRating != nil:
			return nil, fmt.Errorf("title %d (%q) has the rating %q; it can be 1 to 10", i+1, r.Title, cell("rating"))
		}
		records = append(records, r)
	}
	return records, nil
}
