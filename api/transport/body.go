package transport

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"sync"
)

// maxBuffer bounds what is read of a body before it is handed on.
const maxBuffer = 16 << 20

// largestKept bounds the buffers that are kept for the next answer.
const largestKept = 2 << 20

var buffers = sync.Pool{New: func() any { return new(bytes.Buffer) }}

// buffer reads the body of an answer and puts one in its place that gives out what was read. It
// reports whether the body ended too early; then reading it ends in the error that it ended in.
func buffer(resp *http.Response) (cut bool) {
	if resp.Body == http.NoBody || resp.StatusCode == http.StatusSwitchingProtocols {
		return false
	}
	b := &whole{body{buffer: buffers.Get().(*bytes.Buffer), end: io.EOF}}
	if n := resp.ContentLength; 0 < n && n <= maxBuffer {
		b.buffer.Grow(int(n) + bytes.MinRead) // room for the read that finds the end
	}
	source := resp.Body
	b.limited = io.LimitedReader{R: source, N: maxBuffer + 1}
	n, err := b.buffer.ReadFrom(&b.limited)
	b.limited.R = nil
	switch {
	case err == nil && n > maxBuffer:
		b.rest = source
		resp.Body = &b.body
		return false
	case err == nil && !resp.Uncompressed && n < resp.ContentLength:
		err = io.ErrUnexpectedEOF
	}
	source.Close()
	if err != nil {
		b.end = err
		resp.Body = &b.body
		return true
	}
	resp.Body = b
	return false
}

// A body gives out what was read of an answer, and what is left of one that is too long.
type body struct {
	mu      sync.Mutex // against a Close while another goroutine reads
	buffer  *bytes.Buffer
	limited io.LimitedReader // that filled it
	rest    io.ReadCloser
	end     error // behind the buffer
	closed  bool
}

// errClosed is what a body says after Close, like those of net/http.
var errClosed = errors.New("http: read on closed response body")

// Read implements [io.Reader].
func (b *body) Read(p []byte) (int, error) {
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

// Close implements [io.Closer].
func (b *body) Close() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return nil
	}
	b.closed = true
	if b.buffer.Cap() <= largestKept {
		b.buffer.Reset()
		buffers.Put(b.buffer)
	}
	b.buffer = nil
	if b.rest != nil {
		return b.rest.Close()
	}
	return nil
}

// whole is a body that has been read to its end.
type whole struct{ body }

// Bytes returns what has not been read yet, without copying. It is valid until Close.
func (b *whole) Bytes() []byte {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return nil
	}
	return b.buffer.Bytes()
}
