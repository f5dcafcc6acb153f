package api

import "github.com/google/uuid"

// Bounds of how often a list is asked again.
const (
	maxResults = 10000 // ceiling of the server on offset and limit together
	maxPasses  = 3     // over a list of which something is missing
	maxAsks    = 4     // for a page that is empty and should not be
	maxBacks   = 10    // steps back in a pass
)

// unknown is the total of a list whose server says none that can be true.
const unknown = -1

// A place is where a walk is in a list: the page to ask for, and what is known from those before
// it. It is a value; next returns the place behind an answer.
//
// A walk goes by what came: behind a page of 20 it asks for the 21st item, whatever it asked for.
// The total of an answer is believed unless more has been seen than it says. It tells when the list
// has ended, when an empty page is a fault, and whether as many items were met as there are. One
// that sinks means that items have gone and others have moved up, perhaps to pages that were read
// already: the walk steps back by as many, and counts on one less item that it has met. If some are
// missing in the end, because they moved ahead or because the server left them out, the walk
// passes over the list again, until it has met as many as there are.
type place struct {
	limit  int  // of a page, as the caller wants it
	first  int  // offset at which the list begins for the caller
	sliced bool // the list goes on behind the ceiling, in another one
	once   bool // items cannot be told from each other, so that none may be asked for twice

	offset int  // of the page to ask for
	size   int  // of the last page that held something: as large may the next one be
	total  int  // as far as it can be believed
	untrue bool // what the server says of the total
	asks   int  // for the page at offset, in vain
	backs  int  // steps back in this pass

	pass  int   // over the list, from 1 on
	pages tally // of this pass
	list  tally // of all passes
	found int   // items of this pass that those before had not met
}

// A tally counts items.
type tally struct {
	met  int // each once
	gone int // of them, at most, from the list
}

// enough tells whether all items that there are have been met.
func (t tally) enough(items int) bool { return t.met-t.gone >= items }

// A yield is what a page brought.
type yield struct {
	items int // on the page
	pass  int // of them, those that this pass had not met before
	list  int // of them, those that no pass had met before
	total int // of the list, as the answer says
}

// A step says how a walk goes on.
type step int

const (
	more       step = iota // with the next place
	whole                  // not at all: the list has ended
	ceiling                // there is more than the server shows
	incomplete             // something is missing, and asking again did not bring it
)

// begun is the place at which a pass begins, the first or another.
func (p place) begun() place {
	p.pass++
	p.offset, p.size, p.asks, p.backs = p.first, p.limit, 0, 0
	p.pages, p.found = tally{}, 0
	return p
}

// page is the part of the list to ask for at an offset.
func (p place) page(offset int) (limit int) { return min(p.limit, maxResults-offset) }

// end is the offset behind the last item that can be asked for.
func (p place) end() int {
	if p.total == unknown {
		return maxResults
	}
	return min(p.total, maxResults)
}

// items is how many items can be asked for.
func (p place) items() int { return max(p.end()-p.first, 0) }

// next is where the walk goes behind an answer.
func (p place) next(y yield) (place, step) {
	p.pages.met += y.pass
	p.list.met += y.list
	p.found += y.list
	asked := p.offset
	sunk := p.believe(y)
	switch {
	case y.items > 0:
		p.size, p.asks = min(y.items, p.limit), 0
		p.offset += y.items
	case p.total == unknown || asked < p.end():
		if p.asks++; p.asks < maxAsks {
			return p, more
		}
		if p.total != unknown {
			return p, incomplete
		}
		return p.ended(asked)
	}
	if 0 < sunk && sunk <= p.limit && p.backs < maxBacks && !p.once {
		p.offset = max(asked-sunk, p.first)
		p.backs++
	}
	if p.pass > 1 && p.total != unknown && p.list.enough(p.items()) {
		p.offset = max(p.offset, p.end()) // what was missing has been found
	}
	if p.offset < p.end() {
		return p, more
	}
	return p.ended(p.offset)
}

// believe takes the total of an answer if it can be true, and returns by how much it has sunk.
func (p *place) believe(y yield) (sunk int) {
	if y.items > 0 && max(p.total, y.total) < p.offset+y.items {
		p.total, p.untrue = unknown, true
	}
	switch {
	case p.untrue, y.total < 0, y.items > 0 && y.total < p.offset+y.items:
		return 0
	case y.items == 0 && y.total == 0 && p.list.met > 0:
		return 0 // of a page that says nothing
	}
	if p.total != unknown && y.total < p.total {
		sunk = p.total - y.total
		p.pages.gone += sunk
		p.list.gone += sunk
	}
	p.total = y.total
	return sunk
}

// ended decides behind the last page, which ended at an offset.
func (p place) ended(offset int) (place, step) {
	beyond := offset >= maxResults && (p.total == unknown || p.total > maxResults)
	if beyond && !p.sliced {
		return p, ceiling
	}
	switch {
	case p.enough() && beyond:
		return p, ceiling
	case p.enough():
		return p, whole
	case p.once, p.pass == maxPasses, p.pass > 1 && p.found == 0 && p.pages.gone == 0:
		return p, incomplete
	}
	return p.begun(), more
}

// enough tells whether all items have been met, at the end of a pass. Where there is no total to
// compare with, there is another pass.
func (p place) enough() bool {
	if p.total == unknown {
		return p.once || p.list.met == 0 || p.pass > 1 && p.found == 0 && p.pages == p.list
	}
	return p.list.enough(p.items()) || p.pages.enough(p.items())
}

// A ledger knows which items have been met, and when.
type ledger struct {
	list, pass int // from 1 on
	met        map[uuid.UUID]meeting
}

// A meeting is the last pass that met an item, and the list that it was over.
type meeting struct{ list, pass int }

// enter counts an item of a page, and reports whether nobody has met it before.
func (l *ledger) enter(id uuid.UUID, y *yield) (first bool) {
	last, again := l.met[id]
	now := meeting{l.list, l.pass}
	if last == now {
		return false
	}
	y.pass++
	if last.list != now.list {
		y.list++
	}
	l.met[id] = now
	return !again
}
