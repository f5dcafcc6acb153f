package transport

import (
	"sync/atomic"
	"time"

	"github.com/mangadex-go/mangadex/internal/answer"
)

// rounding is added to a time that the server says: it says whole seconds.
const rounding = time.Second

// learn tells the limiter and the watch for bans what the answer says of them.
func (e *exchange) learn() {
	t, resp := e.t, e.resp
	if t.ban.see(answer.LooksLikeBan(resp.StatusCode, resp.Header), t.banPause) {
		until, _ := t.ban.holds()
		e.pause(Feedback{Pause: t.banPause, All: true, Reason: &BannedError{RetryAt: until}})
		return
	}
	limited := answer.Is(resp.StatusCode, answer.ErrRateLimited)
	if limited {
		t.stats.rateLimited.Add(1)
	}
	bucket, found := answer.BucketOf(resp.Header)
	feedback := Feedback{Requests: bucket.Limit, All: !found || e.op == nil}
	about := ""
	if !feedback.All {
		about = e.call.Bucket()
	}
	if !limited {
		t.silence.broken(about, e.sent)
		t.silence.broken("", e.sent)
		if !found {
			return
		}
	}
	if !t.clock.fresh(resp.Header, e.sent, limited || !e.idempotent) {
		return
	}
	if limited || bucket.Remaining == 0 && !feedback.All {
		if wait := answer.RetryAfter(resp.StatusCode, resp.Header, time.Now()); wait > 0 {
			feedback.Pause = wait + rounding
		} else if limited {
			feedback.Pause = t.silence.pause(about, e.sent)
		}
	}
	if feedback.Pause > 0 {
		e.pause(feedback)
	} else if e.call.Limit.Requests > 0 && feedback.Requests > 0 && feedback.Requests != e.call.Limit.Requests && t.limiter != nil {
		t.limiter.Learn(e.call, feedback)
	}
}

// pause stops an operation, or everything.
func (e *exchange) pause(feedback Feedback) {
	e.delay = feedback.Pause // for a transport without a limiter
	e.logPause(feedback)
	if e.t.limiter != nil {
		e.t.stats.pauses.Add(1)
		e.t.limiter.Learn(e.call, feedback)
	}
}

// banAfter is how many answers in a row it takes.
const banAfter = 3

// ban watches for answers that look like a ban of the address.
type ban struct {
	seen atomic.Int32 // in a row
	ends atomic.Int64 // Unix time in nanoseconds; 0: none
}

// holds tells whether there is a ban, and until when.
func (b *ban) holds() (time.Time, bool) {
	ends := b.ends.Load()
	return time.Unix(0, ends), ends != 0 && time.Now().UnixNano() < ends
}

// see counts an answer. It reports whether a ban begins, for a time.
func (b *ban) see(like bool, pause time.Duration) bool {
	if !like {
		if b.seen.Load() != 0 {
			b.seen.Store(0)
		}
		return false
	}
	if b.seen.Add(1) < banAfter {
		return false
	}
	b.seen.Store(banAfter - 1) // afterwards, one more is enough
	now, old := time.Now(), b.ends.Load()
	if now.UnixNano() < old {
		return false // of a request that was under way when the ban began
	}
	return b.ends.CompareAndSwap(old, now.Add(pause).UnixNano())
}
