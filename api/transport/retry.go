package transport

import (
	"math/rand/v2"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/mangadex-go/mangadex/internal/answer"
)

// longestHint bounds the Retry-After of an answer other than 429 that is waited for.
const longestHint = time.Minute

// A backoff says how long to wait after an attempt.
type backoff struct{ first, longest time.Duration }

// ceiling is the longest wait: it doubles with every attempt.
func (b backoff) ceiling(attempt int) time.Duration {
	d := b.first
	for ; attempt > 1 && d < b.longest; attempt-- {
		d *= 2
	}
	return min(d, b.longest)
}

// jittered is a random wait up to the ceiling, so that clients that failed together do not come
// back together.
func (b backoff) jittered(attempt int) time.Duration {
	return rand.N(b.ceiling(attempt) + 1)
}

// A budget bounds the repetitions of all requests together: with a server that fails them all,
// repeating each is no help to anyone. Every success gives one back.
type budget struct{ left atomic.Int64 }

const budgetSize = 100

func (b *budget) fill() { b.left.Store(budgetSize) }

func (b *budget) take() bool {
	if b.left.Add(-1) >= 0 {
		return true
	}
	b.left.Add(1)
	return false
}

func (b *budget) give() {
	if b.left.Load() < budgetSize {
		b.left.Add(1)
	}
}

// again decides whether there is another attempt, and when.
func (e *exchange) again() bool {
	wait := e.delay // of a 429, as long as there is no limiter
	e.delay = 0
	e.why = e.trouble()
	if e.why == "" {
		if e.err == nil {
			e.t.budget.give()
		}
		return false
	}
	if e.attempt >= e.t.attempts || e.req.Context().Err() != nil {
		return false
	}
	if e.req.Body != nil && e.req.Body != http.NoBody && e.req.GetBody == nil {
		return false
	}
	switch {
	case e.err == nil && answer.Is(e.resp.StatusCode, answer.ErrRateLimited):
		if e.t.limiter == nil {
			if wait > e.t.maxWait {
				return false
			}
			e.delay = wait
		}
	case e.err == nil:
		hint := answer.RetryAfter(e.resp.StatusCode, e.resp.Header, time.Now())
		if hint > longestHint {
			return false
		}
		e.delay = hint + e.t.backoff.jittered(e.attempt)
	default:
		e.delay = e.t.backoff.jittered(e.attempt)
	}
	if deadline, ok := e.req.Context().Deadline(); ok && time.Until(deadline) <= e.delay {
		e.delay = 0
		return false
	}
	if !e.t.budget.take() {
		return false
	}
	if e.err == nil {
		answer.Hold(e.resp, maxBuffer) // so that its connection is free while the next one waits
	}
	e.t.stats.retries.Add(1)
	e.logRetry()
	verdict, _ := e.verdict()
	answer.AttemptsOf(e.req.Context()).Repeat(verdict)
	return true
}

// trouble says what is wrong with the last attempt that another may mend; empty: nothing.
func (e *exchange) trouble() string {
	verdict, why := e.verdict()
	if !verdict.Temporary || !e.idempotent && verdict.Effect != answer.NotDone {
		return ""
	}
	return why
}

// verdict says what the last attempt came to, and how that is called in a log.
func (e *exchange) verdict() (answer.Verdict, string) {
	if e.err != nil {
		return answer.OfError(e.err), "network error"
	}
	if e.cut {
		return answer.Verdict{Temporary: true}, "answer cut off"
	}
	kind := answer.Text // a path without an operation may well be a page
	if e.op != nil {
		held := []byte("?") // something that is still to come
		if body, ok := e.resp.Body.(*answer.Body); ok {
			held = body.Bytes()
		}
		kind = answer.KindOf(e.resp.Header.Get("Content-Type"), held)
	}
	if answer.Success(e.resp.StatusCode) {
		return answer.Of(e.resp.StatusCode, kind), "HTML instead of an answer"
	}
	return answer.Of(e.resp.StatusCode, kind), "status"
}

// idempotent tells whether a request of a method can be repeated without doing more than once.
func idempotent(method string) bool {
	switch method {
	case "", http.MethodGet, http.MethodHead, http.MethodOptions, http.MethodTrace, http.MethodPut, http.MethodDelete:
		return true
	}
	return false
}
