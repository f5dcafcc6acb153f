package athome

import (
	"context"
	"errors"
	"iter"
	"sync"
	"sync/atomic"
)

// All fetches the pages and hands them out in reading order, while the next ones are fetched
// ahead: at most as many at once as [WithParallel] says, and no more at a time than [WithMemory]
// allows.
//
// A page that cannot be had comes as a *[PageError] in its place, and the loop may go on with the
// next. Any other error is the last thing that comes. When the loop ends, however it does, nothing
// runs any more.
func (c *Chapter) All(ctx context.Context) iter.Seq2[Image, error] {
	return func(yield func(Image, error) bool) { c.walk(ctx, yield) }
}

// fetched is a page, or why there is none.
type fetched struct {
	image Image
	err   error
}

func (c *Chapter) walk(ctx context.Context, yield func(Image, error) bool) {
	ctx, cancel := context.WithCancel(ctx)
	var workers sync.WaitGroup
	defer workers.Wait()
	defer cancel()

	t := newTracker(c.progress, len(c.pages))
	w := &window{parallel: c.parallel, memory: c.memory, changed: make(chan struct{})}
	results := make([]chan fetched, len(c.pages))
	for i := range results {
		results[i] = make(chan fetched, 1)
	}
	var claimed atomic.Int64
	for range min(c.parallel, len(c.pages)) {
		workers.Go(func() {
			for {
				i := int(claimed.Add(1)) - 1
				if i >= len(c.pages) {
					return
				}
				image, err := c.ahead(ctx, i, w, t)
				results[i] <- fetched{image, err}
				if err != nil && !isPageError(err) {
					return
				}
			}
		})
	}
	// Pages are claimed in their order, so one whose worker has ended comes before any that nobody
	// has claimed.
	for i := range results {
		r := <-results[i]
		if !yield(r.image, r.err) || r.err != nil && !isPageError(r.err) {
			return
		}
		w.pass(int64(cap(r.image.Data)))
	}
}

func isPageError(err error) bool { return errors.As(err, new(*PageError)) }

// ahead fetches a page into memory that the window has room for.
func (c *Chapter) ahead(ctx context.Context, index int, w *window, t *tracker) (Image, error) {
	var held, need int64
	m := &memory{room: func(size int64) error {
		if size > held && !w.take(index, held, size) {
			need = size
			return errNoRoom
		}
		held = max(held, size)
		return nil
	}}
	out := t.track(m)
	for {
		var err error
		if held, err = w.enter(ctx, index, need); err != nil {
			return Image{}, c.errorf(err)
		}
		page, a, err := c.fetch(ctx, index, out)
		if errors.Is(err, errNoRoom) {
			m.data = nil
			w.give(held)
			continue
		}
		t.end(out, err)
		if err != nil {
			w.give(held)
			return Image{Page: page}, err
		}
		w.give(held - int64(cap(m.data)))
		return Image{Page: page, ContentType: a.contentType, Data: m.data}, nil
	}
}

// errNoRoom says that a page turned out larger than the window has room for at the moment.
var errNoRoom = errors.New("no room")

// memory keeps a picture.
type memory struct {
	data []byte
	room func(size int64) error // called before so many bytes are used; nil: there is room
}

func (m *memory) begin(size int64) error {
	m.data = m.data[:0]
	if size > int64(cap(m.data)) {
		return m.grow(size)
	}
	return nil
}

func (m *memory) grow(size int64) error {
	if m.room != nil {
		if err := m.room(size); err != nil {
			return err
		}
	}
	m.data = append(make([]byte, 0, size), m.data...)
	return nil
}

func (m *memory) space(spare []byte) []byte {
	if len(m.data) == cap(m.data) {
		return spare
	}
	return m.data[len(m.data):cap(m.data)]
}

func (m *memory) Write(p []byte) (int, error) {
	if end := len(m.data) + len(p); len(p) > 0 && end <= cap(m.data) && &m.data[:end][len(m.data)] == &p[0] {
		m.data = m.data[:end]
		return len(p), nil
	}
	if size := len(m.data) + len(p); size > cap(m.data) {
		if err := m.grow(int64(max(size, 2*cap(m.data)))); err != nil {
			return 0, err
		}
	}
	m.data = append(m.data, p...)
	return len(p), nil
}

// A window lets pages be fetched in their order, as long as they are near enough to the one that
// is next and there is room for them. The page that is next always has room.
type window struct {
	parallel int
	memory   int64 // what WithMemory allows; 0 for the default

	mu      sync.Mutex
	next    int           // page
	entered int           // pages that were let in
	held    int64         // bytes of those that were let in and have not passed
	largest int64         // size of a page so far
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
func (w *window) pass(size int64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.next++
	w.hold(-size)
}

// hold changes what is held, and wakes those who wait.
func (w *window) hold(size int64) {
	w.held += size
	close(w.changed)
	w.changed = make(chan struct{})
}
