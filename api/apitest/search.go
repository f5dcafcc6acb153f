package apitest

import (
	"maps"
	"slices"
	"strings"
	"time"
)

// A search is what a question finds, kept until something changes: programs ask for one page after
// the other.
type search struct {
	matches []bool // by the place of a title
	total   int
	ranked  []*manga  // those that fit best first; nil until somebody wants them so
	writes  int       // what it is good for
	since   time.Time // when it was made
	until   time.Time // when a chapter appears that may change it; zero is never
}

// maxSearches is how many are kept.
const maxSearches = 64

// search looks for titles.
func (c *call) search(f *mangaFilter) *search {
	asked := maps.Clone(c.query)
	for name := range asked {
		if name == "limit" || name == "offset" || name == "includes[]" || strings.HasPrefix(name, "order") {
			delete(asked, name)
		}
	}
	key := asked.Encode()
	if s := c.searches[key]; s != nil && s.writes == c.writes && !c.now.Before(s.since) && (s.until.IsZero() || c.now.Before(s.until)) {
		return s
	}
	s := &search{writes: c.writes, since: c.now}
	s.matches, s.total = c.manga.match(func(m *manga) bool { return f.match(m, c.now) })
	s.until = f.until
	if len(c.searches) >= maxSearches {
		clear(c.searches)
	}
	put(&c.searches, key, s)
	return s
}

// rank returns all titles that a search has found, those that fit its question best first.
func (c *call) rank(s *search, question string) []*manga {
	if s.ranked != nil {
		return s.ranked
	}
	var byRank [maxRelevance + 1][]*manga
	for n, m := range c.manga.all {
		if s.matches[n] {
			rank := relevance(m, question)
			byRank[rank] = append(byRank[rank], m)
		}
	}
	slices.Reverse(byRank[:])
	s.ranked = slices.Concat(byRank[:]...)
	return s.ranked
}

func searchManga(c *call) ([]byte, error) {
	p, err := c.page(10)
	if err != nil {
		return nil, err
	}
	f, err := c.mangaFilter()
	if err != nil {
		return nil, err
	}
	s := c.search(&f)
	o := c.order(orderKey{"latestUploadedChapter", true})
	if o[0].name == "relevance" && len(f.words) > 0 {
		found := c.rank(s, strings.Join(f.words, " "))
		if !o[0].desc {
			found = slices.Clone(found)
			slices.Reverse(found)
		}
		return collection(c, cut(found, p), p, len(found))
	}
	return collection(c, c.manga.part(o, mangaKeys, p, s.matches, s.total), p, s.total)
}

const maxRelevance = 3

// relevance is how well a title fits a question, which it contains in all cases.
func relevance(m *manga, question string) int {
	best := 0
	for title := range strings.SplitSeq(m.words, "\n") {
		switch {
		case title == question:
			return maxRelevance
		case strings.HasPrefix(title, question):
			best = max(best, 2)
		case strings.Contains(title, question):
			best = max(best, 1)
		}
	}
	return best
}
