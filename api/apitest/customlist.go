package apitest

import (
	"slices"
	"time"

	"github.com/google/uuid"
)

// A customList is a list of titles that an account has made.
type customList struct {
	head
	fields customListFields
	owner  *user
	manga  []*manga
}

type customListFields struct {
	Name       string `json:"name"`
	Visibility string `json:"visibility"`
}

func (l *customList) attributes(time.Time) any {
	return struct {
		customListFields
		Version int `json:"version"`
	}{l.fields, l.version}
}

func (l *customList) relationships() []relationship {
	return append(refs(kindManga, visible(l.manga)), relationship{kind: kindUser, target: l.owner})
}

func (c *call) seesList(l *customList) bool {
	return l.fields.Visibility == "public" || l.owner == c.user || c.user.may("custom_list.view.any")
}

func (c *call) listOf(parameter string) (*customList, error) {
	return lookup(c, &c.lists, "Custom list", parameter, c.seesList)
}

func (c *call) ownListOf(parameter string) (*customList, error) {
	l, err := c.listOf(parameter)
	if err == nil && l.owner != c.user {
		return nil, denied("This list belongs to somebody else.")
	}
	return l, err
}

// titles finds titles by their ids.
func (c *call) titles(ids []uuid.UUID) ([]*manga, error) {
	var list []*manga
	for _, id := range ids {
		m, ok := c.manga.get(id)
		if !ok || !c.sees(m) {
			return nil, notFound("Manga", id)
		}
		if !slices.Contains(list, m) {
			list = append(list, m)
		}
	}
	return list, nil
}

func createCustomList(c *call) ([]byte, error) {
	body := fields[struct {
		Manga []uuid.UUID `json:"manga"`
	}](c)
	titles, err := c.titles(body.Manga)
	if err != nil {
		return nil, err
	}
	l := &customList{head: newHead("custom_list", c.now), owner: c.user, manga: titles, fields: customListFields{Visibility: "private"}}
	c.decode(&l.fields)
	c.lists.add(l)
	return one(l, nil, c.now), nil
}

func updateCustomList(c *call) ([]byte, error) {
	l, err := newest(c, (*call).ownListOf, "id")
	if err != nil {
		return nil, err
	}
	body := fields[struct {
		Manga *[]uuid.UUID `json:"manga"`
	}](c)
	if body.Manga != nil {
		if l.manga, err = c.titles(*body.Manga); err != nil {
			return nil, err
		}
	}
	c.decode(&l.fields)
	l.edit(c.now)
	return one(l, nil, c.now), nil
}

func deleteCustomList(c *call) ([]byte, error) {
	l, err := c.ownListOf("id")
	if err != nil {
		return nil, err
	}
	c.lists.remove(l.id)
	return done, nil
}

func getCustomListFeed(c *call) ([]byte, error) {
	l, err := c.listOf("id")
	if err != nil {
		return nil, err
	}
	var all []*chapter
	for _, m := range l.manga {
		all = append(all, m.chapters...)
	}
	return c.feed(all)
}

// putInCustomList puts a title into a list, at the end or where the request wants it, or takes it
// out.
func putInCustomList(in bool) handler {
	return func(c *call) ([]byte, error) {
		m, err := c.mangaOf("id")
		if err != nil {
			return nil, err
		}
		l, err := c.ownListOf("listId")
		if err != nil {
			return nil, err
		}
		l.manga = slices.DeleteFunc(l.manga, func(other *manga) bool { return other == m })
		if in {
			l.manga = slices.Insert(l.manga, min(c.number("order", len(l.manga)), len(l.manga)), m)
		}
		l.edit(c.now)
		return done, nil
	}
}

// listsOf is the answer that holds lists of an account.
func (c *call) listsOf(owner *user, seen func(*customList) bool) ([]byte, error) {
	return list(c, &c.lists, nil, nil, func(l *customList) bool { return l.owner == owner && seen(l) })
}

func listOwnCustomLists(c *call) ([]byte, error) {
	return c.listsOf(c.user, everyone[*customList])
}

func listUserCustomLists(c *call) ([]byte, error) {
	u, err := c.userOf("id")
	if err != nil {
		return nil, err
	}
	return c.listsOf(u, func(l *customList) bool { return l.fields.Visibility == "public" })
}
