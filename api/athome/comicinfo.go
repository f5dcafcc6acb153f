package athome

import (
	"context"
	"encoding/xml"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/mangadex-go/mangadex/api"
	"github.com/mangadex-go/mangadex/api/reading"
)

// comicInfo holds the elements of ComicInfo that MangaDex knows something about, in the order of its schema.
// Translator and Tags are of version 2.1, which readers of older ones pass over.
type comicInfo struct {
	XMLName         xml.Name `xml:"ComicInfo"`
	Title           string   `xml:",omitempty"`
	Series          string   `xml:",omitempty"`
	Number          string   `xml:",omitempty"`
	Count           int32    `xml:",omitempty"`
	Volume          *int32   `xml:",omitempty"` // 2.5 is not a volume there
	Summary         string   `xml:",omitempty"`
	Year            int      `xml:",omitempty"`
	Month           int      `xml:",omitempty"`
	Day             int      `xml:",omitempty"`
	Writer          string   `xml:",omitempty"`
	Penciller       string   `xml:",omitempty"`
	Translator      string   `xml:",omitempty"`
	Genre           string   `xml:",omitempty"`
	Tags            string   `xml:",omitempty"`
	Web             string
	PageCount       int
	LanguageISO     string `xml:",omitempty"`
	Manga           string `xml:",omitempty"`
	ScanInformation string `xml:",omitempty"`
	AgeRating       string `xml:",omitempty"`
}

// comicInfo makes ComicInfo.xml, and says when the chapter appeared.
func (c *Chapter) comicInfo(ctx context.Context) ([]byte, time.Time, error) {
	details, err := c.fullDetails(ctx)
	if err != nil {
		return nil, time.Time{}, err
	}
	a := &details.Attributes
	info := comicInfo{
		Title:       text(a.Title),
		Number:      text(a.Chapter),
		Web:         reading.URL(api.ResourceTypeChapter, c.id),
		PageCount:   len(c.pages),
		LanguageISO: languageTag(a.TranslatedLanguage),
	}
	if volume, err := strconv.ParseInt(text(a.Volume), 10, 32); err == nil {
		v := int32(volume)
		info.Volume = &v
	}
	published := a.PublishAt.UTC()
	if !a.PublishAt.IsZero() {
		info.Year, info.Month, info.Day = published.Year(), int(published.Month()), published.Day()
	}
	if manga, ok := details.Relationships.Manga(); ok && manga.Attributes != nil {
		info.about(manga.Attributes, a.TranslatedLanguage)
	}
	if c.title != nil {
		info.about(&c.title.Attributes, a.TranslatedLanguage)
		info.Writer, info.Penciller = people(c.title.Relationships.Authors()), people(c.title.Relationships.Artists())
	}
	var groups []string
	for _, group := range details.Relationships.Groups() {
		if group.Attributes != nil && group.Attributes.Name != "" {
			groups = append(groups, group.Attributes.Name)
		}
	}
	info.ScanInformation, info.Translator = strings.Join(groups, ", "), list(groups)
	body, err := xml.MarshalIndent(info, "", "  ")
	if err != nil {
		return nil, time.Time{}, err
	}
	return append([]byte(xml.Header), append(body, '\n')...), published, nil
}

// about adds what is known of the title, in the language of the chapter where there is a choice.
func (i *comicInfo) about(a *api.MangaAttributes, language string) {
	i.Series = reading.Title(a)
	if len(a.Description) > 0 {
		i.Summary = reading.Plain(a.Description.In(language, "en"))
	}
	if a.OriginalLanguage == "ja" {
		i.Manga = "YesAndRightToLeft"
	}
	if last, err := strconv.ParseInt(text(a.LastChapter), 10, 32); err == nil && last > 0 && a.Status == api.PublicationStatusCompleted {
		i.Count = int32(last)
	}
	var genres, tags []string
	for _, tag := range a.Tags {
		if name := tag.Attributes.Name.String(); tag.Attributes.Group == api.TagGroupGenre {
			genres = append(genres, name)
		} else {
			tags = append(tags, name)
		}
	}
	if d := string(a.PublicationDemographic); d != "" && d != "none" {
		tags = append(tags, strings.ToUpper(d[:1])+d[1:])
	}
	i.Genre, i.Tags = list(genres), list(tags)
	switch a.ContentRating {
	case api.ContentRatingSafe:
		i.AgeRating = "Everyone"
	case api.ContentRatingSuggestive:
		i.AgeRating = "Teen"
	case api.ContentRatingErotica:
		i.AgeRating = "Mature 17+"
	case api.ContentRatingPornographic:
		i.AgeRating = "Adults Only 18+"
	}
}

func people(refs []api.Ref[api.AuthorAttributes]) string {
	var names []string
	for _, ref := range refs {
		if ref.Attributes != nil {
			names = append(names, ref.Attributes.Name)
		}
	}
	return list(names)
}

// list joins names, each once, as ComicInfo has lists: with commas, which no name may have then.
func list(names []string) string {
	var all []string
	for _, name := range names {
		name = reading.Line(strings.ReplaceAll(name, ",", " "))
		if name != "" && !slices.Contains(all, name) {
			all = append(all, name)
		}
	}
	return strings.Join(all, ", ")
}

// fullDetails asks the server for what [WithDetails] did not say.
func (c *Chapter) fullDetails(ctx context.Context) (api.Chapter, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.asked && !c.isFull() {
		if err := c.ask(ctx); err != nil {
			return api.Chapter{}, err
		}
	}
	return c.details, nil
}

// isFull reports whether the details come with the attributes of the title and of the groups.
func (c *Chapter) isFull() bool {
	manga, ok := c.details.Relationships.Manga()
	if c.title == nil && (!ok || manga.Attributes == nil) {
		return false
	}
	for _, group := range c.details.Relationships.Groups() {
		if group.Attributes == nil {
			return false
		}
	}
	return true
}

func text(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

// languageTag turns a language of MangaDex into a tag of BCP 47.
func languageTag(language string) string {
	base, region, ok := strings.Cut(language, "-")
	switch {
	case !ok:
		return base
	case region == "ro": // romanised
		return base + "-Latn"
	case language == "es-la": // Latin America
		return "es-419"
	}
	return base + "-" + strings.ToUpper(region)
}
