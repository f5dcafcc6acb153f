package main

import (
	"errors"
	"io/fs"
	"net/http"
	"net/url"
	"strings"

	"github.com/mangadex-go/mangadex/authn"
)

// newSession makes the one session of the reader. The browser has no part in it: everybody who can
// reach the reader acts with it. The warning is empty or one line.
func newSession(c config, from upstream) (session *authn.Session, warning string, err error) {
	options := []authn.Option{authn.WithAPIServer(from.api)}
	if from.auth != "" {
		options = append(options, authn.WithAuthServer(from.auth))
	}
	if from.demo != nil {
		options = append(options,
			authn.WithPersonalClient(from.demo.ClientID, from.demo.ClientSecret),
			authn.WithPassword(from.demo.Username, from.demo.Password))
	} else {
		options = append(options, authn.FromEnv(), authn.WithStore(authn.NewFileStore(c.state)))
	}
	session, err = authn.New(options...)
	if errors.Is(err, authn.ErrDamaged) {
		// The store has put the file aside, so that the next login does not overwrite it.
		warning = "log in again: " + short(err)
		session, err = authn.New(options...)
	}
	return session, warning, err
}

// login takes a name and a password from the browser.
func (s *server) login(w http.ResponseWriter, r *http.Request) error {
	username, next := r.PostFormValue("username"), local(r.PostFormValue("next"))
	if username == "" || r.PostFormValue("password") == "" {
		return s.showLogin(w, r, http.StatusUnprocessableEntity, "Name and password are both needed.")
	}
	err := s.session.LoginWith(r.Context(), username, r.PostFormValue("password"))
	var path *fs.PathError
	switch {
	case errors.Is(err, authn.ErrNotSaved):
		return s.say(w, r, "Logged in, until the reader ends: the login could not be saved. "+short(err), next)
	case errors.As(err, &path):
		return s.showLogin(w, r, http.StatusInternalServerError, "Not logged in, because the login could not be saved; choose another file with -state. "+short(err))
	case errors.As(err, new(*authn.UnauthorizedError)):
		return s.showLogin(w, r, http.StatusForbidden, "MangaDex gave a login and does not accept it. "+short(err))
	case err != nil:
		problem := explain(err)
		return s.showLogin(w, r, problem.status, problem.text)
	}
	http.Redirect(w, r, next, http.StatusSeeOther)
	return nil
}

func (s *server) logout(w http.ResponseWriter, r *http.Request) error {
	if err := s.session.Logout(r.Context()); err != nil {
		return s.say(w, r, "Logged out of this reader. "+short(err), "/")
	}
	http.Redirect(w, r, "/", http.StatusSeeOther)
	return nil
}

func (s *server) loginPage(w http.ResponseWriter, r *http.Request) error {
	return s.showLogin(w, r, http.StatusOK, "")
}

// showLogin shows the form, with what was wrong the last time. It never shows the password again.
func (s *server) showLogin(w http.ResponseWriter, r *http.Request, status int, wrong string) error {
	return s.show(w, r, status, "login", "Log in", struct{ Username, Next, Wrong string }{
		r.PostFormValue("username"), local(r.FormValue("next")), wrong,
	})
}

// local is where to go after a login: a path of this server and nothing else.
func local(next string) string {
	u, err := url.Parse(next)
	if err != nil || u.Scheme != "" || u.Host != "" || !strings.HasPrefix(next, "/") || strings.HasPrefix(next, "//") || strings.Contains(next, `\`) {
		return "/"
	}
	return next
}
