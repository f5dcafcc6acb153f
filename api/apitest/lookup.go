package apitest

import (
	"strings"

	"github.com/google/uuid"
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
	return collection(c, found, p, total)
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

// newest finds what a parameter of the path names, for an edit that must be of its newest version.
func newest[E entity](c *call, find func(c *call, parameter string) (E, error), parameter string) (E, error) {
	e, err := find(c, parameter)
	if err == nil {
		err = c.current(e.base())
	}
	return e, err
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

// find looks ids up in a table.
func find[E entity](t *table[E], what string, ids []uuid.UUID) ([]E, error) {
	list := make([]E, 0, len(ids))
	for _, id := range ids {
		e, ok := t.get(id)
		if !ok {
			return nil, notFound(what, id)
		}
		list = append(list, e)
	}
	return list, nil
}

// everyone lets all see everything.
func everyone[E entity](E) bool { return true }
