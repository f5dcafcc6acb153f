package authn

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
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
	Server        string    // server that it is for, such as api.Production; empty if that is not known
	Realm         string    // realm that gave it out and renews it; empty if not known, or for the session endpoints
	Client        string    // id of the personal client that it is for; empty for the session endpoints
	Login         string    // name of the login that it came from, the same in all its renewals; no secret
}

// String describes the token without its secrets.
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

// MarshalBinary does the same as MarshalText, for encoders that do not write text, such as package gob.
func (t Token) MarshalBinary() ([]byte, error) { return t.MarshalText() }

// LogValue returns [Token.String].
func (t Token) LogValue() slog.Value { return slog.StringValue(t.String()) }

// empty reports whether there is no token.
func (t Token) empty() bool { return t.AccessToken == "" && t.RefreshToken == "" }

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
