package apitest

import (
	"cmp"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
)

// What is neither catalogue nor library: users, API clients, reports, settings, threads of the
// forums, ids of old.

var userKeys = map[string]func(a, b *user) int{
	"username": func(a, b *user) int { return cmp.Compare(strings.ToLower(a.username), strings.ToLower(b.username)) },
}

func listUsers(c *call) ([]byte, error) {
	name := c.query.Get("username")
	return list(c, &c.users, c.order(), userKeys, func(u *user) bool { return contains(u.username, name) })
}

func (c *call) userOf(parameter string) (*user, error) {
	return lookup(c, &c.users, "User", parameter, everyone[*user])
}

// deleteUser sends a code by mail; State().DeletionCode has it, too.
func deleteUser(c *call) ([]byte, error) {
	u, err := c.userOf("id")
	if err != nil {
		return nil, err
	}
	if u != c.user && !c.user.may("user.delete") {
		return nil, denied("The permission user.delete is required.")
	}
	u.deletion = uuid.New()
	return done, nil
}

func confirmUserDeletion(c *call) ([]byte, error) {
	for _, u := range c.users.all {
		if u.deletion != uuid.Nil && u.deletion == c.id("code") {
			u.disabled, u.password, u.deletion = true, "", uuid.Nil
			return done, nil
		}
	}
	return nil, notFound("Code", c.id("code"))
}

// solveCaptcha takes any solution, and remembers who has found it.
func solveCaptcha(c *call) ([]byte, error) {
	c.store.solved[address(c.request)] = true
	if c.user != nil {
		c.store.solved[c.user.username] = true
	}
	return done, nil
}

// API clients.

var clientKeys = map[string]func(a, b *apiClient) int{
	"name": func(a, b *apiClient) int {
		return cmp.Compare(strings.ToLower(a.fields.Name), strings.ToLower(b.fields.Name))
	},
	"createdAt": byCreated[*apiClient],
	"updatedAt": byUpdated[*apiClient],
}

func (c *call) clientOf(parameter string) (*apiClient, error) {
	return lookup(c, &c.clients, "Api client", parameter, func(a *apiClient) bool { return a.owner == c.user })
}

func listAPIClients(c *call) ([]byte, error) {
	name, state := c.query.Get("name"), c.query.Get("state")
	return list(c, &c.clients, c.order(orderKey{"createdAt", true}), clientKeys, func(a *apiClient) bool {
		return a.owner == c.user && contains(a.fields.Name, name) && (state == "" || a.state == state)
	})
}

func createAPIClient(c *call) ([]byte, error) {
	a := &apiClient{head: newHead("api_client", c.now), owner: c.user, state: "requested", active: true, secret: token()}
	c.decode(&a.fields)
	c.clients.add(a)
	return one(a, nil, c.now), nil
}

// approve lets a client be used.
func (a *apiClient) approve(now time.Time) {
	a.state, a.clientID = "approved", "personal-client-"+a.id.String()+"-"+token()[:8]
	a.edit(now)
}

func updateAPIClient(c *call) ([]byte, error) {
	a, err := c.clientOf("id")
	if err != nil {
		return nil, err
	}
	if err := c.current(&a.head); err != nil {
		return nil, err
	}
	body := struct {
		Description *optional
	}{&a.fields.Description}
	c.decode(&body)
	if body.Description == nil {
		a.fields.Description = nil
	}
	a.edit(c.now)
	return one(a, nil, c.now), nil
}

func deleteAPIClient(c *call) ([]byte, error) {
	a, err := c.clientOf("id")
	if err != nil {
		return nil, err
	}
	if version := c.number("version", a.version); version != a.version {
		return nil, conflict("The version is not the current one.")
	}
	c.clients.remove(a.id)
	return done, nil
}

func getAPIClientSecret(c *call) ([]byte, error) {
	a, err := c.clientOf("id")
	if err != nil {
		return nil, err
	}
	if !a.usable() {
		return nil, denied("The client has not been approved.")
	}
	return object(map[string]any{"data": a.secret}), nil
}

func regenerateAPIClientSecret(c *call) ([]byte, error) {
	a, err := c.clientOf("id")
	if err != nil {
		return nil, err
	}
	if !a.usable() {
		return nil, denied("The client has not been approved.")
	}
	a.secret = token()
	return object(map[string]any{"data": a.secret}), nil
}

// Reports.

type reportReason struct {
	head
	category string
	text     string
	details  bool // are required
}

func (r *reportReason) attributes(time.Time) any {
	return map[string]any{"reason": localized{"en": r.text}, "detailsRequired": r.details, "category": r.category, "version": r.version}
}

func (r *reportReason) relationships() []relationship { return nil }

type report struct {
	head
	details  string
	objectID uuid.UUID
	status   string
	reporter *user
	reason   *reportReason
}

func (r *report) attributes(time.Time) any {
	return map[string]any{"details": r.details, "objectId": r.objectID, "status": r.status, "createdAt": stamp(r.created)}
}

func (r *report) relationships() []relationship {
	return []relationship{{kind: kindUser, target: r.reporter}, {kind: "report_reason", target: r.reason}}
}

