package athome

import "sync"

// Progress is how far a run has come.
type Progress struct {
	Pages      int // that are done
	TotalPages int
	Bytes      int64 // that have arrived; those of a failed attempt are taken back

	// TotalBytes is the size of all pages. Nodes tell the size of a page when it begins, so until
	// then it is taken to be like the others: an estimate, and 0 before the first page.
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

// track returns an output that is followed on the way to out.
func (t *tracker) track(out output) output {
	if t == nil {
		return out
	}
	return &tracked{output: out, tracker: t, size: -1}
}

// end counts a page whose output was followed, or takes it back if it did not arrive.
func (t *tracker) end(out output, err error) {
	page, ok := out.(*tracked)
	if !ok {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if err != nil {
		t.bytes -= page.bytes
		t.resize(page, -1)
	} else {
		t.resize(page, page.bytes)
		t.pages++
	}
	t.tell()
}

// resize takes note of the size of a page. The tracker is locked.
func (t *tracker) resize(page *tracked, size int64) {
	if page.size >= 0 {
		t.knownPages--
		t.knownBytes -= page.size
	}
	if page.size = size; size >= 0 {
		t.knownPages++
		t.knownBytes += size
	}
}

// tracked is an output that a tracker follows.
type tracked struct {
	output
	tracker *tracker
	size    int64 // -1: unknown
	bytes   int64
}

func (o *tracked) begin(size int64) error {
	if err := o.output.begin(size); err != nil {
		return err
	}
	t := o.tracker
	t.mu.Lock()
	defer t.mu.Unlock()
	t.bytes -= o.bytes
	o.bytes = 0
	t.resize(o, size)
	return nil
}

func (o *tracked) Write(p []byte) (int, error) {
	n, err := o.output.Write(p)
	t := o.tracker
	t.mu.Lock()
	defer t.mu.Unlock()
	o.bytes += int64(n)
	t.bytes += int64(n)
	t.tell()
	return n, err
}
