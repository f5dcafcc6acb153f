package main

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/mangadex-go/mangadex/api"
	"github.com/mangadex-go/mangadex/api/reading"
	"github.com/mangadex-go/mangadex/authn"
	"github.com/mangadex-go/mangadex/examples/internal/command"
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
		Includes: []api.MangaInclude{api.MangaIncludeAuthor, api.MangaIncludeCoverArt},
	}
	view := list{Heading: "Popular titles", Home: n == 1, Empty: "There is no title with chapters in " + languageName(language) + "."}
	if question != "" {
		params.Title, params.Order = &question, api.MangaOrder{}.Relevance(api.Desc)
		view = list{Heading: "Titles for “" + question + "”", Empty: "No title matches. Try fewer words, or another language."}
	}
	if language != anyLanguage {
		params.AvailableTranslatedLanguage = []string{language}
	}
	found, err := s.client.SearchManga(authn.WithoutToken(r.Context()), params)
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
		Includes: []api.MangaInclude{api.MangaIncludeAuthor, api.MangaIncludeCoverArt},
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
			Address: titleAddress(m.ID, language), Title: reading.Title(&m.Attributes, language),
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
	id, kind, ok := command.ParseID(question)
	switch {
	case ok && kind == "chapter":
		return "/chapter/" + id.String()
	case ok && (kind == "title" || kind == ""):
		return "/title/" + id.String()
	}
	return ""
}

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
		params := &api.GetMangaParams{Includes: []api.MangaInclude{api.MangaIncludeAuthor, api.MangaIncludeArtist, api.MangaIncludeCoverArt}}
		if manga, err = s.client.GetManga(authn.WithoutToken(ctx), id, params); err != nil {
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
		ID: id, Name: reading.Title(a, language), Cover: coverAddress(id, manga.Data.Relationships, "512"),
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
	for _, c := range inOrder(chapters, a.ChapterNumbersResetOnNewVolume) {
		row := rowOf(&c)
		row.Read = mine.read[c.ID]
		v.Chapters = append(v.Chapters, row)
	}
	v.Begin, v.BeginName = begin(v.Chapters)
	turn := r.URL.Query()
	turn.Set("order", "newest")
	if v.Newest {
		turn.Set("order", "oldest")
		slices.Reverse(v.Chapters)
	}
	v.Turn = r.URL.Path + "?" + turn.Encode()
	return s.show(w, r, http.StatusOK, "title", v.Name, v)
}

// begin is where to go on reading: after the last chapter that was read.
func begin(chapters []row) (at *row, name string) {
	name = "Start reading"
	for i := range chapters {
		switch c := &chapters[i]; {
		case c.External != "":
		case c.Read:
			at, name = nil, "Read again"
		case at == nil:
			at = c
		}
	}
	first := slices.IndexFunc(chapters, func(c row) bool { return c.External == "" })
	switch {
	case first < 0:
		return nil, ""
	case at == nil:
		at = &chapters[first]
	case name != "Start reading":
		name = "Continue: " + at.Label
	}
	row := *at // the list is turned around later
	return &row, name
}

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
	ctx := authn.WithoutToken(r.Context())
	opened, release, err := s.images.chapter(ctx, id)
	if err != nil {
		return err
	}
	defer release()
	details := opened.Details()
	row := rowOf(&details)
	v := chapter{ID: id, Label: row.Label, Name: row.Name, Groups: row.Groups, LoggedIn: !s.session.Anonymous(), Back: "/", Layout: "rtl"}
	for i, page := range opened.Pages() {
		v.Pages = append(v.Pages, fmt.Sprintf("/chapter/%s/pages/%d?v=%s", id, i+1, version(page.Name)))
	}
	manga, ok := details.Relationships.Manga()
	if ok {
		v.Manga, v.Back = manga.ID, titleAddress(manga.ID, details.Attributes.TranslatedLanguage)
		reset := false
		if a := manga.Attributes; a != nil {
			v.Title, reset = reading.Title(a, details.Attributes.TranslatedLanguage), a.ChapterNumbersResetOnNewVolume
			if a.OriginalLanguage != "ja" {
				v.Layout = "strip"
			}
		}
		// The chapter can be read without its neighbours.
		if all, err := s.feed(ctx, manga.ID, details.Attributes.TranslatedLanguage); err == nil {
			v.Previous, v.Next = neighbours(inOrder(all, reset), &details)
		}
	}
	return s.show(w, r, http.StatusOK, "chapter", v.Label+" – "+v.Title, v)
}

// neighbours are the chapters before and after one, by the same groups where there is a choice.
func neighbours(chapters []api.Chapter, of *api.Chapter) (previous, next *row) {
	at := slices.IndexFunc(chapters, func(c api.Chapter) bool { return c.ID == of.ID })
	if at < 0 {
		return nil, nil
	}
	pick := func(step int) *row {
		var best *api.Chapter
		for i := at + step; i >= 0 && i < len(chapters); i += step {
			c := &chapters[i]
			if sameNumber(c, of) {
				continue
			}
			if best != nil && !sameNumber(c, best) {
				break
			}
			if best == nil || shareGroup(c, of) {
				best = c
			}
			if shareGroup(best, of) {
				break
			}
		}
		if best == nil {
			return nil
		}
		row := rowOf(best)
		return &row
	}
	return pick(-1), pick(1)
}

