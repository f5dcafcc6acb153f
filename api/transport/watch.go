package transport

import (
	"context"
	"fmt"
	"io"
	"net/http/httptrace"
	"sync"
	"sync/atomic"
	"time"

	"github.com/mangadex-go/mangadex/internal/operation"
)

// longestStall is the default of WithStallTimeout.
const longestStall = 30 * time.Second

// A TimeoutError says that an attempt was given up because nothing moved, or because it took too
// long. What the request asks for may have been done.
type TimeoutError struct {
	After time.Duration
	part  part
}

// A part of an attempt.
type part int32

const (
	sending part = iota // the body of the request
	waiting             // for the answer to begin
	reading             // the body of the answer
	all
	ended
)

// Error implements error.
func (e *TimeoutError) Error() string {
	switch e.part {
	case sending:
		return fmt.Sprintf("transport: the server has taken no byte of the request for %v", e.After)
	case waiting:
		return fmt.Sprintf("transport: no answer has begun for %v", e.After)
	case reading:
		return fmt.Sprintf("transport: no byte of the answer has come for %v", e.After)
	}
	return fmt.Sprintf("transport: the attempt took longer than %v, the timeout of the client", e.After)
}

// Timeout is true; see [net.Error].
func (e *TimeoutError) Timeout() bool { return true }

// Temporary is true; see [net.Error].
func (e *TimeoutError) Temporary() bool { return true }

// WithStallTimeout sets how long an attempt may stand still before it is given up: no byte of the
// answer's body comes, or the server takes none of the request's. The answer has to begin within two
// and a half times as long, connecting included. The default is 30 s; zero waits as long as the context
// and the transport below allow.
func WithStallTimeout(d time.Duration) Option {
	return func(s *settings) error {
		if d < 0 {
			return fmt.Errorf("transport: WithStallTimeout(%v): give a time of zero or more", d)
		}
		s.stall = d
		return nil
	}
}

// WithAttemptTimeout bounds each attempt as a whole, from its sending to the end of the body; zero, the
// default, is no bound. Package api uses it for the Timeout of an [http.Client] that it is given, so
// that waiting for the limits and before repetitions does not count.
func WithAttemptTimeout(d time.Duration) Option {
	return func(s *settings) error {
		if d < 0 {
			return fmt.Errorf("transport: WithAttemptTimeout(%v): give a time of zero or more", d)
		}
		s.attemptTimeout = d
		return nil
	}
}

// A watch ends an attempt on which nothing moves. It is the context of the attempt, in which it
// names the operation, too.
type watch struct {
	context.Context
	cancel context.CancelFunc
	caller context.Context
	op     *operation.Operation
	stall  time.Duration
	bound  time.Duration // of the attempt; 0: none
	begun  time.Time
	timer  *time.Timer // of the part; nil: stalls are not watched
	total  *time.Timer // of the attempt; nil: it has no bound
	part   atomic.Int32
	body   receivedBody

	trace   httptrace.ClientTrace
	refused error // by the limits, on the way
}

// begin begins the watch over an attempt.
func (w *watch) begin(ctx context.Context, e *exchange) {
	w.caller, w.op, w.stall, w.bound, w.begun = ctx, e.op, e.t.stall, e.t.attemptTimeout, time.Now()
	w.Context, w.cancel = context.WithCancel(ctx)
	if e.t.limiter != nil && !e.foreign {
		w.follow(ctx, e)
	}
	if w.bound > 0 {
		w.total = time.AfterFunc(w.bound, w.cancel)
	}
	if w.stall > 0 {
		w.part.Store(int32(waiting))
		w.timer = time.AfterFunc(w.longest(waiting), w.cancel)
	}
}

