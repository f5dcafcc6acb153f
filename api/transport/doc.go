// Package transport is an [http.RoundTripper] that keeps the rules of MangaDex: it says who asks,
// stays inside the rate limits, waits when it is told to, and repeats what failed and is safe to
// repeat. Every client of package api has one; it can be used alone, too:
//
//	polite, err := transport.New(transport.WithUserAgent("shelf/1.2 (+https://shelf.example)"))
//	client := &http.Client{Transport: polite}
//
// A request that has a User-Agent keeps it. Via is taken out, because MangaDex refuses what comes
// through a proxy that says so.
//
// # Limits
//
// MangaDex allows about five requests a second for each address, and fewer for some operations.
// A [Limiter] holds requests back until both allowances have room. Who came first goes first; those
// that wait for the allowance of their operation let others pass meanwhile. After a 429 the allowance
// of the operation rests for as long as the server says, or everything if the server does not say
// what was too much; if it does not say for how long, longer with each one. What a cache below has
// kept says nothing of the limits.
//
// A request waits as long as it has to, up to [WithMaxWait] (an hour). If it is known that the
// wait would be longer than that, or than the deadline of the context, it fails at once with a
// *[RateLimitError]. WithMaxWait(0) never waits.
//
// Several clients in one process can share one [LocalLimiter]. Programs on several machines behind
// one address can share a budget by a Limiter of their own.
//
// # Repetitions
//
// Requests of an idempotent method (GET, HEAD, OPTIONS, TRACE, PUT, DELETE) are repeated after a
// network error, a 500, 502, 503, 504 or 520 to 524, a page of HTML with status 200, and an answer
// that was cut off or stood still. A DELETE that is repeated because its answer was lost may find
// nothing to delete any more (404), and a PUT may find its version gone (409). Requests of any method
// are repeated after a 429, and if they were not sent: no connection was made, or a proxy made none
// because it has trouble. A body that cannot be sent again (GetBody is nil) is never repeated, nor is
// an error of TLS or a URL that was refused.
//
// A request is sent five times at most ([WithAttempts]), with random times in between that grow
// ([WithBackoff]) or that the server asks for. All requests of a transport share a stock of 100
// repetitions; each request that succeeds at once puts one back. So a server that is down is not
// asked five times by every call. The result of the call is that of its last attempt.
//
// Answers to idempotent requests are read up to 16 MiB before they are handed on, so that a cut
// can be repaired.
//
// # Standstill
//
// An attempt on which nothing moves for 30 s is given up ([WithStallTimeout]), whichever part of it
// that is, and a repetition does not take another connection that has been idle. A request that is
// held back for more than five seconds is told to the logger and to the function of [WithOnWait].
//
// # Bans
//
// A 403 that is not JSON comes from the guard in front of MangaDex. After three of them in a row
// nothing is sent for ten minutes ([WithBanPause]), and requests fail with a *[BannedError]. If the
// next answer is another one, the ten minutes begin again.
//
// # Other hosts
//
// Limits and repetitions hold for requests to the API ([WithAPIServer]). Requests to other hosts, as
// those of images, get the User-Agent, and end when nothing moves any more ([WithStallTimeout]).
//
// # Tracing
//
// The context of every request to the API names its operation for the transports below
// (api.OperationFrom), so that one for tracing can name a span after it. It goes in by [WithBase],
// and sees every attempt.
package transport