func sameNumber(a, b *api.Chapter) bool {
	return text(a.Attributes.Chapter) == text(b.Attributes.Chapter) && text(a.Attributes.Volume) == text(b.Attributes.Volume)
}

func shareGroup(a, b *api.Chapter) bool {
	for _, g := range a.Relationships.Groups() {
		for _, h := range b.Relationships.Groups() {
			if g.ID == h.ID {
				return true
			}
		}
	}
	return false
}

// inOrder sorts chapters as they are read. Volumes come late, so that the newest chapters have none:
// they count only where the numbers begin again with each.
func inOrder(chapters []api.Chapter, byVolume bool) []api.Chapter {
	sorted := slices.Clone(chapters)
	slices.SortStableFunc(sorted, func(a, b api.Chapter) int {
		byNumber := cmp.Compare(number(a.Attributes.Chapter, 0), number(b.Attributes.Chapter, 0))
		if byVolume {
			return cmp.Or(cmp.Compare(number(a.Attributes.Volume, math.Inf(1)), number(b.Attributes.Volume, math.Inf(1))), byNumber)
		}
		return byNumber
	})
	return sorted
}

func number(t *string, otherwise float64) float64 {
	n, err := strconv.ParseFloat(text(t), 64)
	if err != nil {
		return otherwise
	}
	return n
}

func text(t *string) string {
	if t == nil {
		return ""
	}
	return *t
}

func rowOf(c *api.Chapter) row {
	a := &c.Attributes
	v := row{
		ID: c.ID, Address: "/chapter/" + c.ID.String(), Label: "Oneshot", Name: text(a.Title),
		Language: a.TranslatedLanguage, Pages: a.Pages, Time: a.ReadableAt,
	}
	if n := text(a.Chapter); n != "" {
		v.Label = "Chapter " + n
	}
	if n := text(a.Volume); n != "" {
		v.Label += " (vol. " + n + ")"
	}
	var groups []string
	for _, g := range c.Relationships.Groups() {
		if g.Attributes != nil {
			groups = append(groups, g.Attributes.Name)
		}
	}
	v.Groups = strings.Join(groups, ", ")
	if external := text(a.ExternalURL); external != "" && a.Pages == 0 {
		v.External = external
		if u, err := url.Parse(external); err == nil && u.Host != "" {
			v.External = u.Host
		}
	}
	return v
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
		ContentRating: reading.AllRatings(), Includes: []api.ChapterInclude{api.ChapterIncludeScanlationGroup},
		Order: api.ChapterOrder{}.Chapter(api.Asc),
	}
	if language != anyLanguage && language != "" {
		params.TranslatedLanguage = []string{language}
	}
	var all []api.Chapter
	for c, err := range s.client.GetMangaFeedAll(ctx, manga, params) {
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
		if person.Attributes != nil && !slices.Contains(names, person.Attributes.Name) {
			names = append(names, person.Attributes.Name)
		}
	}
	return strings.Join(names, ", ")
}

// anyLanguage stands for all of them.
const anyLanguage = "any"

var languageNames = map[string]string{
	anyLanguage: "any language", "ar": "Arabic", "cs": "Czech", "de": "German", "en": "English", "es": "Spanish",
	"es-la": "Spanish (Latin America)", "fr": "French", "hu": "Hungarian", "id": "Indonesian", "it": "Italian",
	"ja": "Japanese", "ko": "Korean", "nl": "Dutch", "pl": "Polish", "pt": "Portuguese", "pt-br": "Portuguese (Brazil)",
	"ro": "Romanian", "ru": "Russian", "th": "Thai", "tr": "Turkish", "uk": "Ukrainian", "vi": "Vietnamese",
	"zh": "Chinese", "zh-hk": "Chinese (traditional)",
}

func languageName(code string) string { return cmp.Or(languageNames[code], code) }

var languageCode = regexp.MustCompile(`^[a-z]{2,3}(-[a-z]{2,4})?$`)

func isLanguage(code string) bool { return languageCode.MatchString(code) }

// languageOf is the language that a request asks for, empty if it asks for nonsense.
func (s *server) languageOf(r *http.Request) string {
	code := cmp.Or(strings.ToLower(r.FormValue("lang")), s.language)
	if !isLanguage(code) {
		return ""
	}
	return code
}

// Languages are those to choose from in a search.
func (l layout) Languages() []choice {
	var all []choice
	for code, name := range languageNames {
		all = append(all, choice{code, name, code == l.Language})
	}
	if _, known := languageNames[l.Language]; !known && l.Language != "" {
		all = append(all, choice{l.Language, l.Language, true})
	}
	slices.SortFunc(all, func(a, b choice) int { return cmp.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name)) })
	return all
}

// statusName writes a word of MangaDex, such as on_hold, for people.
func statusName[T ~string](word T) string {
	if word == "" {
		return ""
	}
	text := strings.ReplaceAll(string(word), "_", " ")
	return strings.ToUpper(text[:1]) + text[1:]
}
