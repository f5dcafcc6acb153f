package apitest

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
)

// maxResults is the ceiling of offset and limit together.
const maxResults = 10_000

// A page is the part of a list that a request asks for, and what a fault makes of it.
type page struct {
	limit, offset int // as the answer tells
	from, take    int // what it holds
	more          int // by how many the total is larger
	shuffle       bool
}

// page reads limit and offset, which fit the specification.
func (c *call) page(limit int) (page, error) {
	p := page{limit: c.number("limit", limit), offset: c.number("offset", 0)}
	if p.limit+p.offset > maxResults {
		return p, invalid("/offset", fmt.Sprintf("offset and limit together must be at most %d", maxResults))
	}
	f := c.fault
	if f == nil {
		f = &Fault{}
	}
	if f.Clamp > 0 {
		p.limit = min(p.limit, f.Clamp)
	}
	p.from, p.take, p.shuffle = p.offset, max(p.limit-f.Short, 0), f.Shuffle
	if p.offset > 0 {
		p.from, p.more = max(p.offset-f.Repeat, 0), f.Repeat
	}
	return p, nil
}

// cut takes the page out of a list.
func cut[E any](list []E, p page) []E {
	start := min(p.from, len(list))
	return list[start:min(start+p.take, len(list))]
}

// collection is the answer that holds a page of a list.
func collection[E entity](c *call, found []E, p page, total int) ([]byte, error) {
	b := many(found, p, total+p.more, c.includes(), c.now)
	alter(c, found)
	if c.fault != nil {
		for _, e := range found[:min(c.fault.Delete, len(found))] {
			c.remove(e)
		}
	}
	return b, nil
}

func (c *call) number(name string, otherwise int) int {
	n, err := strconv.Atoi(c.query.Get(name))
	if err != nil {
		return otherwise
	}
	return n
}

// ids reads ids, which fit the specification.
func (c *call) ids(name string) []uuid.UUID {
	values := c.query[name]
	if len(values) == 0 {
		return nil
	}
	ids := make([]uuid.UUID, 0, len(values))
	for _, v := range values {
		if id, err := uuid.Parse(v); err == nil {
			ids = append(ids, id)
		}
	}
	return ids
}

// maxIDs is the ceiling of ids[].
const maxIDs = 100

// wantedIDs reads ids[] as a set; nil is all.
func (c *call) wantedIDs() (map[uuid.UUID]bool, error) {
	ids := c.ids("ids[]")
	if len(ids) > maxIDs {
		return nil, invalid("/ids", fmt.Sprintf("There must be a maximum of %d items in the array", maxIDs))
	}
	return set(ids), nil
}

// texts are the values of a parameter. There are few of them, so that to look at each is faster than
// a map.
type texts []string

func (t texts) has(text string) bool { return slices.Contains(t, text) }

// set is nil for an empty list.
func set[E comparable](list []E) map[E]bool {
	if len(list) == 0 {
		return nil
	}
	m := make(map[E]bool, len(list))
	for _, e := range list {
		m[e] = true
	}
	return m
}

// since reads a time of a query, zero if there is none.
func (c *call) since(name string) time.Time {
	t, _ := time.Parse("2006-01-02T15:04:05", c.query.Get(name))
	return t
}

// flag reads a yes or no that may also be left out.
func (c *call) flag(name string) (yes, given bool) {
	switch c.query.Get(name) {
	case "1", "true":
		return true, true
	case "0", "false":
		return false, true
	}
	return false, false
}

func (c *call) includes() includes {
	expand := includes(c.query["includes[]"])
	if slices.Contains(expand, "reason") {
		expand = append(slices.Clone(expand), "report_reason")
	}
	return expand
}

// An order is what a list is sorted by, the most important key first.
type order []orderKey

type orderKey struct {
	name string
	desc bool
}

func (o order) String() string {
	var b strings.Builder
	for _, k := range o {
		fmt.Fprintf(&b, "%s %t,", k.name, k.desc)
	}
	return b.String()
}

// order reads order[key]=direction in the order in which the keys came.
func (c *call) order(otherwise ...orderKey) order {
	v := c.sent.values["order"]
	if v == nil {
		return otherwise
	}
	o := make(order, len(v.keys))
	for n, key := range v.keys {
		o[n] = orderKey{key, v.items[key] == "desc"}
	}
	return o
}

// compare compares by an order. Keys that are not known, such as relevance in a list without a
// question, do not count.
func compare[E entity](o order, a, b E, keys map[string]func(a, b E) int) int {
	for _, k := range o {
		by := keys[k.name]
		if by == nil {
			continue
		}
		n := by(a, b)
		if k.desc {
			n = -n
		}
		if n != 0 {
			return n
		}
	}
	return 0
}

func byCreated[E entity](a, b E) int { return a.base().created.Compare(b.base().created) }
func byUpdated[E entity](a, b E) int { return a.base().updated.Compare(b.base().updated) }

// byNumber compares volumes and chapters: 2 before 10, 1.5 between 1 and 2, none at the end.
func byNumber(a, b optional) int {
	value := func(s optional) float64 {
		if s == nil {
			return 1e9
		}
		n, err := strconv.ParseFloat(strings.TrimRight(*s, "abcdefghijklmnopqrstuvwxyz"), 64)
		if err != nil {
			return 1e9
		}
		return n
	}
	return cmp.Compare(value(a), value(b))
}
