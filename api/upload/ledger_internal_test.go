package upload

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/mangadex-go/mangadex/api"
)

// id is the n-th id.
func id(n int) uuid.UUID { return uuid.UUID{15: byte(n)} }

// at is a page with the n-th id, of n bytes.
func at(name string, n int) Page {
	return Page{Name: name, ID: id(n), Size: int64(len(name)), SHA256: hashOf([]byte(name))}
}

// sent is a page as it is sent.
func sent(name string) Page {
	page := at(name, 0)
	page.ID = uuid.Nil
	return page
}

// listed is a file with the n-th id as the server lists it, with a hash unless it gives none.
func listed(name string, n int) file {
	return file{ID: id(n), Attributes: &api.UploadSessionFileAttributes{OriginalFileName: name, FileSize: int64(len(name)), FileHash: hashOf([]byte(name))}}
}

func answered(name string, n int) api.UploadSessionFile {
	return api.UploadSessionFile{ID: id(n), Attributes: *listed(name, n).Attributes}
}

// text shows a ledger: its phase, the pages, those that were sent, those that are to go, and a
// question mark where an answer is missing.
func (l ledger) text() string {
	var parts []string
	for _, p := range l.pages {
		parts = append(parts, fmt.Sprintf("%s#%d", p.Name, p.ID[15]))
	}
	var wanted, removed []string
	for name := range l.wanted {
		wanted = append(wanted, name)
	}
	for id := range l.removed {
		removed = append(removed, fmt.Sprint(id[15]))
	}
	slices.Sort(wanted)
	slices.Sort(removed)
	text := fmt.Sprintf("%d [%s] sent %s gone %s", l.phase, strings.Join(parts, " "), strings.Join(wanted, " "), strings.Join(removed, " "))
	if l.unsure {
		text += " ?"
	}
	return strings.Join(strings.Fields(text), " ")
}

// TestLedger goes through every transition. None changes the ledger that it begins with.
func TestLedger(t *testing.T) {
	t.Parallel()
	a, b := sent("a"), sent("b")
	batch := []Page{a, b}
	empty := ledger{}
	both := ledger{pages: []Page{at("a", 1), at("b", 2)}, wanted: map[string]Page{"a": a, "b": b}}
	waiting := ledger{wanted: map[string]Page{"a": a, "b": b}, unsure: true}
	other := listed("a", 9)
	other.Attributes.FileHash = hashOf([]byte("another"))
	larger := listed("a", 9)
	larger.Attributes.FileSize = 99
	for name, test := range map[string]struct {
		from ledger
		step func(ledger) (ledger, any)
		want string
		gave any
	}{
		"sending": {empty, func(l ledger) (ledger, any) { return l.sending(batch), nil }, "0 [] sent a b gone ?", nil},
		"taken": {waiting, func(l ledger) (ledger, any) {
			return l.taken(batch, []api.UploadSessionFile{answered("b", 2), answered("a", 1)}), nil
		}, "0 [b#2 a#1] sent a b gone", nil},
		"one is not mentioned": {waiting, func(l ledger) (ledger, any) {
			return l.taken(batch, []api.UploadSessionFile{answered("b", 2)}), nil
		}, "0 [b#2] sent a b gone ?", nil},
		"an answer {}": {waiting, func(l ledger) (ledger, any) { return l.taken(batch, nil), nil }, "0 [] sent a b gone ?", nil},
		"what was not asked for": {waiting, func(l ledger) (ledger, any) {
			return l.taken(batch, []api.UploadSessionFile{answered("c", 3), answered("a", 1), answered("a", 4), answered("b", 0)}), nil
		}, "0 [a#1] sent a b gone ?", nil},
		"turned down": {waiting, func(l ledger) (ledger, any) { return l.turnedDown(batch), nil }, "0 [] sent gone", nil},
		"removing":    {both, func(l ledger) (ledger, any) { return l.removing([]uuid.UUID{id(1), id(7)}), nil }, "0 [a#1 b#2] sent b gone 1 ?", nil},
		"without":     {both, func(l ledger) (ledger, any) { return l.removing([]uuid.UUID{id(1)}).without([]uuid.UUID{id(1)}), nil }, "0 [b#2] sent b gone 1", nil},
		"reconcile, all there": {both, func(l ledger) (ledger, any) {
			return reconciled(l, listed("a", 1), listed("b", 2))
		}, "0 [a#1 b#2] sent a b gone", difference{}},
		"reconcile, came in unseen": {waiting, func(l ledger) (ledger, any) {
			return reconciled(l, listed("b", 2))
		}, "0 [b#2] sent a b gone", difference{}},
		"reconcile, came in twice": {waiting, func(l ledger) (ledger, any) {
			return reconciled(l, listed("a", 1), listed("a", 3), listed("b", 2))
		}, "0 [a#1 b#2] sent a b gone", difference{surplus: []uuid.UUID{id(3)}}},
		"reconcile, a late copy": {both, func(l ledger) (ledger, any) {
			return reconciled(l, listed("a", 4), listed("a", 1), listed("b", 2))
		}, "0 [a#1 b#2] sent a b gone", difference{surplus: []uuid.UUID{id(4)}}},
		"reconcile, another picture of the name": {waiting, func(l ledger) (ledger, any) {
			return reconciled(l, other)
		}, "0 [] sent a b gone", difference{surplus: []uuid.UUID{id(9)}}},
		"reconcile, another size": {waiting, func(l ledger) (ledger, any) {
			return reconciled(l, larger)
		}, "0 [] sent a b gone", difference{surplus: []uuid.UUID{id(9)}}},
		"reconcile, a stranger": {both, func(l ledger) (ledger, any) {
			return reconciled(l, listed("a", 1), listed("b", 2), listed("z", 3), file{ID: id(5)})
		}, "0 [a#1 b#2] sent a b gone", difference{surplus: []uuid.UUID{id(3), id(5)}}},
		"reconcile, lost": {both, func(l ledger) (ledger, any) {
			return reconciled(l, listed("b", 2))
		}, "0 [b#2] sent a b gone", difference{lost: []string{"a"}}},
		"reconcile, lost and come in again": {both, func(l ledger) (ledger, any) {
			return reconciled(l, listed("a", 8), listed("b", 2))
		}, "0 [b#2 a#8] sent a b gone", difference{lost: []string{"a"}}},
		"reconcile, removed": {both.removing([]uuid.UUID{id(1)}), func(l ledger) (ledger, any) {
			return reconciled(l, listed("b", 2))
		}, "0 [b#2] sent b gone 1", difference{}},
		"reconcile, not removed": {both.removing([]uuid.UUID{id(1)}), func(l ledger) (ledger, any) {
			return reconciled(l, listed("a", 1), listed("b", 2))
		}, "0 [a#1 b#2] sent b gone 1", difference{}},
		"reconcile, a copy of what was removed": {both.removing([]uuid.UUID{id(1)}), func(l ledger) (ledger, any) {
			return reconciled(l, listed("b", 2), listed("a", 6))
		}, "0 [b#2] sent b gone 1", difference{surplus: []uuid.UUID{id(6)}}},
		"reordered": {both, func(l ledger) (ledger, any) { return both.reorderedTo("b", "a") }, "0 [b#2 a#1] sent a b gone", nil},
		"reordered, one twice": {both, func(l ledger) (ledger, any) { return both.reorderedTo("b", "b") }, "0 [a#1 b#2] sent a b gone",
			`upload: page "b": the order names it twice; name every page once`},
		"reordered, one too few": {both, func(l ledger) (ledger, any) { return both.reorderedTo("b") }, "0 [a#1 b#2] sent a b gone",
			`upload: page "a": the order leaves it out; name every page once, or Remove it`},
		"reordered, a stranger": {both, func(l ledger) (ledger, any) { return both.reorderedTo("c") }, "0 [a#1 b#2] sent a b gone",
			`upload: page "c": the session has no page of that name; see Pages for their names`},
		"behind": {both, func(l ledger) (ledger, any) { return l.behind([]string{"a", "c"}), nil }, "0 [b#2 a#1] sent a b gone", nil},
		"in":     {both, func(l ledger) (ledger, any) { return l.in(committing), nil }, "1 [a#1 b#2] sent a b gone", nil},
	} {
		before := test.from.text()
		after, gave := test.step(test.from)
		if after.text() != test.want || !reflect.DeepEqual(gave, test.gave) {
			t.Errorf("%s: %s and %v, want %s and %v", name, after.text(), gave, test.want, test.gave)
		}
		if test.from.text() != before {
			t.Errorf("%s: it was %s, and is %s", name, before, test.from.text())
		}
	}
}

