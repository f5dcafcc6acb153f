package apitest

import (
	"strconv"

	"github.com/google/uuid"
)

// votes are how many have rated a title, and what all ratings add up to.
func (m *manga) votes() (n, sum int) {
	for rating, count := range m.ratings {
		n += count
		sum += rating * count
	}
	return n, sum
}

// bayesian is the average drawn to that of all titles, the more so the fewer have rated.
func (m *manga) bayesian() float64 {
	const average, weight = 7.0, 10
	n, sum := m.votes()
	return (average*weight + float64(sum)) / float64(weight+n)
}

func (m *manga) statistics(distribution bool) map[string]any {
	rating := map[string]any{"average": nil, "bayesian": m.bayesian()}
	if n, sum := m.votes(); n > 0 {
		rating["average"] = float64(sum) / float64(n)
	}
	if distribution {
		counts := map[string]int{}
		for n := 1; n <= 10; n++ {
			counts[strconv.Itoa(n)] = m.ratings[n]
		}
		rating["distribution"] = counts
	}
	unavailable := 0
	for _, ch := range m.chapters {
		if ch.unavailable {
			unavailable++
		}
	}
	return map[string]any{"comments": m.thread.comments(), "follows": m.follows, "rating": rating, "unavailableChaptersCount": unavailable}
}

// statistics are those of the ids that there are. The server writes none as a list.
func statistics(ids []uuid.UUID, of func(uuid.UUID) (map[string]any, bool)) []byte {
	found := map[uuid.UUID]map[string]any{}
	for _, id := range ids {
		if s, ok := of(id); ok {
			found[id] = s
		}
	}
	return object(map[string]any{"statistics": byID(found)})
}

func listMangaStatistics(c *call) ([]byte, error) {
	return statistics(c.ids("manga[]"), func(id uuid.UUID) (map[string]any, bool) {
		m, ok := c.manga.get(id)
		if !ok {
			return nil, false
		}
		return m.statistics(false), true
	}), nil
}

func getMangaStatistics(c *call) ([]byte, error) {
	id := c.id("uuid")
	m, ok := c.manga.get(id)
	if !ok {
		return nil, notFound("Manga", id)
	}
	return statistics([]uuid.UUID{id}, func(uuid.UUID) (map[string]any, bool) { return m.statistics(true), true }), nil
}

func (c *call) chapterComments(id uuid.UUID) (map[string]any, bool) {
	ch, ok := c.chapters.get(id)
	if !ok {
		return nil, false
	}
	return map[string]any{"comments": ch.thread.comments()}, true
}

func (c *call) groupComments(id uuid.UUID) (map[string]any, bool) {
	g, ok := c.groups.get(id)
	if !ok {
		return nil, false
	}
	return map[string]any{"comments": g.thread.comments()}, true
}

func listChapterStatistics(c *call) ([]byte, error) {
	return statistics(c.ids("chapter[]"), c.chapterComments), nil
}

func getChapterStatistics(c *call) ([]byte, error) {
	id := c.id("uuid")
	if _, ok := c.chapterComments(id); !ok {
		return nil, notFound("Chapter", id)
	}
	return statistics([]uuid.UUID{id}, c.chapterComments), nil
}

func listGroupStatistics(c *call) ([]byte, error) {
	return statistics(c.ids("group[]"), c.groupComments), nil
}

func getGroupStatistics(c *call) ([]byte, error) {
	id := c.id("uuid")
	if _, ok := c.groupComments(id); !ok {
		return nil, notFound("Scanlation group", id)
	}
	return statistics([]uuid.UUID{id}, c.groupComments), nil
}
