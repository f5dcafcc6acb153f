package transport

import (
	"context"
	"time"
)

// A Limiter decides when a request may be sent. A [LocalLimiter] serves one process; an
// implementation on a shared store lets several processes behind one address share a budget, and
// is a [Reserver] as well. A limiter is used by many goroutines at once. A [Transport] asks it
// before each attempt of a request.
type Limiter interface {
	// Wait returns nil when the request may be sent at once, and takes permits for it: one of the
	// global allowance, and one of the allowance of the call, if it has one. A permit comes back by
	// itself when the period of its allowance is over.
	//
	// It returns a *[RateLimitError] as soon as it knows that the request would have to wait longer
	// than maxWait or past the deadline of ctx; the error of ctx when ctx is canceled; and
	// Feedback.Reason during a pause that has one. With an error it takes no permit. A request that
	// waits keeps its place: earlier ones go first if their allowances have room, and do not hold it up
	// if they have none.
	Wait(ctx context.Context, call Call, maxWait time.Duration) error

	// Learn is told what the answer to a request says about the limits, before the answer is handed on.
	// It is called only for answers that say something, never for those of a cache. It must not take
	// long: an implementation that asks a server must bound the time for that.
	Learn(call Call, feedback Feedback)
}

// A Reserver is a [Limiter] that takes permits back and tells how long a request waits. A
// [Transport] uses Reserve instead of Wait where there is one.
type Reserver interface {
	Limiter

	// Reserve does what Wait does. If the request has to wait, Reserve first calls waiting once, with
	// the earliest end of the wait, as far as it is known. The function giveBack gives the permits
	// back. Call it once at most, at once, and only if nothing of the request has been sent. With an
	// error it is nil.
	Reserve(ctx context.Context, call Call, maxWait time.Duration, waiting func(until time.Time)) (giveBack func(), err error)
}

// A Call is a request as a [Limiter] sees it.
type Call struct {
	Operation string // such as GetAtHomeServer; empty for a path without an operation
	Limit     Limit  // zero where only the global limit holds
}

// Bucket names the allowance of the call: calls with the same bucket share it. It is empty for a call
// without a limit and without an operation.
func (c Call) Bucket() string {
	if c.Limit.Bucket != "" {
		return c.Limit.Bucket
	}
	return c.Operation
}

// A Limit is an allowance of MangaDex: Requests in any period of the length Per. The server counts
// requests when they arrive, and some take longer on the way than others, so an implementation should
// leave a margin; a [LocalLimiter] adds a hundredth to the period.
type Limit struct {
	Requests int
	Per      time.Duration
	Bucket   string // operations with the same bucket share the allowance
}

// Feedback is what an answer says about the limits.
type Feedback struct {
	Requests int           // the allowance of the operation in its period; zero: not said
	Pause    time.Duration // how long to send nothing; zero: go on
	All      bool          // the pause is for every operation, not only for those of the bucket
	Reason   error         // if set, a *BannedError: calls fail with it during the pause and do not wait
}
