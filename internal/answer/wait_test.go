package answer_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/mangadex-go/mangadex/internal/answer"
)

var now = time.Date(2026, 1, 2, 3, 4, 5, 600, time.UTC)

func TestRetryAfter(t *testing.T) {
	t.Parallel()
	date := func(d time.Duration) string { return now.Add(d).Format(http.TimeFormat) }
	tests := []struct {
		name    string
		status  int
		headers []string
		want    time.Duration
	}{
		{"nothing", 429, nil, 0},
		{"a Unix time", 429, []string{"X-RateLimit-Retry-After", "1767323055"}, 10 * time.Second},
		{"a Unix time of a server that is an hour ahead", 429, []string{"Date", date(time.Hour), "X-RateLimit-Retry-After", "1767326655"}, 10 * time.Second},
		{"a Unix time of a server that is an hour behind", 429, []string{"Date", date(-time.Hour), "X-RateLimit-Retry-After", "1767319455"}, 10 * time.Second},
		{"a Unix time on success", 200, []string{"X-RateLimit-Remaining", "3", "X-RateLimit-Retry-After", "1767323055"}, 0},
		{"a Unix time on the last success", 200, []string{"X-RateLimit-Remaining", "0", "X-RateLimit-Retry-After", "1767323055"}, 10 * time.Second},
		{"a Unix time of the past", 429, []string{"X-RateLimit-Retry-After", "1767323035"}, 0},
		{"a Unix time far ahead", 429, []string{"X-RateLimit-Retry-After", "9999999999"}, answer.MaxWait},
		{"seconds", 503, []string{"Retry-After", "12"}, 12 * time.Second},
		{"seconds on another status", 500, []string{"Retry-After", "12"}, 0},
		{"negative seconds", 429, []string{"Retry-After", "-12"}, 0},
		{"huge seconds", 429, []string{"Retry-After", "9223372036854775807"}, answer.MaxWait},
		{"more than huge seconds", 429, []string{"Retry-After", "9223372036854775808"}, 0},
		{"a date", 429, []string{"Retry-After", date(20 * time.Second)}, 20 * time.Second},
		{"a date of a server that is an hour ahead", 429, []string{"Date", date(time.Hour), "Retry-After", date(time.Hour + 20*time.Second)}, 20 * time.Second},
		{"nonsense", 429, []string{"Date", "x", "Retry-After", "soon", "X-RateLimit-Retry-After", "1e9", "X-RateLimit-Retry-In", "?"}, 0},
		{"seconds of our own kind", 429, []string{"X-RateLimit-Retry-In", "4"}, 4 * time.Second},
		{"the order of preference", 429, []string{"X-RateLimit-Retry-In", "4", "Retry-After", "3", "X-RateLimit-Retry-After", "1767323047"}, 2 * time.Second},
		{"the next if one is nonsense", 429, []string{"X-RateLimit-Retry-In", "4", "Retry-After", "3", "X-RateLimit-Retry-After", "0"}, 3 * time.Second},
	}
	for _, test := range tests {
		h := http.Header{}
		for i := 0; i < len(test.headers); i += 2 {
			h.Set(test.headers[i], test.headers[i+1])
		}
		if got := answer.RetryAfter(test.status, h, now); got != test.want {
			t.Errorf("%s: %v, want %v", test.name, got, test.want)
		}
	}
}

func TestBucketOf(t *testing.T) {
	t.Parallel()
	tests := []struct {
		headers []string
		want    answer.Bucket
		found   bool
	}{
		{nil, answer.Bucket{}, false},
		{[]string{"Retry-After", "3"}, answer.Bucket{}, false},
		{[]string{"X-RateLimit-Limit", "40", "X-RateLimit-Remaining", "39"}, answer.Bucket{Limit: 40, Remaining: 39}, true},
		{[]string{"X-RateLimit-Remaining", "0"}, answer.Bucket{Remaining: 0}, true},
		{[]string{"X-RateLimit-Retry-After", "1"}, answer.Bucket{Remaining: -1}, true},
		{[]string{"X-RateLimit-Limit", "-1", "X-RateLimit-Remaining", "-1"}, answer.Bucket{Remaining: -1}, true},
		{[]string{"X-RateLimit-Limit", "99999999999999999999", "X-RateLimit-Remaining", ""}, answer.Bucket{Remaining: -1}, true},
	}
	for _, test := range tests {
		h := http.Header{}
		for i := 0; i < len(test.headers); i += 2 {
			h.Set(test.headers[i], test.headers[i+1])
		}
		if got, found := answer.BucketOf(h); got != test.want || found != test.found {
			t.Errorf("%v: %+v %t, want %+v %t", test.headers, got, found, test.want, test.found)
		}
	}
}

// FuzzHeaders checks that no header makes us wait longer than the bound, or a negative time.
func FuzzHeaders(f *testing.F) {
	f.Add(429, "Fri, 02 Jan 2026 03:04:05 GMT", "1767323055", "12", "4", "40", "0", int64(1767323045))
	f.Add(200, "", "-9223372036854775808", "9223372036854775807", "0", "-1", "", int64(-62135596800))
	f.Add(503, "Mon, 01 Jan 0001 00:00:00 GMT", "9223372036854775807", "Fri, 31 Dec 9999 23:59:59 GMT", "-1", "x", "0", int64(1)<<62)
	f.Fuzz(func(t *testing.T, status int, date, at, after, in, limit, remaining string, unix int64) {
		h := http.Header{
			"Date": {date}, "Retry-After": {after}, "X-Ratelimit-Retry-After": {at}, "X-Ratelimit-Retry-In": {in},
			"X-Ratelimit-Limit": {limit}, "X-Ratelimit-Remaining": {remaining},
		}
		if wait := answer.RetryAfter(status, h, time.Unix(unix, 0)); wait < 0 || wait > answer.MaxWait {
			t.Errorf("a wait of %v", wait)
		}
		if b, _ := answer.BucketOf(h); b.Limit < 0 || b.Remaining < -1 {
			t.Errorf("bucket %+v", b)
		}
	})
}
