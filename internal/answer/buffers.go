package answer

import (
	"bytes"
	"net/http"
	"slices"
	"sync"

	"github.com/mangadex-go/mangadex/internal/operation"
)

// Bounds of the buffers that are kept for the next answers.
const (
	largestKept = 2 << 20 // bytes in one
	mostKept    = 8       // buffers
	allKept     = 4 << 20 // bytes in all
)

// A pool keeps the buffers of answers for those to come. A sync.Pool, which has a list for each core and
// loses them to the collector, made a new one for four of ten calls, and that one grew by doubling: more
// bytes than the answer had. BenchmarkHold shows what is left of it.
type pool struct {
	mu     sync.Mutex
	free   []*bytes.Buffer // by size, the smallest first
	all    int             // bytes in free
	lately map[string]int  // how long the answers to an operation were
}

var buffers pool

// get returns a buffer with room for an answer: for as much as it says, or for as much as those to its
// operation had lately.
func (p *pool) get(op string, length int64) *bytes.Buffer {
	p.mu.Lock()
	room := int(length)
	if length <= 0 {
		room = p.lately[op] + p.lately[op]/8
	}
	room += bytes.MinRead // for the read that finds the end
	i, _ := slices.BinarySearchFunc(p.free, room, func(b *bytes.Buffer, room int) int { return b.Cap() - room })
	if i == len(p.free) {
		p.mu.Unlock()
		return bytes.NewBuffer(make([]byte, 0, room))
	}
	b := p.free[i]
	p.free = slices.Delete(p.free, i, i+1)
	p.all -= b.Cap()
	p.mu.Unlock()
	return b
}

// put takes a buffer back, in which an answer of some bytes was.
func (p *pool) put(op string, b *bytes.Buffer, size int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.lately == nil {
		p.lately = map[string]int{}
	}
	p.lately[op] = min(max(size, p.lately[op]/8*7), largestKept) // shorter ones count slowly
	if b.Cap() > largestKept {
		return
	}
	b.Reset()
	i, _ := slices.BinarySearchFunc(p.free, b.Cap(), func(b *bytes.Buffer, size int) int { return b.Cap() - size })
	p.free = slices.Insert(p.free, i, b)
	for p.all += b.Cap(); len(p.free) > mostKept || p.all > allKept; p.free = slices.Delete(p.free, 0, 1) {
		p.all -= p.free[0].Cap()
	}
}

// operationOf names the operation that an answer is to, empty if it is to none.
func operationOf(resp *http.Response) string {
	if resp.Request != nil {
		if op := operation.FromContext(resp.Request.Context()); op != nil {
			return op.ID
		}
	}
	return ""
}
