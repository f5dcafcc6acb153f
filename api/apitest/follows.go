package apitest

import (
	"slices"

	"github.com/google/uuid"
)

// toggle puts an id into a list or takes it out, and reports whether that changed anything.
func toggle(list *[]uuid.UUID, id uuid.UUID, on bool) bool {
	at := slices.Index(*list, id)
	switch {
	case on && at < 0:
		*list = append(*list, id)
	case !on && at >= 0:
		*list = slices.Delete(*list, at, at+1)
	default:
		return false
	}
	return true
}

// follow begins or ends to follow a title.
func (st *store) follow(u *user, m *manga, on bool) {
	if toggle(&u.library.Manga, m.id, on) {
		m.follows += step(on)
		st.manga.changed("followedCount")
	}
}

func (st *store) followGroup(u *user, g *group, on bool) {
	if toggle(&u.library.Groups, g.id, on) {
		g.follows += step(on)
		st.groups.changed("followedCount")
	}
}

func step(up bool) int {
	if up {
		return 1
	}
	return -1
}

func followManga(on bool) handler {
	return func(c *call) ([]byte, error) {
		m, err := c.mangaOf("id")
		if err != nil {
			return nil, err
		}
		c.follow(c.user, m, on)
		return done, nil
	}
}

func followGroup(on bool) handler {
	return func(c *call) ([]byte, error) {
		g, err := c.groupOf("id")
		if err != nil {
			return nil, err
		}
		c.followGroup(c.user, g, on)
		return done, nil
	}
}

func followCustomList(on bool) handler {
	return func(c *call) ([]byte, error) {
		l, err := c.listOf("id")
		if err != nil {
			return nil, err
		}
		toggle(&c.user.library.Lists, l.id, on)
		return done, nil
	}
}

// checkFollowed answers whether something is in a list of the library. MangaDex says no without a
// reason.
func checkFollowed(list func(*Library) []uuid.UUID) handler {
	return func(c *call) ([]byte, error) {
		if !slices.Contains(list(&c.user.library), c.id("id")) {
			return nil, ko
		}
		return done, nil
	}
}

// followed is the answer that holds what is left of a list of the library.
func followed[E entity](c *call, t *table[E], ids []uuid.UUID, seen func(E) bool) ([]byte, error) {
	var all []E
	for _, id := range ids {
		if e, ok := t.get(id); ok && seen(e) {
			all = append(all, e)
		}
	}
	p, err := c.page(10)
	if err != nil {
		return nil, err
	}
	return collection(c, cut(all, p), p, len(all))
}

func listFollowedManga(c *call) ([]byte, error) {
	return followed(c, &c.manga, c.user.library.Manga, c.sees)
}

func listFollowedGroups(c *call) ([]byte, error) {
	return followed(c, &c.groups, c.user.library.Groups, everyone[*group])
}

func listFollowedUsers(c *call) ([]byte, error) {
	return followed(c, &c.users, c.user.library.Users, everyone[*user])
}

func listFollowedCustomLists(c *call) ([]byte, error) {
	return followed(c, &c.lists, c.user.library.Lists, c.seesList)
}

func getFollowedMangaFeed(c *call) ([]byte, error) {
	return c.feed(c.chaptersOf(c.user.library.Manga))
}

// chaptersOf are the chapters of titles.
func (c *call) chaptersOf(titles []uuid.UUID) []*chapter {
	var all []*chapter
	for _, id := range titles {
		if m, ok := c.manga.get(id); ok {
			all = append(all, m.chapters...)
		}
	}
	return all
}
