// Package transport is an [http.RoundTripper] that keeps the rules of MangaDex: it says who asks,
// stays inside the rate limits, waits when it is told to, and repeats what failed and is safe to
// repeat. Every client of package api has one; it can be used alone, too:
//
//	polite, err := transport.New(transport.WithUserAgent("shelf/1.2 (+https://shelf.example)"))
//	client := &http.Client{Transport: polite}
//
// A request that has a User-Agent keeps it. The header Via is removed, because MangaDex refuses
// requests that name a proxy.
//
// # Limits
//
// MangaDex allows about five requests a second for each address, and fewer for some operations. A
// [Limiter] holds requests back until both allowances have room. Requests go in the order in which they
// came, but those that wait for the allowance of their operation let others pass. After a 429 the
// operation pauses for as long as the server says; if the server does not say which limit was passed,
// everything pauses. If it does not say for how long, each further 429 makes the pause longer. Answers
// from a cache below say nothing of the limits.
//
// A request waits as long as it must, an hour at most ([WithMaxWait]). If its wait is known to be
// longer than that, or to pass the deadline of the context, it fails at once with a *[RateLimitError].
// With WithMaxWait(0) no request waits.
//
// Several clients in one process can share one [LocalLimiter]. Programs on several machines behind
// one address can share a budget by a Limiter of their own.
//
// # Repetitions
//
// Requests of an idempotent method (GET, HEAD, OPTIONS, TRACE, PUT, DELETE) are repeated after a
// network error, a 500, 502, 503, 504 or 520 to 524, a page of HTML with status 200, and an answer that
// was cut off or stood still. A DELETE that is repeated because its answer was lost may find nothing to
// delete any more (404), and a PUT may find its version gone (409). Requests of any method are repeated
// after a 429, and if they were not sent: no connection was made, or a proxy in trouble made none. A
// request whose body cannot be sent again (GetBody is nil) is never repeated, nor is one after an error
// of TLS or with a URL that was refused.
//
// A request is sent five times at most ([WithAttempts]). The times in between are random and grow
// ([WithBackoff]), or are those that the server asks for. All requests of a transport share a stock of
// 100 repetitions; each request that succeeds at once puts one back. So a server that is down is not
// asked five times by every call. The result of the call is that of its last attempt.
//
// Answers to idempotent requests are read up to 16 MiB before they are handed on, so that an answer
// that was cut off can be asked for again.
//
// # Standstill
//
// An attempt on which nothing moves for 30 s is given up ([WithStallTimeout]), in any part of it, and
// its repetition does not use another idle connection. The logger and the function of [WithOnWait] are
// told of every request that is held back for more than five seconds.
//
// # Bans
//
// A 403 that is not JSON comes from the guard in front of MangaDex. After three of them in a row
// nothing is sent for ten minutes ([WithBanPause]), and requests fail with a *[BannedError]. If the
// next answer is such a 403, too, the ten minutes begin again.
//
// # Other hosts
//
// Limits and repetitions hold for requests to the API ([WithAPIServer]). Requests to other hosts, such
// as those for images, get the User-Agent, and end when nothing moves any more ([WithStallTimeout]).
//
// # Tracing
//
// The context of every request to the API names its operation (api.OperationFrom), so that a tracing
// transport can name a span after it. Give that transport with [WithBase]; it sees every attempt.
package transport
