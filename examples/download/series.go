package main

import (
	"encoding/json"
	"fmt"
	"io"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/mangadex-go/mangadex/api"
	"github.com/mangadex-go/mangadex/api/reading"
	"github.com/mangadex-go/mangadex/internal/atomicfile"
)

// A series is series.json as Mylar writes it and readers such as Komga take it. They want every member, known
// or not.
type series struct {
	Version  string         `json:"version"`
	Metadata seriesMetadata `json:"metadata"`
}

type seriesMetadata struct {
	Type                 string  `json:"type"`
	Publisher            string  `json:"publisher"`
	Imprint              *string `json:"imprint"`
	Name                 string  `json:"name"`
	ComicID              string  `json:"comicid"`
	Year                 int     `json:"year"` // 0: not known
	DescriptionText      string  `json:"description_text"`
	DescriptionFormatted string  `json:"description_formatted"`
	Volume               *int    `json:"volume"`
	BookType             string  `json:"booktype"`
	AgeRating            *string `json:"age_rating"`
	ComicImage           string  `json:"comic_image"` // an address
	TotalIssues          int     `json:"total_issues"`
	PublicationRun       string  `json:"publication_run"`
	Status               string  `json:"status"` // Continuing or Ended
}

// ageRatings are those of series.json.
var ageRatings = map[api.ContentRating]string{
	api.ContentRatingSafe: "All", api.ContentRatingSuggestive: "15+", api.ContentRatingErotica: "17+", api.ContentRatingPornographic: "Adult",
}

// saveSeries writes what is known of the title into its folder.
func (j *job) saveSeries(languages []string) error {
	a := &j.manga.Attributes
	description := a.Description.In(append(languages, "en")...)
	m := seriesMetadata{
		Type: "comicSeries", Name: reading.Line(reading.Title(a, languages...)), ComicID: j.manga.ID.String(), BookType: "Print",
		DescriptionText: strings.ReplaceAll(reading.Plain(description), "\n", " "), DescriptionFormatted: reading.Plain(description),
		TotalIssues: len(j.list.Entries), Status: "Continuing",
	}
	if a.LastChapter != nil {
		if last, err := strconv.Atoi(*a.LastChapter); err == nil && last > 0 {
			m.TotalIssues = last
		}
	}
	if a.Status == api.PublicationStatusCompleted || a.Status == api.PublicationStatusCancelled {
		m.Status = "Ended"
	}
	if a.Year != nil {
		m.Year = *a.Year
		m.PublicationRun = fmt.Sprint(m.Year, " - ")
		if m.Status == "Continuing" {
			m.PublicationRun += "Present"
		}
	}
	if rating, ok := ageRatings[a.ContentRating]; ok {
		m.AgeRating = &rating
	}
	if cover, ok := j.manga.Relationships.Cover(); ok && cover.Attributes != nil {
		m.ComicImage = api.CoverURL(j.manga.ID, cover.Attributes.FileName, api.CoverOriginal)
	}
	content, err := json.MarshalIndent(series{"1.0.2", m}, "", "\t")
	if err != nil {
		return err
	}
	return atomicfile.Write(filepath.Join(j.dir, "series.json"), 0o666, func(w io.Writer) error {
		_, err := w.Write(append(content, '\n'))
		return err
	})
}
