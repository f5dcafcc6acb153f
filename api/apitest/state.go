package apitest

import "slices"

// A State is what a server knows. It can be looked into and changed while the server runs.
type State struct{ server *Server }

// State returns the state of the server.
func (s *Server) State() State { return State{s} }

// Account returns an account by its name, with its password and its client.
func (s State) Account(username string) (Account, bool) {
	st := s.server.store
	st.Lock()
	defer st.Unlock()
	for _, u := range st.users.all {
		if u.username != username || u.password == "" {
			continue
		}
		a := Account{
			ID: u.id, Username: u.username, Email: u.email, Password: u.password,
			Roles: slices.Clone(u.roles), Permissions: slices.Clone(u.permissions), Disabled: u.disabled,
		}
		for _, client := range st.clients.all {
			if client.owner == u && client.usable() {
				a.ClientID, a.ClientSecret = client.clientID, client.secret
				break
			}
		}
		return a, true
	}
	return Account{}, false
}

// Deliveries returns what clients have reported of pages of at-home nodes.
func (s State) Deliveries() []Delivery {
	st := s.server.store
	st.Lock()
	defer st.Unlock()
	return slices.Clone(st.deliveries)
}
