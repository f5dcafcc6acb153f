package answer

import (
	"net/http"
	"strconv"
	"time"
)

// MaxWait is the longest period that MangaDex documents, and the longest wait of a caller who does
// not say another.
const MaxWait = time.Hour

// longestMeant is the longest time that a header can mean. More is nonsense, and MaxWait instead.
const longestMeant = 7 * 24 * time.Hour

// RetryAfter returns how long a refused request should wait, zero if the answer does not say.
// X-RateLimit-Retry-After is a Unix time, compared with the Date of the answer because clocks of
// clients are often wrong; Retry-After is a number of seconds or a date. Only a 429 and a 503 are
// heard, or an answer that says that nothing is left: MangaDex sends the former header on success,
// too, where it means nothing.
func RetryAfter(status int, h http.Header, now time.Time) time.Duration {
	remaining := h.Get("X-RateLimit-Remaining")
	if status != http.StatusTooManyRequests && status != http.StatusServiceUnavailable && remaining != "0" {
		return 0
	}
	if date, err := http.ParseTime(h.Get("Date")); err == nil {
		now = date
	}
	if at, err := strconv.ParseInt(h.Get("X-RateLimit-Retry-After"), 10, 64); err == nil && at > 0 {
		if wait := untilUnix(at, now); wait > 0 {
			return wait
		}
	}
	if text := h.Get("Retry-After"); text != "" {
		if seconds, err := strconv.ParseInt(text, 10, 64); err == nil {
			if seconds > 0 {
				return clamp(seconds)
			}
		} else if date, err := http.ParseTime(text); err == nil {
			if wait := untilUnix(date.Unix(), now); wait > 0 {
				return wait
			}
		}
	}
	if seconds, err := strconv.ParseInt(h.Get("X-RateLimit-Retry-In"), 10, 64); err == nil && seconds > 0 {
		return clamp(seconds)
	}
	return 0
}

// untilUnix is how far a Unix time lies ahead.
func untilUnix(at int64, now time.Time) time.Duration {
	seconds := at - now.Unix()
	if seconds <= 0 {
		return 0
	}
	return clamp(seconds)
}

func clamp(seconds int64) time.Duration {
	if seconds > int64(longestMeant/time.Second) {
		return MaxWait
	}
	return time.Duration(seconds) * time.Second
}

// A Bucket is what an answer says about the allowance of its operation.
type Bucket struct {
	Limit     int // requests in a period; 0: not said
	Remaining int // -1: not said
}

// BucketOf returns the bucket of an answer. Only operations with an allowance of their own have
// one.
func BucketOf(h http.Header) (Bucket, bool) {
	limit, remaining := h["X-Ratelimit-Limit"], h["X-Ratelimit-Remaining"]
	if len(limit) == 0 && len(remaining) == 0 && len(h["X-Ratelimit-Retry-After"]) == 0 {
		return Bucket{}, false
	}
	b := Bucket{Remaining: -1}
	if len(limit) > 0 {
		if n, err := strconv.Atoi(limit[0]); err == nil && n > 0 {
			b.Limit = n
		}
	}
	if len(remaining) > 0 {
		if n, err := strconv.Atoi(remaining[0]); err == nil && n >= 0 {
			b.Remaining = n
		}
	}
	return b, true
}
