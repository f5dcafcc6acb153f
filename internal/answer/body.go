package answer

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
)

// A Body is an answer that has been read, as far as a limit, and stands in for the body that it was
// read from. It may be read and closed like that one; Close gives its memory to the next answer.
type Body struct {
	mu     sync.Mutex // against a Close while another goroutine reads
	buffer *bytes.Buffer
	size   int              // of what is in it
	op     string           // the operation, for which its size is remembered
	filler io.LimitedReader // that filled it
	rest   io.ReadCloser    // what lies behind the limit; nil: nothing
	end    error            // behind the buffer, if there is no rest
	closed bool
}

// Hold reads the body of an answer up to a limit of bytes and puts a Body in its place. It reports
// whether the body ended too early; then reading the Body ends in the error that it ended in. What
// is longer than the limit is not held: it is read from the network when the Body is.
func Hold(resp *http.Response, limit int64) (cut bool) { return new(Body).Hold(resp, limit) }

// Hold is [Hold] with a Body that the caller has room for, a zero one.
func (b *Body) Hold(resp *http.Response, limit int64) (cut bool) {
	if resp.Body == nil || resp.Body == http.NoBody || Switched(resp.StatusCode) {
		return false
	}
	if b, held := resp.Body.(*Body); held {
		return b.rest == nil && b.end != io.EOF
	}
	b.fill(resp, limit)
	resp.Body = b
	return b.rest == nil && b.end != io.EOF
}

// Read reads the rest of an answer, which may be held already, and closes it. The body that it
// returns is good until its Close, and is there with an error, too. An answer that is longer than
// the limit is an error.
func Read(resp *http.Response, limit int64) (*Body, error) {
	b, held := resp.Body.(*Body)
	if !held || b.rest != nil {
		if resp.Body == nil {
			return &Body{buffer: new(bytes.Buffer), end: io.EOF}, nil
		}
		b = new(Body)
		b.fill(resp, limit)
	}
	switch {
	case b.rest != nil || int64(b.buffer.Len()) > limit:
		b.cut(limit)
		return b, fmt.Errorf("the answer is longer than %d MiB", limit>>20)
	case b.end != io.EOF:
		return b, fmt.Errorf("the answer was cut off: %w", b.end)
	}
	return b, nil
}

// fill reads a body, as far as the limit.
func (b *Body) fill(resp *http.Response, limit int64) {
	b.op, b.end = operationOf(resp), io.EOF
	b.buffer = buffers.get(b.op, min(resp.ContentLength, limit))
	source := resp.Body
	b.filler = io.LimitedReader{R: source, N: limit + 1}
	n, err := b.buffer.ReadFrom(&b.filler)
	b.filler.R, b.size = nil, int(n)
	switch {
	case err == nil && n > limit:
		b.rest = source
		return
	case err == nil && !resp.Uncompressed && n < resp.ContentLength:
		err = io.ErrUnexpectedEOF
	}
	source.Close()
	if err != nil {
		b.end = err
	}
}

// cut leaves out what is behind the limit.
func (b *Body) cut(limit int64) {
	if b.rest != nil {
		b.rest.Close()
		b.rest = nil
	}
	b.buffer.Truncate(int(min(limit, int64(b.buffer.Len()))))
}

// errClosed is what a body says after Close, like those of net/http.
var errClosed = errors.New("http: read on closed response body")

// Read implements [io.Reader].
func (b *Body) Read(p []byte) (int, error) {
	b.mu.Lock()
	switch {
	case b.closed:
		b.mu.Unlock()
		return 0, errClosed
	case b.buffer.Len() > 0 || len(p) == 0:
		defer b.mu.Unlock()
		return b.buffer.Read(p)
	}
	b.mu.Unlock()
	if b.rest != nil {
		return b.rest.Read(p)
	}
	return 0, b.end
}

// Bytes returns what has been read of the answer and not been taken yet, without copying. It is good
// until Close.
func (b *Body) Bytes() []byte {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return nil
	}
	return b.buffer.Bytes()
}

// Close implements [io.Closer].
func (b *Body) Close() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return nil
	}
	b.closed = true
	buffers.put(b.op, b.buffer, b.size)
	b.buffer = nil
	if b.rest != nil {
		return b.rest.Close()
	}
	return nil
}
