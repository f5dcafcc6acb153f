package main

import (
	"errors"
	"io/fs"
	"net/http"
	"net/url"
	"strings"

	"github.com/mangadex-go/mangadex/authn"
)

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
		return s.showLogin(w, r, http.StatusInternalServerError, "Not logged in, because the login could not be saved; choose another file with -token. "+short(err))
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
