package apitest

import (
	"slices"
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
}

// A table holds the entities of a kind in the order in which they were made.
type table[E entity] struct {
	all    []E
	byID   map[uuid.UUID]E
	sorted map[string][]E // by the order; empty after a change
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

// changed forgets the orders. It is called when anything has changed that lists are sorted by.
func (t *table[E]) changed() { t.sorted = nil }

// in returns everything in an order.
func (t *table[E]) in(o order, keys map[string]func(a, b E) int) []E {
	name := o.String()
	if list, ok := t.sorted[name]; ok {
		return list
	}
	list := slices.Clone(t.all)
	sortBy(list, o, keys)
	if t.sorted == nil {
		t.sorted = map[string][]E{}
	}
	t.sorted[name] = list
	return list
}

func newStore(options *settings) (*store, error) {
	m, err := newMint()
	if err != nil {
		return nil, err
	}
	st := &store{clock: options.clock, mint: m, solved: map[string]bool{}, lastThread: firstThread}
	st.invent(options.seed, options.titles)
	return st, nil
}

func newHead(kind string, now time.Time) head {
	return head{id: uuid.New(), kind: kind, version: 1, created: now, updated: now}
}

// coversOf are the covers of a title.
func (st *store) coversOf(manga uuid.UUID) []*cover {
	var list []*cover
	for _, k := range st.covers.all {
		if k.manga.id == manga {
			list = append(list, k)
		}
	}
	return list
}
