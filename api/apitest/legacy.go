package apitest

import (
	"net/http"
	"slices"
	"time"

	"github.com/google/uuid"
)

// What MangaDex calls legacy: the session endpoints, and numbers in place of ids.

// legacyScope is what tells the sessions of the session endpoints from others.
const legacyScope = "legacy"

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
	roles, permissions := []string{"IS_AUTHENTICATED_ANONYMOUSLY"}, viewPermissions
	if c.user != nil {
		roles = slices.Concat(c.user.roles, []string{"IS_JWT_AUTHENTICATED", "IS_AUTHENTICATED_FULLY", "IS_AUTHENTICATED_REMEMBERED"}, roles)
		permissions = c.user.listedPermissions()
	}
	return object(map[string]any{"isAuthenticated": c.user != nil, "roles": roles, "permissions": permissions}), nil
}

// A mapping is the id of what had a number once.
type mapping struct {
	head
	of     string
	legacy int
	target uuid.UUID
}

func (m *mapping) attributes(time.Time) any {
	return map[string]any{"type": m.of, "legacyId": m.legacy, "newId": m.target}
}

func (m *mapping) relationships() []relationship { return nil }

func mapLegacyIDs(c *call) ([]byte, error) {
	body := fields[struct {
		Type string
		IDs  []int
	}](c)
	var found []*mapping
	for _, n := range body.IDs {
		if ids := c.legacy[body.Type]; 1 <= n && n <= len(ids) {
			h := newHead("mapping_id", c.now)
			h.id = named(ids[n-1], "mapping")
			found = append(found, &mapping{h, body.Type, n, ids[n-1]})
		}
	}
	return many(found, page{limit: len(found)}, len(found), nil, c.now), nil
}
