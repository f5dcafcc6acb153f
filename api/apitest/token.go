package apitest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/mangadex-go/mangadex/internal/operation"
)

// A RefreshMode is what the auth server does with refresh tokens.
type RefreshMode int

const (
	// RefreshRenew gives a new refresh token each time; the old one stays valid. It is the default.
	RefreshRenew RefreshMode = iota
	// RefreshKeep gives none; the old one stays valid.
	RefreshKeep
	// RefreshRotate gives a new one each time, and the old one is no longer valid. When the old one is
	// used again, the login ends.
	RefreshRotate
)

// A session is a login that tokens come from.
type session struct {
	id       uuid.UUID
	user     *user
	clientID string // empty for a login by the legacy endpoints
	scope    string
	nonce    string
	ends     time.Time
	ended    bool
}

// A tokenRecord is what is known of a token.
type tokenRecord struct {
	session *session
	kind    string // access, refresh or id
	expires time.Time
	revoked bool
	used    bool // it was a refresh token, and there is another one now
}

// A mint makes tokens and knows those that it has made. The lock of the store guards it.
type mint struct {
	key     *ecdsa.PrivateKey
	keyID   string
	records map[string]*tokenRecord
	grants  map[string]int            // how often each grant was a success
	codes   map[string]*authorization // by the code that the browser brought back
	prompts map[string]*authorization // by what the login page sends along
}

// maxRecords is how many tokens are kept before those that have expired are dropped.
const maxRecords = 20_000

func newMint() (*mint, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	return &mint{
		key: key, keyID: uuid.NewString(), records: map[string]*tokenRecord{}, grants: map[string]int{},
		codes: map[string]*authorization{}, prompts: map[string]*authorization{},
	}, nil
}

var base64URL = base64.RawURLEncoding

// sign makes a JWT.
func (m *mint) sign(claims map[string]any) string {
	text := base64URL.EncodeToString(encode(map[string]string{"alg": "ES256", "typ": "JWT", "kid": m.keyID})) + "." + base64URL.EncodeToString(encode(claims))
	sum := sha256.Sum256([]byte(text))
	r, s, err := ecdsa.Sign(rand.Reader, m.key, sum[:])
	if err != nil {
		panic("apitest: " + err.Error()) // no randomness
	}
	signature := make([]byte, 64)
	r.FillBytes(signature[:32])
	s.FillBytes(signature[32:])
	return text + "." + base64URL.EncodeToString(signature)
}

// jwk is the public half of the key.
func (m *mint) jwk() map[string]any {
	point, err := m.key.PublicKey.Bytes() // 4, x and y
	if err != nil {
		panic("apitest: " + err.Error()) // it is on its curve
	}
	return map[string]any{
		"kty": "EC", "crv": "P-256", "alg": "ES256", "use": "sig", "kid": m.keyID,
		"x": base64URL.EncodeToString(point[1:33]), "y": base64URL.EncodeToString(point[33:]),
	}
}

// open begins a session.
func open(u *user, clientID, scope string, life time.Duration, now time.Time) *session {
	return &session{id: uuid.New(), user: u, clientID: clientID, scope: scope, ends: now.Add(life)}
}

// issue makes a token of a session.
func (st *store) issue(s *session, kind, issuer string, life time.Duration, now time.Time) string {
	expires := now.Add(life)
	if expires.After(s.ends) {
		expires = s.ends
	}
	claims := map[string]any{
		"exp": expires.Unix(), "iat": now.Unix(), "jti": uuid.NewString(), "iss": issuer, "sub": s.user.id, "sid": s.id, "azp": s.clientID, "scope": s.scope,
	}
	switch kind {
	case "access":
		claims["typ"], claims["aud"] = "Bearer", "account"
		claims["preferred_username"], claims["email"], claims["roles"], claims["groups"] = s.user.username, s.user.email, s.user.roles, []string{}
	case "refresh":
		claims["typ"], claims["aud"] = "Refresh", issuer
	case "id":
		claims["typ"], claims["aud"], claims["preferred_username"] = "ID", s.clientID, s.user.username
		if s.nonce != "" {
			claims["nonce"] = s.nonce
		}
	}
	text := st.mint.sign(claims)
	if len(st.mint.records) >= maxRecords {
		st.mint.prune(now)
	}
	st.mint.records[text] = &tokenRecord{session: s, kind: kind, expires: expires}
	return text
}

func (m *mint) prune(now time.Time) {
	for text, record := range m.records {
		if !now.Before(record.expires) {
			delete(m.records, text)
		}
	}
}

