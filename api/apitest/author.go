package apitest

import (
	"cmp"
	"slices"
	"strings"
)

var authorKeys = map[string]func(a, b *author) int{
	"name": func(a, b *author) int {
		return cmp.Compare(strings.ToLower(a.fields.Name), strings.ToLower(b.fields.Name))
	},
}

func listAuthors(c *call) ([]byte, error) {
	name := c.query.Get("name")
	return list(c, &c.authors, c.order(), authorKeys, func(a *author) bool { return contains(a.fields.Name, name) })
}

func (c *call) authorOf(parameter string) (*author, error) {
	return lookup(c, &c.authors, "Author", parameter, everyone[*author])
}

func createAuthor(c *call) ([]byte, error) {
	a := &author{head: newHead(kindAuthor, c.now), fields: authorFields{Biography: localized{}}}
	c.decode(&a.fields)
	c.authors.add(a)
	return one(a, nil, c.now), nil
}

func updateAuthor(c *call) ([]byte, error) {
	a, err := newest(c, (*call).authorOf, "id")
	if err != nil {
		return nil, err
	}
	c.decode(&a.fields)
	a.edit(c.now)
	c.authors.changed()
	return one(a, nil, c.now), nil
}

func deleteAuthor(c *call) ([]byte, error) {
	a, err := c.authorOf("id")
	if err != nil {
		return nil, err
	}
	c.removeAuthor(a)
	return done, nil
}

func (st *store) removeAuthor(a *author) {
	for _, m := range a.works {
		is := func(other *author) bool { return other == a }
		m.authors, m.artists = slices.DeleteFunc(m.authors, is), slices.DeleteFunc(m.artists, is)
	}
	st.authors.remove(a.id)
}