func reconciled(l ledger, files ...file) (ledger, any) { return l.reconcile(files) }

func (l ledger) reorderedTo(names ...string) (ledger, any) {
	l, err := l.reordered(names)
	if err != nil {
		return l, err.Error()
	}
	return l, nil
}

// TestConclude says what sightings mean, by how long ago the commit was sent and the first look was.
func TestConclude(t *testing.T) {
	t.Parallel()
	const patience = 120 * time.Second
	broken := errors.New("no network")
	for name, test := range map[string]struct {
		seen         sighting
		sent, looked time.Duration
		want         conclusion
	}{
		"the chapter is there":                       {sighting{chapter: &api.Chapter{}, open: true, err: broken}, 0, 0, isPublished},
		"the server may still be at it":              {sighting{open: true}, 60 * time.Second, 60 * time.Second, lookAgain},
		"as it was, long after":                      {sighting{open: true}, 120 * time.Second, 60 * time.Second, notPublished},
		"as it was, in another run":                  {sighting{open: true}, time.Hour, 0, notPublished},
		"over, and not in the lists yet":             {sighting{}, 0, 0, lookAgain},
		"over, and not in the lists":                 {sighting{}, 30 * time.Second, 30 * time.Second, notKnown},
		"over, and not in the lists, in another run": {sighting{}, time.Hour, time.Second, lookAgain},
		"no network":                                 {sighting{err: broken}, 119 * time.Second, 119 * time.Second, lookAgain},
		"no network for too long":                    {sighting{err: broken}, 120 * time.Second, 120 * time.Second, notKnown},
		"no network in another run":                  {sighting{err: broken}, time.Hour, 29 * time.Second, lookAgain},
		"no network in another run, for too long":    {sighting{err: broken}, time.Hour, 30 * time.Second, notKnown},
		"as it was, but the lists are not there":     {sighting{open: true, err: broken}, time.Hour, 30 * time.Second, notKnown},
	} {
		if got := test.seen.conclude(test.sent, test.looked, patience); got != test.want {
			t.Errorf("%s: %d, want %d", name, got, test.want)
		}
	}
}
