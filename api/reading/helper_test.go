package reading_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/mangadex-go/mangadex/api"
	"github.com/mangadex-go/mangadex/api/reading"
)

// A chapter is what a test says of one. Volume and number - are null, and so is the title.
type chapter struct {
	name, volume, number, title string
	by                          string // groups with commas between; uploaders begin with @
	language                    string // en by default
	day                         int    // on which it appeared
	external, gone              bool
}

var start = time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)

func idOf(name string) uuid.UUID { return uuid.NewSHA1(uuid.NameSpaceURL, []byte(name)) }

func text(s string) *string {
	if s == "-" {
		return nil
	}
	return &s
}

func (c chapter) build() api.Chapter {
	a := api.ChapterAttributes{Volume: text(c.volume), Chapter: text(c.number), Title: text(c.title), TranslatedLanguage: c.language, Pages: 5, IsUnavailable: c.gone}
	if c.language == "" {
		a.TranslatedLanguage = "en"
	}
	if c.external {
		a.Pages, a.ExternalURL = 0, api.Ptr("https://publisher.example/"+c.name)
	}
	a.ReadableAt = start.AddDate(0, 0, c.day)
	built := api.Chapter{ID: idOf(c.name), Attributes: a}
	for name := range strings.SplitSeq(c.by, ",") {
		switch user, isUser := strings.CutPrefix(name, "@"); {
		case isUser:
			built.Relationships = append(built.Relationships, api.Relationship{ID: idOf(name), Type: api.ResourceTypeUser, Attributes: &api.UserAttributes{Username: user}})
		case name != "":
			built.Relationships = append(built.Relationships, api.Relationship{ID: idOf(name), Type: api.ResourceTypeScanlationGroup, Attributes: &api.GroupAttributes{Name: name}})
		}
	}
	return built
}

func build(chapters []chapter) []api.Chapter {
	var all []api.Chapter
	for i, c := range chapters {
		if c.day == 0 {
			c.day = i + 1
		}
		if c.name == "" {
			c.name = fmt.Sprint(i)
		}
		all = append(all, c.build())
	}
	return all
}

// show writes a list so that it can be compared: entries with spaces between, versions with +.
func show(l *reading.List, chapters []chapter) string {
	names := map[uuid.UUID]string{}
	for i, c := range chapters {
		if c.name == "" {
			c.name = fmt.Sprint(i)
		}
		names[idOf(c.name)] = c.name
	}
	var entries []string
	for _, e := range l.Entries {
		var versions []string
		for _, v := range e.Versions {
			versions = append(versions, names[v.ID])
		}
		entries = append(entries, strings.Join(versions, "+"))
	}
	return strings.Join(entries, " ")
}

func same[T comparable](t *testing.T, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Errorf("%s: got %+v, want %+v", what, got, want)
	}
}
