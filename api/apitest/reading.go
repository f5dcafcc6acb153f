package apitest

import (
	"slices"
	"time"

	"github.com/google/uuid"
)

// How far an account has read, and what it thinks of it.

// A historyEntry is a chapter that was read, the last one first.
type historyEntry struct {
	ChapterID uuid.UUID `json:"chapterId"`
	ReadDate  readDate  `json:"readDate"`
}

// A readDate is a time as the history has it, unlike all others with fractions of a second and Z.
type readDate time.Time

func (t readDate) MarshalJSON() ([]byte, error) {
	return time.Time(t).UTC().AppendFormat(nil, `"2006-01-02T15:04:05.000000Z"`), nil
}

func listReadingStatuses(c *call) ([]byte, error) {
	wanted := c.query.Get("status")
	statuses := map[uuid.UUID]string{}
	for id, status := range c.user.library.Statuses {
		if wanted == "" || status == wanted {
			statuses[id] = status
		}
	}
	return object(map[string]any{"statuses": byID(statuses)}), nil
}

func getReadingStatus(c *call) ([]byte, error) {
	m, err := c.mangaOf("id")
	if err != nil {
		return nil, err
	}
	var status optional
	if text, ok := c.user.library.Statuses[m.id]; ok {
		status = &text
	}
	return object(map[string]any{"status": status}), nil
}

var readingStatuses = []string{"reading", "on_hold", "plan_to_read", "dropped", "re_reading", "completed"}

func setReadingStatus(c *call) ([]byte, error) {
	m, err := c.mangaOf("id")
	if err != nil {
		return nil, err
	}
	status := fields[struct{ Status optional }](c).Status
	if status == nil {
		delete(c.user.library.Statuses, m.id)
		return done, nil
	}
	if !slices.Contains(readingStatuses, *status) {
		return nil, invalid("/status", "Does not have a value in the enumeration "+string(encode(readingStatuses)))
	}
	put(&c.user.library.Statuses, m.id, *status)
	return done, nil
}

// rate sets the rating of a title; 0 takes it back.
func (st *store) rate(u *user, m *manga, rating int, now time.Time) {
	if old, ok := u.library.Ratings[m.id]; ok {
		m.ratings[old]--
		delete(u.library.Ratings, m.id)
		delete(u.rated, m.id)
	}
	if rating > 0 {
		m.ratings[rating]++
		put(&u.library.Ratings, m.id, rating)
		put(&u.rated, m.id, now)
	}
	st.manga.changed("rating")
}

func listRatings(c *call) ([]byte, error) {
	type rating struct {
		Rating    int   `json:"rating"`
		CreatedAt stamp `json:"createdAt"`
	}
	ratings := map[uuid.UUID]rating{}
	for _, id := range c.ids("manga[]") {
		if n, ok := c.user.library.Ratings[id]; ok {
			ratings[id] = rating{n, stamp(c.user.rated[id])}
		}
	}
	return object(map[string]any{"ratings": byID(ratings)}), nil
}

func setRating(c *call) ([]byte, error) {
	m, err := c.mangaOf("mangaId")
	if err != nil {
		return nil, err
	}
	c.rate(c.user, m, fields[struct{ Rating int }](c).Rating, c.now)
	return done, nil
}

func deleteRating(c *call) ([]byte, error) {
	m, err := c.mangaOf("mangaId")
	if err != nil {
		return nil, err
	}
	c.rate(c.user, m, 0, c.now)
	return done, nil
}

// readOf are the chapters of a title that the account has read.
func (c *call) readOf(m *manga) []uuid.UUID {
	read := []uuid.UUID{}
	marked := set(c.user.library.Read)
	for _, ch := range m.chapters {
		if marked[ch.id] {
			read = append(read, ch.id)
		}
	}
	return read
}

func getMangaReadMarkers(c *call) ([]byte, error) {
	m, err := c.mangaOf("id")
	if err != nil {
		return nil, err
	}
	return object(map[string]any{"data": c.readOf(m)}), nil
}

func listReadMarkers(c *call) ([]byte, error) {
	all := []uuid.UUID{}
	grouped := map[uuid.UUID][]uuid.UUID{}
	for _, id := range c.ids("ids[]") {
		if m, ok := c.manga.get(id); ok && c.sees(m) {
			if read := c.readOf(m); len(read) > 0 {
				all = append(all, read...)
				grouped[id] = read
			}
		}
	}
	if yes, _ := c.flag("grouped"); yes {
		return object(map[string]any{"data": byID(grouped)}), nil
	}
	return object(map[string]any{"data": all}), nil
}

func setMangaReadMarkers(c *call) ([]byte, error) {
	m, err := c.mangaOf("id")
	if err != nil {
		return nil, err
	}
	body := fields[struct {
		Read   []uuid.UUID `json:"chapterIdsRead"`
		Unread []uuid.UUID `json:"chapterIdsUnread"`
	}](c)
	if len(body.Read)+len(body.Unread) == 0 {
		return nil, invalid("body", "chapterIdsRead or chapterIdsUnread must name a chapter")
	}
	own := func(id uuid.UUID) bool {
		ch, ok := c.chapters.get(id)
		return ok && ch.manga == m
	}
	history, _ := c.flag("updateHistory")
	for _, id := range body.Read {
		if !own(id) {
			continue
		}
		toggle(&c.user.library.Read, id, true)
		if history {
			c.user.history = slices.DeleteFunc(c.user.history, func(e historyEntry) bool { return e.ChapterID == id })
			c.user.history = slices.Insert(c.user.history, 0, historyEntry{id, readDate(c.now)})
		}
	}
	for _, id := range body.Unread {
		toggle(&c.user.library.Read, id, false)
	}
	return done, nil
}

func getReadingHistory(c *call) ([]byte, error) {
	entries := slices.Clone(c.user.history)
	if entries == nil {
		entries = []historyEntry{}
	}
	n := len(entries)
	return object(map[string]any{"response": "collection", "data": entries, "limit": n, "offset": 0, "total": n}), nil
}
