package athome

import (
	"context"
	"errors"
	"iter"
	"sync"
	"sync/atomic"
)

// All fetches the pages and hands them out in reading order, while the next ones are fetched
// ahead: at most as many at once as [WithParallel] says and as large as [WithMemory] says, the
// page in the hands of the loop included.
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
	w := &window{pages: c.parallel, free: c.memory, changed: make(chan struct{})}
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
		if size > held && !w.take(index, size-held) {
			need = size
			return errNoRoom
		}
		held = max(held, size)
		return nil
	}}
	out := t.track(m)
	for need = w.usual(); ; {
		if err := w.wait(ctx, index, need); err != nil {
			return Image{}, c.errorf(err)
		}
		held = need
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

func (m *memory) Write(p []byte) (int, error) {
	if size := len(m.data) + len(p); size > cap(m.data) {
		if err := m.grow(int64(max(size, 2*cap(m.data)))); err != nil {
			return 0, err
		}
	}
	m.data = append(m.data, p...)
	return len(p), nil
}

// A window lets pages be fetched that are near enough to the one that is next, as long as there is
// room for them. The page that is next always has room.
type window struct {
	mu      sync.Mutex
	next    int
	pages   int           // how many there may be from next on
	free    int64         // bytes; below zero where the next page did not fit
	largest int64         // page so far
	changed chan struct{} // closed when there is more room
}

// usual is what a page is taken to need until its size is known.
func (w *window) usual() int64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.largest
}

// wait waits until there is room for a page, and takes it.
func (w *window) wait(ctx context.Context, page int, size int64) error {
	for {
		w.mu.Lock()
		if page < w.next+w.pages && w.fits(page, size) {
			w.free -= size
			w.mu.Unlock()
			return nil
		}
		changed := w.changed
		w.mu.Unlock()
		select {
		case <-changed:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

func (w *window) fits(page int, size int64) bool { return page == w.next || size <= w.free }

// take takes more room for a page that has been let through, if there is more.
func (w *window) take(page int, size int64) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.fits(page, size) {
		return false
	}
	w.free -= size
	return true
}

// give gives room back.
func (w *window) give(size int64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.release(size)
}

// pass gives the room of the next page back and goes on to the one after it.
func (w *window) pass(size int64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.next++
	w.largest = max(w.largest, size)
	w.release(size)
}

func (w *window) release(size int64) {
	w.free += size
	close(w.changed)
	w.changed = make(chan struct{})
}
