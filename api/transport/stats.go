package transport

import (
	"sync/atomic"
	"time"
)

// Stats counts what a [Transport] has done for requests to the API since it was made.
type Stats struct {
	Requests    int64         // sent, repetitions included
	Retries     int64         // repetitions
	RateLimited int64         // answers with status 429
	Pauses      int64         // stops of an operation or of everything that the server asked for
	Refused     int64         // not sent: no room within the time, a ban, or the caller gave up
	Waits       int64         // requests that had to wait for the limits
	Waited      time.Duration // the sum of those waits
}

// shortWait is what does not count as a wait.
const shortWait = 100 * time.Microsecond

type counters struct {
	requests, retries, rateLimited, pauses, refused, waits, waited atomic.Int64
}

// Stats returns the counts so far.
func (t *Transport) Stats() Stats {
	return Stats{
		Requests:    t.stats.requests.Load(),
		Retries:     t.stats.retries.Load(),
		RateLimited: t.stats.rateLimited.Load(),
		Pauses:      t.stats.pauses.Load(),
		Refused:     t.stats.refused.Load(),
		Waits:       t.stats.waits.Load(),
		Waited:      time.Duration(t.stats.waited.Load()),
	}
}