// holds tells whether a token is of a kind and may be used. Otherwise it says why not, in the words
// of Keycloak.
func (m *mint) holds(text, kind string, now time.Time) (*tokenRecord, string) {
	r := m.records[text]
	switch {
	case r == nil || r.kind != kind:
		return nil, "Invalid " + kind + " token"
	case r.session.ended, r.session.user.disabled:
		return r, "Session not active"
	case r.revoked, !now.Before(r.expires):
		return r, "Token is not active"
	}
	return r, ""
}

// bearer is the token of a request, and whether there is an Authorization header at all.
func bearer(r *http.Request) (token string, given bool) {
	header := r.Header.Get("Authorization")
	if header == "" {
		return "", false
	}
	token, ok := strings.CutPrefix(header, "Bearer ")
	if !ok {
		return "", true
	}
	return token, true
}

// authenticate finds out who sends the request.
func (c *call) authenticate() error {
	token, given := bearer(c.request)
	if !given {
		if c.op.Auth == operation.AuthRequired && c.op.ID != "CheckAuth" {
			return unauthorized("Bearer")
		}
		return nil
	}
	c.Lock()
	defer c.Unlock()
	record, why := c.mint.holds(token, "access", c.now)
	if why == "Token is not active" {
		return unauthorized(`Bearer realm="mangadex", error="invalid_token", error_description="The access token expired"`)
	}
	if why != "" {
		return unauthorized(`Bearer realm="mangadex", error="invalid_token", error_description="The access token is invalid"`)
	}
	c.session, c.user = record.session, record.session.user
	return nil
}

// forgetToken makes the token of a request one that does not hold: the one in its header, or the
// refresh token in its body.
func (x *exchange) forgetToken() {
	st := x.server.store
	st.Lock()
	defer st.Unlock()
	token, _ := bearer(x.request)
	for _, text := range []string{token, x.form().Get("refresh_token"), x.form().Get("token")} {
		if record := st.mint.records[text]; record != nil {
			record.revoked = true
		}
	}
}

// Tokens looks into the tokens of a server and changes them.
type Tokens struct{ server *Server }

// Tokens returns the tokens of the server.
func (s *Server) Tokens() Tokens { return Tokens{s} }

func (t Tokens) each(change func(text string, r *tokenRecord)) {
	t.server.store.Lock()
	defer t.server.store.Unlock()
	for text, record := range t.server.store.mint.records {
		change(text, record)
	}
}

// ExpireAccess lets all access tokens expire now, those of the legacy endpoints included.
func (t Tokens) ExpireAccess() {
	now := t.server.options.clock()
	t.each(func(_ string, r *tokenRecord) {
		if r.kind == "access" && now.Before(r.expires) {
			r.expires = now
		}
	})
}

// RevokeAccess makes all access tokens invalid, long before they expire.
func (t Tokens) RevokeAccess() {
	t.each(func(_ string, r *tokenRecord) { r.revoked = r.revoked || r.kind == "access" })
}

// EndSessions ends every login: no access token and no refresh token is valid any more.
func (t Tokens) EndSessions() {
	t.each(func(_ string, r *tokenRecord) { r.session.ended = true })
}

// Forget forgets all tokens, as a server does that has lost its memory.
func (t Tokens) Forget() {
	t.server.store.Lock()
	defer t.server.store.Unlock()
	clear(t.server.store.mint.records)
}

// Access returns the access tokens that are valid.
func (t Tokens) Access() []string { return t.holding("access") }

// Refresh returns the refresh tokens that are valid.
func (t Tokens) Refresh() []string { return t.holding("refresh") }

func (t Tokens) holding(kind string) []string {
	t.server.store.Lock()
	defer t.server.store.Unlock()
	var list []string
	for text := range t.server.store.mint.records {
		if _, why := t.server.store.mint.holds(text, kind, t.server.options.clock()); why == "" {
			list = append(list, text)
		}
	}
	return list
}

// Grants returns how often tokens were given by a grant: password, refresh_token,
// authorization_code, or legacy_login and legacy_refresh.
func (t Tokens) Grants(grant string) int {
	t.server.store.Lock()
	defer t.server.store.Unlock()
	return t.server.store.mint.grants[grant]
}

// Issue logs an account in without asking for its password. It fails for a name that no account
// has.
func (t Tokens) Issue(username string) (access, refresh string, err error) {
	s := t.server
	s.store.Lock()
	defer s.store.Unlock()
	u := s.store.userNamed(username)
	if u == nil {
		return "", "", fmt.Errorf("apitest: there is no account %q that can log in", username)
	}
	clientID := ""
	if client := s.store.clientOfUser(u); client != nil {
		clientID = client.clientID
	}
	now := s.options.clock().UTC()
	session := open(u, clientID, scopeOf(""), s.options.refreshLife, now)
	return s.store.issue(session, "access", s.AuthURL, s.options.accessLife, now), s.store.issue(session, "refresh", s.AuthURL, s.options.refreshLife, now), nil
}
