package apitest

import (
	"cmp"
	"slices"
	"strings"
)

// list is the answer that holds a page of those that match, in the order that the request asks for.
func list[E entity](c *call, t *table[E], o order, keys map[string]func(a, b E) int, match func(E) bool) ([]byte, error) {
	p, err := c.page(10)
	if err != nil {
		return nil, err
	}
	ids, err := c.wantedIDs()
	if err != nil {
		return nil, err
	}
	found, total := t.pick(o, keys, p, func(e E) bool { return (ids == nil || ids[e.base().id]) && match(e) })
	return many(found, p, total, c.includes(), c.now), nil
}

// lookup finds what a parameter of the path names, unless who asks may not see it.
func lookup[E entity](c *call, t *table[E], what, parameter string, seen func(E) bool) (E, error) {
	e, ok := t.get(c.id(parameter))
	if !ok || !seen(e) {
		var none E
		return none, notFound(what, c.id(parameter))
	}
	return e, nil
}

// show is the operation that answers with what the path names.
func show[E entity](find func(c *call, parameter string) (E, error)) handler {
	return func(c *call) ([]byte, error) {
		e, err := find(c, "id")
		if err != nil {
			return nil, err
		}
		return one(e, c.includes(), c.now), nil
	}
}

// contains compares names without regard to case.
func contains(name, part string) bool {
	return strings.Contains(strings.ToLower(name), strings.ToLower(part))
}

var authorKeys = map[string]func(a, b *author) int{
	"name": func(a, b *author) int {
		return cmp.Compare(strings.ToLower(a.fields.Name), strings.ToLower(b.fields.Name))
	},
}

func listAuthors(c *call) ([]byte, error) {
	name := c.query.Get("name")
	return list(c, &c.authors, c.order(), authorKeys, func(a *author) bool { return contains(a.fields.Name, name) })
}

var groupKeys = map[string]func(a, b *group) int{
	"name": func(a, b *group) int {
		return cmp.Compare(strings.ToLower(a.fields.Name), strings.ToLower(b.fields.Name))
	},
	"createdAt":     byCreated[*group],
	"updatedAt":     byUpdated[*group],
	"followedCount": func(a, b *group) int { return cmp.Compare(a.follows, b.follows) },
}

func listGroups(c *call) ([]byte, error) {
	name, language := c.query.Get("name"), c.query.Get("focusedLanguage")
	return list(c, &c.groups, c.order(), groupKeys, func(g *group) bool {
		return contains(g.fields.Name, name) && (language == "" || slices.Contains(g.fields.FocusedLanguages, language))
	})
}

var coverKeys = map[string]func(a, b *cover) int{
	"createdAt": byCreated[*cover],
	"updatedAt": byUpdated[*cover],
	"volume":    func(a, b *cover) int { return byNumber(a.fields.Volume, b.fields.Volume) },
}

func listCovers(c *call) ([]byte, error) {
	manga, uploaders, locales := set(c.ids("manga[]")), set(c.ids("uploaders[]")), texts(c.query["locales[]"])
	return list(c, &c.covers, c.order(), coverKeys, func(k *cover) bool {
		return c.sees(k.manga) && (manga == nil || manga[k.manga.id]) && (uploaders == nil || uploaders[k.uploader.id]) &&
			(locales == nil || k.fields.Locale != nil && locales.has(*k.fields.Locale))
	})
}

// getCover takes the id of a cover or of a title.
func getCover(c *call) ([]byte, error) {
	id := c.id("mangaOrCoverId")
	k, ok := c.covers.get(id)
	if m, isManga := c.manga.get(id); isManga && m.cover != nil {
		k, ok = m.cover, true
	}
	if !ok || !c.sees(k.manga) {
		return nil, notFound("Cover", id)
	}
	// This operation is one of those that still write an empty map as a list.
	return emptyLists(one(k, c.includes(), c.now)), nil
}
