package apitest

import (
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"
)

// A store is everything that a server knows. Whoever looks into it or changes it holds the lock.
type store struct {
	sync.Mutex
	clock func() time.Time

	tags     table[*tag]
	authors  table[*author]
	groups   table[*group]
	users    table[*user]
	covers   table[*cover]
	manga    table[*manga]
	chapters table[*chapter]

	lists   table[*customList]
	uploads table[*uploadSession]
	clients table[*apiClient]
	reasons table[*reportReason]
	reports table[*report]

	mint       *mint
	templates  []settingsTemplate     // the newest last
	legacy     map[string][]uuid.UUID // ids of what had the numbers 1, 2, 3, … once, by type
	lastThread int64
	solved     map[string]bool // who has solved a captcha: an address, or the name of an account
	deliveries []Delivery
	hard       map[string][]uuid.UUID // titles by the name of their case

	writes   int                // how often something may have changed
	searches map[string]*search // answers of searches by what they ask for, good until the next write
}

// A table holds the entities of a kind in the order in which they were made.
type table[E entity] struct {
	all    []E
	byID   map[uuid.UUID]E
	sorted map[string][]int32 // places in all by the order; empty after a change
}

func (t *table[E]) add(items ...E) {
	if t.byID == nil {
		t.byID = make(map[uuid.UUID]E, len(items))
	}
	for _, item := range items {
		t.byID[item.base().id] = item
	}
	t.all = append(t.all, items...)
	t.changed()
}

func (t *table[E]) get(id uuid.UUID) (E, bool) {
	item, ok := t.byID[id]
	return item, ok
}

func (t *table[E]) remove(id uuid.UUID) {
	delete(t.byID, id)
	t.all = slices.DeleteFunc(t.all, func(item E) bool { return item.base().id == id })
	t.changed()
}

// changed forgets the orders by the keys, or all orders. It is called when anything has changed
// that lists are sorted by.
func (t *table[E]) changed(keys ...string) {
	if keys == nil {
		t.sorted = nil
	}
	for name := range t.sorted {
		if slices.ContainsFunc(keys, func(key string) bool { return strings.Contains(name, key) }) {
			delete(t.sorted, name)
		}
	}
}

// pick returns the part p of those that match, in an order, and how many match.
func (t *table[E]) pick(o order, keys map[string]func(a, b E) int, p page, match func(E) bool) (found []E, total int) {
	matches, total := t.match(match)
	return t.part(o, keys, p, matches, total), total
}

// match tells for each entity whether it matches, and how many do. Entities lie in the memory as they
// stand in the table, and not at all as they are sorted: to look at each of a large catalogue in an
// order takes several times longer.
func (t *table[E]) match(match func(E) bool) (matches []bool, total int) {
	matches = make([]bool, len(t.all))
	for n, e := range t.all {
		if match(e) {
			matches[n] = true
			total++
		}
	}
	return matches, total
}

// part returns the part p of those that match, in an order.
func (t *table[E]) part(o order, keys map[string]func(a, b E) int, p page, matches []bool, total int) []E {
	found := make([]E, 0, min(p.take, total))
	skip := p.from
	places := t.in(o, keys)
	if p.shuffle {
		places = slices.Clone(places)
		rand.Shuffle(len(places), func(a, b int) { places[a], places[b] = places[b], places[a] })
		slices.SortStableFunc(places, func(a, b int32) int { return compare(o, t.all[a], t.all[b], keys) })
	}
	for _, n := range places {
		if len(found) == p.take {
			break
		}
		if matches[n] {
			if skip--; skip < 0 {
				found = append(found, t.all[n])
			}
		}
	}
	return found
}

// in returns the places of all entities in an order.
func (t *table[E]) in(o order, keys map[string]func(a, b E) int) []int32 {
	name := o.String()
	if places, ok := t.sorted[name]; ok {
		return places
	}
	places := make([]int32, len(t.all))
	for n := range places {
		places[n] = int32(n)
	}
	slices.SortStableFunc(places, func(a, b int32) int { return compare(o, t.all[a], t.all[b], keys) })
	put(&t.sorted, name, places)
	return places
}

func newStore(options *settings) (*store, error) {
	m, err := newMint()
	if err != nil {
		return nil, err
	}
	st := &store{clock: options.clock, mint: m, solved: map[string]bool{}, lastThread: firstThread}
	return st, st.invent(options)
}

// remove takes an entity of a list out, with all that hangs on it.
func (st *store) remove(e entity) {
	st.writes++
	switch e := e.(type) {
	case *manga:
		st.removeManga(e)
	case *chapter:
		st.removeChapter(e)
	case *author:
		st.removeAuthor(e)
	case *group:
		st.removeGroup(e)
	case *cover:
		st.removeCover(e)
	case *user:
		st.users.remove(e.id)
	case *customList:
		st.lists.remove(e.id)
	case *apiClient:
		st.clients.remove(e.id)
	case *report:
		st.reports.remove(e.id)
	}
}

func newHead(kind string, now time.Time) head {
	return head{id: uuid.New(), kind: kind, version: 1, created: now, updated: now}
}

// put is an assignment to a map that may be nil.
func put[K comparable, V any](m *map[K]V, key K, value V) {
	if *m == nil {
		*m = map[K]V{}
	}
	(*m)[key] = value
}
