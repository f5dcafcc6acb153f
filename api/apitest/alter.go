package apitest

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/google/uuid"

	"github.com/mangadex-go/mangadex/internal/operation"
)

// An alteration is what a moderator, a group or an uploader changes while a client looks on.
type alteration struct {
	times   func(*Fault) int
	title   func(*store, *Manga)
	chapter func(*store, *Chapter)
	redrawn bool // the picture of the first page is another one
}

var alterations = []alteration{
	{times: func(f *Fault) int { return f.Rename }, title: func(_ *store, m *Manga) { m.Title += " (renamed)" }},
	{times: func(f *Fault) int { return f.Renumber }, chapter: func(_ *store, c *Chapter) { c.Number = plusOne(c.Number) }},
	{times: func(f *Fault) int { return f.Revolume }, chapter: func(_ *store, c *Chapter) { c.Volume = plusOne(c.Volume) }},
	{times: func(f *Fault) int { return f.Regroup }, chapter: func(st *store, c *Chapter) { c.Groups = []uuid.UUID{st.otherGroup(c.Groups)} }},
	{times: func(f *Fault) int { return f.Replace }, redrawn: true},
}

// plusOne is the number after one, 1 after none.
func plusOne(number string) string {
	n, _ := strconv.ParseFloat(strings.TrimRight(number, "abcdefghijklmnopqrstuvwxyz"), 64)
	return strconv.Itoa(int(n) + 1)
}

// otherGroup is a group that is not among some.
func (st *store) otherGroup(groups []uuid.UUID) uuid.UUID {
	for _, g := range st.groups.all {
		if !slices.Contains(groups, g.id) {
			return g.id
		}
	}
	return uuid.Nil
}

// alter changes the first titles and chapters of an answer, as the fault of the request wants it.
func alter[E entity](c *call, shown []E) {
	for _, a := range alterations {
		if c.fault == nil || a.times(c.fault) == 0 {
			continue
		}
		for _, e := range shown[:min(a.times(c.fault), len(shown))] {
			switch e := any(e).(type) {
			case *manga:
				c.alterManga(e, a)
			case *chapter:
				c.alterChapter(e, a)
			}
		}
	}
}

func (c *call) alterManga(m *manga, a alteration) {
	if a.title == nil {
		return
	}
	p := m.public()
	a.title(c.store, &p)
	if err := m.set(c.store, p); err != nil {
		c.complain("the title %s cannot be altered: %v", m.id, err)
		return
	}
	c.writes++
	m.edit(c.now)
	c.manga.changed()
}

func (c *call) alterChapter(ch *chapter, a alteration) {
	p := ch.public()
	switch {
	case a.redrawn && p.Pages > 0:
		ch.redraw(1)
	case a.chapter != nil:
		a.chapter(c.store, &p)
		if err := ch.set(c.store, p); err != nil {
			c.complain("the chapter %s cannot be altered: %v", ch.id, err)
			return
		}
	default:
		return
	}
	c.writes++
	c.changedChapter(ch, c.now)
}

// alterNamed alters the title or the chapter that the path of a request names.
func (c *call) alterNamed() {
	for _, text := range c.params {
		id, err := uuid.Parse(text)
		if err != nil {
			continue
		}
		if m, ok := c.manga.get(id); ok {
			alter(c, []*manga{m})
		} else if ch, ok := c.chapters.get(id); ok {
			alter(c, []*chapter{ch})
		}
	}
}

// alters tells whether the fault changes what answers have shown.
func (f *Fault) alters() bool {
	return slices.ContainsFunc(alterations, func(a alteration) bool { return a.times(f) != 0 })
}

// checkAlterations finds changes that can never be.
func (f *Fault) checkAlterations() error {
	for _, a := range alterations {
		if a.times(f) < 0 {
			return fmt.Errorf("apitest: a fault with Rename %d, Renumber %d, Revolume %d, Regroup %d, Replace %d; they are numbers of titles or chapters", f.Rename, f.Renumber, f.Revolume, f.Regroup, f.Replace)
		}
	}
	if f.alters() && f.Operation != "" && !showsThings(f.Operation) {
		return fmt.Errorf("apitest: a fault of %q with Rename, Renumber, Revolume, Regroup or Replace, which shows neither titles nor chapters", f.Operation)
	}
	return nil
}

// showsThings tells whether an operation may be about titles or chapters.
func showsThings(id string) bool {
	return slices.ContainsFunc(operation.Table[:], func(op operation.Operation) bool {
		return op.ID == id && (isList(id) || strings.Contains(op.Path, "{"))
	})
}
