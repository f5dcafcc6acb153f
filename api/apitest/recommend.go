package apitest

import (
	"cmp"
	"slices"
	"time"
)

// maxRecommendations is how many a title has at most.
const maxRecommendations = 20

// A recommendation is a title for those who like another one.
type recommendation struct {
	head
	from, to *manga
	score    float64
}

func (r *recommendation) attributes(time.Time) any { return map[string]any{"score": r.score} }

func (r *recommendation) relationships() []relationship {
	return refs(kindManga, []*manga{r.from, r.to})
}

// listMangaRecommendations finds the titles that share the most tags.
func listMangaRecommendations(c *call) ([]byte, error) {
	m, err := c.mangaOf("id")
	if err != nil {
		return nil, err
	}
	ratings := c.ratings()
	var found []*recommendation
	for _, other := range c.manga.all {
		if other == m || other.state != "published" || !ratings.has(other.fields.ContentRating) {
			continue
		}
		shared := 0
		for _, t := range m.tags {
			if slices.Contains(other.tags, t) {
				shared++
			}
		}
		if shared > 0 {
			h := head{kind: "manga_recommendation", text: m.id.String() + "_" + other.id.String()}
			found = append(found, &recommendation{h, m, other, float64(shared) / float64(len(m.tags)+len(other.tags)-shared)})
		}
	}
	slices.SortStableFunc(found, func(a, b *recommendation) int { return cmp.Compare(b.score, a.score) })
	found = found[:min(len(found), maxRecommendations)]
	if o := c.order(); len(o) > 0 && !o[0].desc {
		slices.Reverse(found)
	}
	return many(found, page{limit: len(found)}, len(found), c.includes(), c.now), nil
}