func listReportReasons(c *call) ([]byte, error) {
	var found []*reportReason
	for _, r := range c.reasons.all {
		if r.category == c.params["category"] {
			found = append(found, r)
		}
	}
	return many(found, page{limit: len(found)}, len(found), nil, c.now), nil
}

var reportKeys = map[string]func(a, b *report) int{"createdAt": byCreated[*report]}

func listReports(c *call) ([]byte, error) {
	category, status := c.query.Get("category"), c.query.Get("status")
	reason, object := c.query.Get("reasonId"), c.query.Get("objectId")
	return list(c, &c.reports, c.order(orderKey{"createdAt", true}), reportKeys, func(r *report) bool {
		return (r.reporter == c.user || c.user.may("report.list.any")) && (category == "" || r.reason.category == category) &&
			(status == "" || r.status == status) && (reason == "" || r.reason.id.String() == reason) && (object == "" || r.objectID.String() == object)
	})
}

func createReport(c *call) ([]byte, error) {
	body := fields[struct {
		Category         string
		Reason, ObjectID uuid.UUID
		Details          string
	}](c)
	reason, ok := c.reasons.get(body.Reason)
	if !ok || reason.category != body.Category {
		return nil, notFound("Report reason", body.Reason)
	}
	if reason.details && strings.TrimSpace(body.Details) == "" {
		return nil, invalid("body/details", "this reason needs details")
	}
	exists := map[string]func(uuid.UUID) bool{
		"manga":            func(id uuid.UUID) bool { _, ok := c.manga.get(id); return ok },
		"chapter":          func(id uuid.UUID) bool { _, ok := c.chapters.get(id); return ok },
		"scanlation_group": func(id uuid.UUID) bool { _, ok := c.groups.get(id); return ok },
		"user":             func(id uuid.UUID) bool { _, ok := c.users.get(id); return ok },
		"author":           func(id uuid.UUID) bool { _, ok := c.authors.get(id); return ok },
	}
	if !exists[body.Category](body.ObjectID) {
		return nil, notFound("Object", body.ObjectID)
	}
	c.reports.add(&report{head: newHead("report", c.now), details: body.Details, objectID: body.ObjectID, status: "waiting", reporter: c.user, reason: reason})
	c.status = http.StatusCreated
	return done, nil
}

// Settings are kept as they are sent.

func (c *call) settingsAnswer() []byte {
	answer := map[string]any{"settings": json.RawMessage("{}"), "updatedAt": nil, "template": nil}
	if c.user.settings != nil {
		answer["settings"], answer["updatedAt"], answer["template"] = c.user.settings, c.user.settingsAt, c.template().id
	}
	return object(answer)
}

func getSettings(c *call) ([]byte, error) { return c.settingsAnswer(), nil }

func updateSettings(c *call) ([]byte, error) {
	body := fields[struct {
		Settings  json.RawMessage
		UpdatedAt string
	}](c)
	c.user.settings, c.user.settingsAt = body.Settings, body.UpdatedAt
	return c.settingsAnswer(), nil
}

// A settingsTemplate says what settings there are. What it holds is up to those who write it.
type settingsTemplate struct {
	id      uuid.UUID
	content json.RawMessage
}

func (st *store) template() settingsTemplate { return st.templates[len(st.templates)-1] }

func (t settingsTemplate) answer() []byte {
	return object(map[string]any{"response": "entity", "data": map[string]any{
		"id": t.id, "type": "settings_template", "attributes": map[string]any{"template": t.content}, "relationships": []any{},
	}})
}

func getSettingsTemplate(c *call) ([]byte, error) { return c.template().answer(), nil }

func getSettingsTemplateVersion(c *call) ([]byte, error) {
	at := slices.IndexFunc(c.templates, func(t settingsTemplate) bool { return t.id == c.id("version") })
	if at < 0 {
		return nil, notFound("Settings template", c.id("version"))
	}
	return c.templates[at].answer(), nil
}

func createSettingsTemplate(c *call) ([]byte, error) {
	c.templates = append(c.templates, settingsTemplate{uuid.New(), slices.Clone(json.RawMessage(c.body))})
	return c.template().answer(), nil
}

// Forums.

func createForumThread(c *call) ([]byte, error) {
	body := fields[struct {
		Type string
		ID   uuid.UUID
	}](c)
	var t *thread
	if m, ok := c.manga.get(body.ID); ok && body.Type == "manga" {
		t = &m.thread
	} else if ch, ok := c.chapters.get(body.ID); ok && body.Type == "chapter" {
		t = &ch.thread
	} else if g, ok := c.groups.get(body.ID); ok && body.Type == "group" {
		t = &g.thread
	}
	if t == nil {
		return nil, notFound("Object", body.ID)
	}
	if t.id == 0 {
		c.lastThread++
		t.id = c.lastThread
	}
	return object(map[string]any{"response": "entity", "data": map[string]any{
		"type": "thread", "id": t.id, "attributes": map[string]any{"repliesCount": t.replies},
	}}), nil
}

// Ids of old.

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
			h.id = uuid.NewSHA1(ids[n-1], []byte("mapping"))
			found = append(found, &mapping{h, body.Type, n, ids[n-1]})
		}
	}
	return many(found, page{limit: len(found)}, len(found), nil, c.now), nil
}
