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

// listStatistics answers for the ids of a parameter.
func listStatistics(parameter string, of func(c *call, id uuid.UUID) (map[string]any, bool)) handler {
	return func(c *call) ([]byte, error) {
		return statistics(c.ids(parameter), func(id uuid.UUID) (map[string]any, bool) { return of(c, id) }), nil
	}
}

// getStatistics answers for the id in the path. For one that there is not it says so, unlike a list.
func getStatistics(what string, of func(c *call, id uuid.UUID) (map[string]any, bool)) handler {
	return func(c *call) ([]byte, error) {
		id := c.id("uuid")
		found, ok := of(c, id)
		if !ok {
			return nil, notFound(what, id)
		}
		return statistics([]uuid.UUID{id}, func(uuid.UUID) (map[string]any, bool) { return found, true }), nil
	}
}

// mangaStatistics are those of a title, with the number of each rating or without.
func mangaStatistics(distribution bool) func(c *call, id uuid.UUID) (map[string]any, bool) {
	return func(c *call, id uuid.UUID) (map[string]any, bool) {
		m, ok := c.manga.get(id)
		if !ok {
			return nil, false
		}
		return m.statistics(distribution), true
	}
}

func (c *call) chapterStatistics(id uuid.UUID) (map[string]any, bool) {
	ch, ok := c.chapters.get(id)
	if !ok {
		return nil, false
	}
	return map[string]any{"comments": ch.thread.comments()}, true
}

func (c *call) groupStatistics(id uuid.UUID) (map[string]any, bool) {
	g, ok := c.groups.get(id)
	if !ok {
		return nil, false
	}
	return map[string]any{"comments": g.thread.comments()}, true
}
