package athome

import (
	"context"
	"errors"
	"slices"
	"sync"
)

// errNoRoom says that a page turned out larger than there is room for at the moment.
var errNoRoom = errors.New("no room")

// An allotment is how the bytes of pages that are fetched ahead are shared out: in the order of the pages, as
// long as they are near enough to the one that is next, and together have no more than they may. The page
// that is next always has room. It is a value; each method that changes it returns the one after it.
type allotment struct {
	parallel int
	memory   int64 // what WithMemory allows; 0 for the default
	next     int   // page that is handed out next
	entered  int   // pages that were let in
	held     int64 // bytes of those that were let in and have not passed
	largest  int64 // size of a page so far
}

// enter lets a page in with as many bytes as it is known to need, or else as the largest page so far. It is
// false if the page has to wait.
func (a allotment) enter(page int, need int64) (_ allotment, size int64, ok bool) {
	if size = need; size == 0 {
		size = a.largest
	}
	if page > a.entered || !a.isNear(page) || !a.fits(page, size) {
		return a, 0, false
	}
	a.entered = max(a.entered, page+1)
	a.held += size
	return a, size, true
}

// grow makes the room of a page that was let in larger. It is false if there is no more.
func (a allotment) grow(page int, from, to int64) (allotment, bool) {
	a.largest = max(a.largest, to)
	if !a.fits(page, to-from) {
		return a, false
	}
	a.held += to - from
	return a, true
}

// give gives bytes back.
func (a allotment) give(size int64) allotment {
	a.held -= size
	return a
}

// pass gives the bytes of the next page back and goes on to the one after it.
func (a allotment) pass(size int64) allotment {
	a.next++
	return a.give(size)
}

// isNear reports whether a page is close enough to the next one to be fetched now. Twice as many pages as are
// fetched at once count as close: turns are not given in the order of the pages, so the one that is next may
// wait for its turn while as many others are fetched, and then as many again must have something to do.
func (a allotment) isNear(page int) bool { return page < a.next+2*a.parallel }

// fits reports whether there is room for more bytes of a page. A heap grows to more than twice of what is in
// use before it is collected, so the default is well below half of what is promised.
func (a allotment) fits(page int, size int64) bool {
	limit := a.memory
	if limit == 0 {
		limit = 8<<20 + int64(a.parallel)*a.largest/3
	}
	return page == a.next || a.held+size <= limit
}

// A room is the semaphore of bytes of one run. Its allotment says who may have how many.
type room struct {
	reuse bool

	mu      sync.Mutex
	now     allotment
	spare   [][]byte      // memory of pages that have passed
	changed chan struct{} // closed when there may be more room
}

func newRoom(parallel int, memory int64, reuse bool) *room {
	return &room{reuse: reuse, now: allotment{parallel: parallel, memory: memory}, changed: make(chan struct{})}
}

// enter waits until there is room for a page, and takes it.
func (r *room) enter(ctx context.Context, page int, need int64) (int64, error) {
	for {
		r.mu.Lock()
		next, size, ok := r.now.enter(page, need)
		changed := r.changed
		if ok {
			r.set(next)
			r.mu.Unlock()
			return size, nil
		}
		r.mu.Unlock()
		select {
		case <-changed:
		case <-ctx.Done():
			return 0, context.Cause(ctx)
		}
	}
}

// grow makes the room of a page larger, if there is more.
func (r *room) grow(page int, from, to int64) (ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.now, ok = r.now.grow(page, from, to)
	return ok
}

// give gives room back.
func (r *room) give(size int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.set(r.now.give(size))
}

// pass gives the room of the next page back and goes on to the one after it.
func (r *room) pass(data []byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.set(r.now.pass(int64(cap(data))))
	if r.reuse && len(r.spare) < 2 && cap(data) > 0 {
		r.spare = append(r.spare, data[:0])
	}
}

// set changes what is held, and wakes those who wait. The room is locked.
func (r *room) set(next allotment) {
	r.now = next
	close(r.changed)
	r.changed = make(chan struct{})
}

// alloc makes memory, or takes what is spare if it is large enough and not much too large.
func (r *room) alloc(size int64) []byte {
	r.mu.Lock()
	defer r.mu.Unlock()
	for i, data := range r.spare {
		if have := int64(cap(data)); size <= have && have <= 2*size {
			r.spare = slices.Delete(r.spare, i, i+1)
			return data
		}
	}
	r.spare = nil
	return makeBytes(size)
}
