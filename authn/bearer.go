package authn

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strings"
	"sync/atomic"
	"time"
)

// A bearer is a token in use.
type bearer struct {
	Token
	header  string    // value of Authorization
	start   time.Time // by both clocks
	renewAt time.Time // by the wall clock, from which on it should be renewed
	endAt   time.Time // from which on it must not be used

	trusted atomic.Bool  // the clock need not be read
	seconds atomic.Int64 // how often it was read

	known atomic.Int64 // when the API has last said that it knows the token: a nanosecond more than so long after start
	looks atomic.Int32 // how often it was asked because Edit did not know

	sampled atomic.Int64 // seconds, as they were when Edit has last thought about asking
}

// newBearer sets the margins. They allow for a request under way, for expiries that are whole
// seconds, and for a renewal that needs more than one attempt.
func newBearer(t Token, now time.Time) *bearer {
	left := min(max(t.Expiry.Sub(now), 0), 365*24*time.Hour)
	wall := now.Round(0)
	return &bearer{
		Token:   t,
		header:  "Bearer " + t.AccessToken,
		start:   now,
		renewAt: wall.Add(left - min(left/4, time.Minute)),
		endAt:   wall.Add(left - min(left/10, 10*time.Second)),
	}
}

// fresh reports whether a token need not be renewed yet. The wall clock decides, because the
// monotonic one stands still while a computer sleeps. But every call asks this, and reading a clock is
// a third of what it costs to mark a request, so it is read once a second while there are calls.
func (b *bearer) fresh() bool {
	if b.trusted.Load() {
		return true
	}
	left := time.Until(b.renewAt)
	if left <= 0 {
		return false
	}
	if b.trusted.CompareAndSwap(false, true) {
		b.seconds.Add(1)
		time.AfterFunc(min(left, time.Second), func() { b.trusted.Store(false) })
	}
	return true
}

// isKnown takes down that the API knows the token.
func (b *bearer) isKnown() { b.known.Store(int64(time.Since(b.start)) + 1) }

// verified reports whether the API has ever said so.
func (b *bearer) verified() bool { return b.known.Load() != 0 }

// unknownFor reports whether so much time has passed since.
func (b *bearer) unknownFor(d time.Duration) bool {
	return time.Since(b.start)-time.Duration(max(b.known.Load()-1, 0)) >= d
}

// usable reports whether a token can be sent at all.
func (b *bearer) usable() bool { return time.Now().Before(b.endAt) }

// defaultLifetime of a session token, where the server does not say.
const defaultLifetime = 15 * time.Minute

// expiry returns when a token expires by the local clock. The lifetime counts from before the
// request, so that a slow answer does not lengthen it. A lifetime in seconds is better than the
// claim in the token, which is a time by the clock of the server: that clock is known from the
// Date of the answer, if there is one.
func expiry(sent time.Time, lifetime time.Duration, accessToken string, h http.Header) time.Time {
	sent = sent.Round(0) // wall clock: the monotonic one stands still while a computer sleeps
	if lifetime > 0 {
		return sent.Add(lifetime)
	}
	server, err := http.ParseTime(h.Get("Date"))
	if err != nil {
		server = sent
	}
	if exp, ok := expClaim(accessToken); ok {
		if lifetime := min(exp-float64(server.UnixNano())/1e9, 365*24*60*60); lifetime > 0 {
			return sent.Add(time.Duration(lifetime * float64(time.Second)))
		}
	}
	return sent.Add(defaultLifetime)
}

// expClaim returns the Unix time at which a JWT says that it expires. The signature is of no
// concern to a client, which uses this as a hint.
func expClaim(token string) (float64, bool) {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return 0, false
	}
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		return 0, false
	}
	var claims struct {
		Exp *float64 `json:"exp"`
	}
	if json.Unmarshal(payload, &claims) != nil || claims.Exp == nil {
		return 0, false
	}
	return *claims.Exp, true
}

// validHeader reports whether a token can stand in a header.
func validHeader(token string) bool {
	for i := range len(token) {
		if c := token[i]; c <= ' ' || c >= 0x7f {
			return false
		}
	}
	return token != ""
}
