package apitest

import (
	"slices"

	"github.com/google/uuid"
)

func listMangaRelations(c *call) ([]byte, error) {
	m, err := c.mangaOf("mangaId")
	if err != nil {
		return nil, err
	}
	return many(m.related, page{limit: len(m.related)}, len(m.related), c.includes(), c.now), nil
}

// reverses of relations that are not the same in both directions.
var reverses = map[string]string{
	"monochrome": "colored", "colored": "monochrome", "main_story": "side_story", "side_story": "main_story",
	"adapted_from": "based_on", "based_on": "adapted_from", "prequel": "sequel", "sequel": "prequel",
	"spin_off": "main_story", "preserialization": "serialization", "serialization": "preserialization",
}

// relate adds a relation in both directions.
func (st *store) relate(source, target *manga, kind string, h head) *relation {
	back, ok := reverses[kind]
	if !ok {
		back = kind
	}
	there := &relation{head: h, relation: kind, source: source, target: target}
	other := h
	other.id = named(h.id, "reverse")
	here := &relation{head: other, relation: back, source: target, target: source, reverse: there}
	there.reverse = here
	source.related = append(source.related, there)
	target.related = append(target.related, here)
	return there
}

func createMangaRelation(c *call) ([]byte, error) {
	m, err := c.mangaOf("mangaId")
	if err != nil {
		return nil, err
	}
	body := fields[struct {
		TargetManga uuid.UUID
		Relation    string
	}](c)
	target, ok := c.manga.get(body.TargetManga)
	if !ok || !c.sees(target) {
		return nil, notFound("Manga", body.TargetManga)
	}
	if target == m {
		return nil, invalid("/targetManga", "a title cannot be related to itself")
	}
	if slices.ContainsFunc(m.related, func(r *relation) bool { return r.target == target && r.relation == body.Relation }) {
		return nil, conflict("This relation is there already.")
	}
	return one(c.relate(m, target, body.Relation, newHead("manga_relation", c.now)), nil, c.now), nil
}

func deleteMangaRelation(c *call) ([]byte, error) {
	m, err := c.mangaOf("mangaId")
	if err != nil {
		return nil, err
	}
	for _, r := range m.related {
		if r.id == c.id("id") {
			c.unrelate(r)
			return done, nil
		}
	}
	return nil, notFound("Manga relation", c.id("id"))
}

// unrelate removes a relation and its reverse.
func (st *store) unrelate(r *relation) {
	for _, side := range []*relation{r, r.reverse} {
		side.source.related = slices.DeleteFunc(side.source.related, func(other *relation) bool { return other == side })
	}
}
