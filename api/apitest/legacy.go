package apitest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
)

// The session endpoints of old, and who am I.

const legacyScope = "legacy"

// fields decodes the body, which fits the specification.
func fields[T any](c *call) T {
	var v T
	if err := json.Unmarshal(c.body, &v); err != nil {
		c.complain("the body does not decode: %v", err)
	}
	return v
}

func refused(detail string) error {
	return &problem{status: http.StatusUnauthorized, title: "unauthorized_http_exception", detail: detail, header: http.Header{"Www-Authenticate": {"Bearer"}}}
}

func login(c *call) ([]byte, error) {
	body := fields[struct{ Username, Email, Password string }](c)
	name := body.Username
	if name == "" {
		name = body.Email
	}
	if name == "" {
		return nil, invalid("body", "username or email is required")
	}
	u, ok := c.login(name, body.Password)
	if u == nil {
		return nil, refused("User not found")
	}
	if !ok || u.disabled {
		return nil, refused("User / Password does not match")
	}
	c.mint.grants["legacy_login"]++
	return c.legacyTokens(open(u, "", legacyScope, c.server.options.refreshLife, c.now)), nil
}

func (c *call) legacyTokens(s *session) []byte {
	options := c.server.options
	return object(map[string]any{"token": map[string]string{
		"session": c.issue(s, "access", c.server.URL, options.accessLife, c.now),
		"refresh": c.issue(s, "refresh", c.server.URL, options.refreshLife, c.now),
	}})
}

func refreshSession(c *call) ([]byte, error) {
	body := fields[struct{ Token string }](c)
	record, why := c.mint.holds(body.Token, "refresh", c.now)
	if why != "" || record.session.scope != legacyScope {
		return nil, refused("Could not refresh the token")
	}
	record.revoked = c.server.options.refreshMode == RefreshRotate
	c.mint.grants["legacy_refresh"]++
	return c.legacyTokens(record.session), nil
}

func logout(c *call) ([]byte, error) {
	c.session.ended = true
	return done, nil
}

func checkAuth(c *call) ([]byte, error) {
	roles, permissions := []string{"IS_AUTHENTICATED_ANONYMOUSLY"}, guestPermissions
	if c.user != nil {
		roles = slices.Concat(c.user.roles, []string{"IS_JWT_AUTHENTICATED", "IS_AUTHENTICATED_FULLY", "IS_AUTHENTICATED_REMEMBERED"}, roles)
		permissions = c.user.allPermissions()
	}
	return object(map[string]any{"isAuthenticated": c.user != nil, "roles": roles, "permissions": permissions}), nil
}

func getCurrentUser(c *call) ([]byte, error) { return one(c.user, nil, c.now), nil }

// issue is a login without a password.
func (s *Server) issue(username string) (access, refresh string, err error) {
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
