package apitest

import (
	"cmp"
	"encoding/hex"
	"strings"
	"time"

	"github.com/google/uuid"
)

// An apiClient is what programs log in with. A personal one works for its owner.
type apiClient struct {
	head
	fields   apiClientFields
	owner    *user
	state    string // requested, approved, autoapproved or rejected
	active   bool
	clientID string // empty until it is approved
	secret   string
}

type apiClientFields struct {
	Name        string   `json:"name"`
	Description optional `json:"description"`
	Profile     string   `json:"profile"`
}

func (a *apiClient) attributes(time.Time) any {
	var id optional
	if a.clientID != "" {
		id = some(a.clientID)
	}
	return struct {
		apiClientFields
		ExternalClientID optional `json:"externalClientId"`
		IsActive         bool     `json:"isActive"`
		State            string   `json:"state"`
		times
	}{a.fields, id, a.active, a.state, a.times()}
}

func (a *apiClient) relationships() []relationship {
	return []relationship{{kind: "creator", target: a.owner}}
}

// usable tells whether the auth server knows the client.
func (a *apiClient) usable() bool {
	return a.active && (a.state == "approved" || a.state == "autoapproved")
}

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
	a, err := newest(c, (*call).clientOf, "id")
	if err != nil {
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

// approvedClientOf finds a client of who asks that has a secret.
func (c *call) approvedClientOf(parameter string) (*apiClient, error) {
	a, err := c.clientOf(parameter)
	if err == nil && !a.usable() {
		return nil, denied("The client has not been approved.")
	}
	return a, err
}

func getAPIClientSecret(c *call) ([]byte, error) {
	a, err := c.approvedClientOf("id")
	if err != nil {
		return nil, err
	}
	return object(map[string]any{"data": a.secret}), nil
}

func regenerateAPIClientSecret(c *call) ([]byte, error) {
	a, err := c.approvedClientOf("id")
	if err != nil {
		return nil, err
	}
	a.secret = token()
	return object(map[string]any{"data": a.secret}), nil
}

// clientOfUser is the first client that an account can use, nil without one.
func (st *store) clientOfUser(u *user) *apiClient {
	for _, client := range st.clients.all {
		if client.owner == u && client.usable() {
			return client
		}
	}
	return nil
}

// token is a random text that nobody guesses.
func token() string {
	id, more := uuid.New(), uuid.New()
	return hex.EncodeToString(append(id[:], more[:]...))
}
