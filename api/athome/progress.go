package athome

import "sync"

// Progress is how far a run has come.
type Progress struct {
	Pages      int // that are done
	TotalPages int
	Bytes      int64 // that have arrived; those of a failed attempt are taken back

	// TotalBytes is an estimate of the size of all pages, 0 before the first page. A node tells the
	// size of a page when it begins to send it; until then the page is taken to be like the others.
	TotalBytes int64
}

// A tracker follows a run for [WithProgress]. A nil tracker follows nothing.
type tracker struct {
	report func(Progress)

	mu         sync.Mutex
	pages      int
	total      int
	bytes      int64
	knownPages int // pages whose size is known
	knownBytes int64
}

func newTracker(report func(Progress), total int) *tracker {
	if report == nil {
		return nil
	}
	return &tracker{report: report, total: total}
}

// tell reports how things stand. The tracker is locked.
func (t *tracker) tell() {
	p := Progress{Pages: t.pages, TotalPages: t.total, Bytes: t.bytes, TotalBytes: t.knownBytes}
	if t.knownPages > 0 {
		p.TotalBytes += t.knownBytes / int64(t.knownPages) * int64(t.total-t.knownPages)
	}
	t.report(p)
}

// had counts a page that is there already.
func (t *tracker) had(size int64) {
	if t == nil {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.pages++
	t.bytes += size
	t.knownPages++
	t.knownBytes += size
	t.tell()
}

// A meter follows one page for a tracker. A nil meter follows nothing.
type meter struct {
	tracker *tracker
	size    int64 // -1: unknown
	bytes   int64
}

// meter returns what follows a page.
func (t *tracker) meter() *meter {
	if t == nil {
		return nil
	}
	return &meter{tracker: t, size: -1}
}

// begin takes note of an attempt at a page of so many bytes, -1 if that is not known.
func (m *meter) begin(size int64) {
	if m == nil {
		return
	}
	t := m.tracker
	t.mu.Lock()
	defer t.mu.Unlock()
	t.bytes -= m.bytes
	m.bytes = 0
	t.resize(m, size)
}

// add takes note of bytes that have arrived.
func (m *meter) add(n int) {
	if m == nil {
		return
	}
	t := m.tracker
	t.mu.Lock()
	defer t.mu.Unlock()
	m.bytes += int64(n)
	t.bytes += int64(n)
	t.tell()
}

// end counts the page, or takes it back if it did not arrive.
func (m *meter) end(err error) {
	if m == nil {
		return
	}
	t := m.tracker
	t.mu.Lock()
	defer t.mu.Unlock()
	if err != nil {
		t.bytes -= m.bytes
		t.resize(m, -1)
	} else {
		t.resize(m, m.bytes)
		t.pages++
	}
	t.tell()
}

// resize takes note of the size of a page. The tracker is locked.
func (t *tracker) resize(m *meter, size int64) {
	if m.size >= 0 {
		t.knownPages--
		t.knownBytes -= m.size
	}
	if m.size = size; size >= 0 {
		t.knownPages++
		t.knownBytes += size
	}
}
