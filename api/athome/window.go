package athome

import (
	"context"
	"errors"
	"slices"
	"sync"
)

// errNoRoom says that a page turned out larger than the window has room for at the moment.
var errNoRoom = errors.New("no room")

// A window lets pages be fetched in their order, as long as they are near enough to the one that
// is next and there is room for them. The page that is next always has room.
type window struct {
	parallel int
	memory   int64 // what WithMemory allows; 0 for the default
	reuse    bool

	mu      sync.Mutex
	next    int           // page
	entered int           // pages that were let in
	held    int64         // bytes of those that were let in and have not passed
	largest int64         // size of a page so far
	spare   [][]byte      // memory of pages that have passed
	changed chan struct{} // closed when there may be more room
}

// near reports whether a page is as near to the next one as it must be. Some pages are ahead of
// those that are fetched, so that a slow one does not hold up the others at once.
func (w *window) near(page int) bool { return page < w.next+w.parallel+(w.parallel+1)/2 }

// fits reports whether there is room for more bytes of a page. A heap grows to more than twice of
// what is in use before it is collected, so the default is well below half of what is promised.
func (w *window) fits(page int, size int64) bool {
	limit := w.memory
	if limit == 0 {
		limit = 8<<20 + int64(w.parallel)*w.largest/3
	}
	return page == w.next || w.held+size <= limit
}

// enter waits until there is room for a page, and takes it: as much as it is known to need, or
// else as the largest page so far.
func (w *window) enter(ctx context.Context, page int, need int64) (int64, error) {
	for {
		w.mu.Lock()
		size := need
		if size == 0 {
			size = w.largest
		}
		if page <= w.entered && w.near(page) && w.fits(page, size) {
			defer w.mu.Unlock()
			w.entered = max(w.entered, page+1)
			w.hold(size)
			return size, nil
		}
		changed := w.changed
		w.mu.Unlock()
		select {
		case <-changed:
		case <-ctx.Done():
			return 0, context.Cause(ctx)
		}
	}
}

// take makes the room of a page that was let in larger, if there is more.
func (w *window) take(page int, held, size int64) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.largest = max(w.largest, size)
	if !w.fits(page, size-held) {
		return false
	}
	w.held += size - held
	return true
}

// give gives room back.
func (w *window) give(size int64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.hold(-size)
}

// pass gives the room of the next page back and goes on to the one after it.
func (w *window) pass(data []byte) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.next++
	w.hold(-int64(cap(data)))
	if w.reuse && len(w.spare) < 2 && cap(data) > 0 {
		w.spare = append(w.spare, data[:0])
	}
}

// alloc makes memory, or takes what is spare if it is large enough and not much too large.
func (w *window) alloc(size int64) []byte {
	w.mu.Lock()
	defer w.mu.Unlock()
	for i, data := range w.spare {
		if have := int64(cap(data)); size <= have && have <= 2*size {
			w.spare = slices.Delete(w.spare, i, i+1)
			return data
		}
	}
	w.spare = nil
	return makeBytes(size)
}

// hold changes what is held, and wakes those who wait.
func (w *window) hold(size int64) {
	w.held += size
	close(w.changed)
	w.changed = make(chan struct{})
}