// follow has net/http tell when there is a connection for the attempt, beside what somebody else wants
// to be told.
func (w *watch) follow(ctx context.Context, e *exchange) {
	var other func(httptrace.GotConnInfo)
	if trace := httptrace.ContextClientTrace(ctx); trace != nil {
		w.trace = *trace
		other = trace.GotConn
	}
	w.trace.GotConn = func(info httptrace.GotConnInfo) {
		e.connected(w)
		if other != nil {
			other(info)
		}
	}
}

// traceKey is what net/http looks for a trace by. Package httptrace would wrap the context once more
// for each attempt.
var traceKey = sync.OnceValue(func() any {
	spy := keySpy{Context: context.Background()}
	httptrace.ContextClientTrace(&spy)
	return spy.key
})

// A keySpy notes what it is asked for.
type keySpy struct {
	context.Context
	key any
}

func (s *keySpy) Value(key any) any {
	s.key = key
	return nil
}

// Value implements [context.Context].
func (w *watch) Value(key any) any {
	switch {
	case w.op != nil && key == (operation.ContextKey{}):
		return w.op
	case w.trace.GotConn != nil && key == traceKey():
		return &w.trace
	}
	return w.Context.Value(key)
}

// longest is how long a part may stand still.
func (w *watch) longest(p part) time.Duration {
	if p == waiting { // connecting is a part of it
		return w.stall * 5 / 2
	}
	return w.stall
}

// moves starts the time of a part anew. Once the answer has begun, it does not matter any more what
// becomes of the request.
func (w *watch) moves(p part) {
	if w.timer != nil && (p == reading || w.part.Load() < int32(reading)) {
		w.part.Store(int32(p))
		w.timer.Reset(w.longest(p))
	}
}

// rests stops the time of the answer: it is the caller's turn.
func (w *watch) rests() {
	if w.timer != nil {
		w.part.Store(int32(reading))
		w.timer.Stop()
	}
}

// end ends the watch.
func (w *watch) end() {
	w.rests()
	w.part.Store(int32(ended))
	if w.total != nil {
		w.total.Stop()
	}
	w.cancel()
}

// pause stops the time of an attempt that waits for the limits.
func (w *watch) pause() {
	if w.timer != nil {
		w.timer.Stop()
	}
	if w.total != nil {
		w.total.Stop()
	}
}

// goOn ends a pause.
func (w *watch) goOn() {
	w.begun = time.Now()
	if w.total != nil {
		w.total.Reset(w.bound)
	}
	w.moves(waiting)
}

// refuse ends an attempt that may not be sent.
func (w *watch) refuse(err error) {
	w.refused = err
	w.cancel()
}

// mend replaces an error that comes of the watch, which would say only that the context has ended.
func (w *watch) mend(err error) error {
	p := part(w.part.Load())
	switch {
	case w.refused != nil:
		return w.refused
	case p == ended || w.Err() == nil || w.caller.Err() != nil:
		return err
	case w.bound > 0 && time.Since(w.begun) >= w.bound:
		return &TimeoutError{w.bound, all}
	}
	return &TimeoutError{w.longest(p), p}
}

// A sentBody is the body of a request.
type sentBody struct {
	io.ReadCloser
	watch *watch
}

// Read is called whenever the server has taken what was read before.
func (b *sentBody) Read(p []byte) (n int, err error) {
	n, err = b.ReadCloser.Read(p)
	if err != nil {
		b.watch.moves(waiting)
	} else {
		b.watch.moves(sending)
	}
	return n, err
}

// A receivedBody is the body of an answer.
type receivedBody struct {
	io.ReadCloser
	watch *watch
}

func (b *receivedBody) Read(p []byte) (n int, err error) {
	b.watch.moves(reading)
	n, err = b.ReadCloser.Read(p)
	if err != nil {
		if err != io.EOF {
			err = b.watch.mend(err)
		}
		b.watch.end()
	} else {
		b.watch.rests()
	}
	return n, err
}

func (b *receivedBody) Close() error {
	err := b.ReadCloser.Close()
	b.watch.end()
	return err
}
