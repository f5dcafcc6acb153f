package reading

import (
	"slices"

	"github.com/google/uuid"
)

// beginAnew reports whether the numbers of some volume begin again, although an earlier one has got
// further: it starts below 2, and more of its numbers are at or below the highest before it than above.
// One chapter that was filed under a wrong volume does not make it so.
func beginAnew(all []parsed) bool {
	numbers := map[Number]map[Number]bool{}
	for _, c := range all {
		if c.volume.IsZero() || c.number.rank() != 0 {
			continue
		}
		if numbers[c.volume] == nil {
			numbers[c.volume] = map[Number]bool{}
		}
		numbers[c.volume][c.number] = true
	}
	volumes := make([]Number, 0, len(numbers))
	for volume := range numbers {
		volumes = append(volumes, volume)
	}
	slices.SortFunc(volumes, Number.Compare)
	two := Number{"2"}
	highest := Number{}
	for _, volume := range volumes {
		lowest, top, below := Number{}, highest, 0 // a zero Number comes after all others
		for n := range numbers[volume] {
			if lowest.IsZero() || n.Compare(lowest) < 0 {
				lowest = n
			}
			if top.IsZero() || n.Compare(top) > 0 {
				top = n
			}
			if !highest.IsZero() && n.Compare(highest) <= 0 {
				below++
			}
		}
		if lowest.Compare(two) < 0 && 2*below > len(numbers[volume]) {
			return true
		}
		highest = top
	}
	return false
}

// find finds a chapter and its entry.
func (l *List) find(id uuid.UUID) (*Entry, *Version, bool) {
	i, ok := l.entryOf[id]
	if !ok {
		return nil, nil, false
	}
	e := &l.Entries[i]
	for j := range e.Versions {
		if e.Versions[j].ID == id {
			return e, &e.Versions[j], true
		}
	}
	return nil, nil, false
}

// Entry returns the entry that has a chapter among its versions. It is false for a chapter that is not in
// the list.
func (l *List) Entry(id uuid.UUID) (*Entry, bool) {
	e, _, ok := l.find(id)
	return e, ok
}

// Next returns what comes after a chapter in its language, whichever version of an entry the chapter is.
// It is false at the end and for a chapter that is not in the list. The entry may be one that can only be
// read elsewhere, or not at all: see [PlaceOf].
func (l *List) Next(id uuid.UUID) (*Entry, bool) { return l.neighbour(id, 1) }

// Previous returns what comes before a chapter, as [List.Next] does.
func (l *List) Previous(id uuid.UUID) (*Entry, bool) { return l.neighbour(id, -1) }

func (l *List) neighbour(id uuid.UUID, step int) (*Entry, bool) {
	at, ok := l.entryOf[id]
	if !ok {
		return nil, false
	}
	for i := at + step; i >= 0 && i < len(l.Entries); i += step {
		if e := &l.Entries[i]; e.Language == l.Entries[at].Language {
			return e, true
		}
	}
	return nil, false
}

// Same returns the version of the entry that fits a chapter that was read before: one by a group of
// that chapter, or else the chosen one. A version that can be read here comes before one that cannot.
func (e *Entry) Same(as *Version) *Version {
	best := e.Chosen()
	for i := range e.Versions {
		v := &e.Versions[i]
		if PlaceOf(&v.Chapter) == PlaceOf(&best.Chapter) && shareGroup(&v.Chapter, &as.Chapter) {
			return v
		}
	}
	return best
}

// Continue returns where to go on after some chapters were read: the first entry behind the last one that
// was read, in its language, that can be read here. An entry counts as read when one of its versions is.
// If nothing was read, it is the first that can be read here. It is false when there is none.
func (l *List) Continue(isRead func(chapter uuid.UUID) bool) (*Entry, bool) {
	last := -1
	for i := range l.Entries {
		if slices.ContainsFunc(l.Entries[i].Versions, func(v Version) bool { return isRead(v.ID) }) {
			last = i
		}
	}
	for i := last + 1; i < len(l.Entries); i++ {
		e := &l.Entries[i]
		if PlaceOf(&e.Chosen().Chapter) == Here && (last < 0 || e.Language == l.Entries[last].Language) {
			return e, true
		}
	}
	return nil, false
}
