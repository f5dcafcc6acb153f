package apitest

import (
	"fmt"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/mangadex-go/mangadex/internal/operation"
)

// The limits for each address. Where MangaDex does not tell numbers, these are ours.
const (
	globalRate  = 5  // requests a second
	globalBurst = 10 // requests that pass at once after a rest

	banPeriod   = time.Minute     // in which refusals are counted
	banAfter    = 10              // refusals that go without a ban
	banLife     = 5 * time.Minute // how long it lasts
	banPatience = 20              // requests during a ban, before connections are dropped

	maxAddresses = 10_000 // that are remembered
)

// A limiter counts the requests of addresses.
type limiter struct {
	sync.Mutex
	visitors map[string]*visitor
}

// A visitor is an address.
type visitor struct {
	pace     float64 // requests that may pass at once
	at       time.Time
	windows  map[string]*window // by bucket
	refused  window
	banUntil time.Time
	banned   int // requests during the ban
}

// A window is a period in which requests are counted. It begins with the first one.
type window struct {
	ends  time.Time
	count int
}

func (w *window) add(now time.Time, period time.Duration) int {
	if !now.Before(w.ends) {
		*w = window{ends: now.Add(period)}
	}
	w.count++
	return w.count
}

func (l *limiter) visitor(address string, now time.Time) *visitor {
	v, ok := l.visitors[address]
	if !ok {
		if len(l.visitors) >= maxAddresses {
			clear(l.visitors)
		}
		v = &visitor{pace: globalBurst, at: now, windows: map[string]*window{}}
		put(&l.visitors, address, v)
	}
	return v
}

// admit counts a request before it is known what it is for.
func (l *limiter) admit(x *exchange) error {
	l.Lock()
	defer l.Unlock()
	v := l.visitor(address(x.request), x.now)
	if x.now.Before(v.banUntil) {
		if v.banned++; v.banned > banPatience {
			x.abort()
		}
		return edge(http.StatusForbidden, nil)
	}
	v.pace = min(globalBurst, v.pace+x.now.Sub(v.at).Seconds()*globalRate)
	v.at = x.now
	if v.pace < 1 {
		x.refuse(v)
		// Programs that know MangaDex, such as gallery-dl, look for its own header in each 429.
		return edge(http.StatusTooManyRequests, http.Header{"Retry-After": {"1"}, "X-Ratelimit-Retry-After": {strconv.FormatInt(x.now.Unix()+1, 10)}})
	}
	v.pace--
	return nil
}

// spend counts a request of an operation that has a limit of its own. It returns the headers that
// tell about it.
func (l *limiter) spend(x *exchange, limit operation.Limit) (http.Header, error) {
	if limit.Requests == 0 {
		return nil, nil
	}
	l.Lock()
	defer l.Unlock()
	v := l.visitor(address(x.request), x.now)
	w := v.windows[limit.Bucket]
	if w == nil {
		w = &window{}
		v.windows[limit.Bucket] = w
	}
	left := limit.Requests - w.add(x.now, limit.Per)
	// While something is left, MangaDex gives the time of the answer, and the end of the period only
	// afterwards.
	after, in := x.now.Unix(), 0
	if left <= 0 {
		in = int((w.ends.Sub(x.now) + time.Second - 1) / time.Second)
		after += int64(in)
	}
	header := http.Header{
		"X-Ratelimit-Limit":       {strconv.Itoa(limit.Requests)},
		"X-Ratelimit-Remaining":   {strconv.Itoa(max(left, 0))},
		"X-Ratelimit-Retry-After": {strconv.FormatInt(after, 10)},
		"X-Ratelimit-Retry-In":    {strconv.Itoa(in)},
	}
	if left < 0 {
		x.refuse(v)
		return header, &problem{status: http.StatusTooManyRequests, title: "too_many_requests_http_exception", detail: fmt.Sprintf("%d requests in %v are allowed.", limit.Requests, limit.Per)}
	}
	return header, nil
}

// refuse counts a refusal; who goes on all the same is banned.
func (v *visitor) refuse(now time.Time) (banned bool) {
	if v.refused.add(now, banPeriod) > banAfter {
		v.banUntil, v.banned = now.Add(banLife), 0
		return true
	}
	return false
}

// refuse counts a refusal, and tells of a ban.
func (x *exchange) refuse(v *visitor) {
	if logger := x.server.options.logger; v.refuse(x.now) && logger != nil {
		logger.Warn("an address is banned: it went on after too many refusals", "address", address(x.request), "until", v.banUntil.Format(time.RFC3339))
	}
}

// Limits tells what the limits are, in words. It is empty without [WithLimits].
func (s *Server) Limits() string {
	if s.limiter == nil {
		return ""
	}
	own := 0
	for _, op := range operation.Table {
		if op.Limit.Requests > 0 {
			own++
		}
	}
	return fmt.Sprintf("%d requests a second, %d at once after a rest, for each address; %d operations have limits of their own; after %d refusals in %v, 403 for %v",
		globalRate, globalBurst, own, banAfter, banPeriod, banLife)
}

// edge is an answer of what stands before MangaDex, which knows no JSON.
func edge(status int, header http.Header) error {
	return &problem{status: status, header: header, body: htmlError(status)}
}

// htmlError is a page as proxies show them.
func htmlError(status int) []byte {
	return fmt.Appendf(nil, "<html><head><title>%d %s</title></head><body><center><h1>%[1]d %[2]s</h1></center></body></html>\n", status, http.StatusText(status))
}
