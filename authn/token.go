package authn

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync/atomic"
	"time"
)

// A Token is what a login yields. Printed, logged or encoded it shows no secret; [EncodeToken] is
// for stores. Keep it out of unexported fields of structs that are printed: there package fmt calls
// no methods.
type Token struct {
	AccessToken   string    // the session token; empty if there is none
	RefreshToken  string    // gets new session tokens; empty if there is none
	Expiry        time.Time // of the access token, by the local clock
	RefreshExpiry time.Time // of the refresh token; zero if it has no end, or the server does not say
	Server        string    // that it is for, such as api.Production; empty if that is not known
	Realm         string    // that gave it out and renews it; empty if not known, or for the session endpoints
	Client        string    // id of the personal client that it is for; empty for the session endpoints
	Login         string    // names the login that it came of, as do those that it is renewed to; no secret
}

// String says what the token has, not what it is.
func (t Token) String() string {
	switch {
	case t.AccessToken == "" && t.RefreshToken == "":
		return "authn.Token(empty)"
	case t.AccessToken == "":
		return "authn.Token(refresh token only)"
	}
	text := "authn.Token(until " + t.Expiry.Format(time.RFC3339)
	if t.RefreshToken != "" {
		text += ", with refresh token"
	}
	return text + ")"
}

// Format writes [Token.String] for every verb of package fmt.
func (t Token) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, t.String()) }

// MarshalText returns [Token.String], so that no encoder shows a secret by accident.
func (t Token) MarshalText() ([]byte, error) { return []byte(t.String()), nil }

// MarshalBinary does the same for encoders that do not write text, such as package gob.
func (t Token) MarshalBinary() ([]byte, error) { return t.MarshalText() }

// LogValue returns [Token.String].
func (t Token) LogValue() slog.Value { return slog.StringValue(t.String()) }

// storedToken is the form of a token at rest.
type storedToken struct {
	Version       int       `json:"version"`
	Server        string    `json:"server,omitempty"`
	Realm         string    `json:"realm,omitempty"`
	Client        string    `json:"client,omitempty"`
	Login         string    `json:"login,omitempty"`
	AccessToken   string    `json:"access_token,omitempty"`
	RefreshToken  string    `json:"refresh_token,omitempty"`
	Expiry        time.Time `json:"expiry,omitzero"`
	RefreshExpiry time.Time `json:"refresh_expiry,omitzero"`
}

// EncodeToken returns a token with its secrets, as JSON, for a [Store].
func EncodeToken(t Token) []byte {
	stored := storedToken{
		Version: 1, Server: t.Server, Realm: t.Realm, Client: t.Client, Login: t.Login,
		AccessToken: t.AccessToken, RefreshToken: t.RefreshToken,
		Expiry: t.Expiry.UTC().Round(0), RefreshExpiry: t.RefreshExpiry.UTC().Round(0),
	}
	data, err := json.Marshal(stored)
	if err != nil { // the year of an expiry has more than four digits
		stored.Expiry, stored.RefreshExpiry = time.Time{}, time.Time{}
		data, _ = json.Marshal(stored)
	}
	return append(data, '\n')
}

// DecodeToken reads what [EncodeToken] wrote.
func DecodeToken(data []byte) (Token, error) {
	var stored storedToken
	if err := json.Unmarshal(data, &stored); err != nil {
		return Token{}, errors.New("it is not the JSON of a token") // err may quote a secret
	}
	switch {
	case stored.Version != 1:
		return Token{}, fmt.Errorf("its version is %d, and this library knows version 1", stored.Version)
	case stored.AccessToken == "" && stored.RefreshToken == "":
		return Token{}, errors.New("there is no token in it")
	case stored.AccessToken != "" && !validHeader(stored.AccessToken):
		return Token{}, errors.New("its access token has characters that no token has")
	}
	return Token{
		AccessToken: stored.AccessToken, RefreshToken: stored.RefreshToken,
		Expiry: stored.Expiry, RefreshExpiry: stored.RefreshExpiry,
		Server: stored.Server, Realm: stored.Realm, Client: stored.Client, Login: stored.Login,
	}, nil
}

// A bearer is a token in use.
type bearer struct {
	Token
	header  string    // value of Authorization
	start   time.Time // by both clocks
	renewAt time.Time // by the wall clock, from which on it should be renewed
	endAt   time.Time // from which on it must not be used

	// trusted is how long after start, by the monotonic clock, the wall clock need not be read.
	trusted atomic.Int64
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
// monotonic one stands still while a computer sleeps. But every call asks this, and reading only the
// monotonic clock takes half the time, so the wall clock is read once a second.
func (b *bearer) fresh() bool {
	if time.Since(b.start) < time.Duration(b.trusted.Load()) {
		return true
	}
	now := time.Now()
	left := b.renewAt.Sub(now)
	if left <= 0 {
		return false
	}
	b.trusted.Store(int64(now.Sub(b.start) + min(left, time.Second)))
	return true
}

// usable reports whether a token can be sent at all.
func (b *bearer) usable() bool { return time.Now().Before(b.endAt) }

// defaultLifetime of a session token, where the server does not say.
const defaultLifetime = 15 * time.Minute

// expiry returns when a token expires by the local clock. The lifetime counts from before the
// request, so that a slow answer does not lengthen it. A lifetime in seconds is better than the
// claim in the token, which is a time by the clock of the server: that clock is known from the
// Date of the answer, if there is one.
func expiry(sent time.Time, expiresIn int64, accessToken string, h http.Header) time.Time {
	sent = sent.Round(0) // wall clock: the monotonic one stands still while a computer sleeps
	if expiresIn > 0 {
		return sent.Add(time.Duration(min(expiresIn, 365*24*60*60)) * time.Second)
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
