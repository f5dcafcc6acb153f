package main

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/url"
	"strings"

	"github.com/mangadex-go/mangadex/api"
	"github.com/mangadex-go/mangadex/api/athome"
	"github.com/mangadex-go/mangadex/api/reading"
	"github.com/mangadex-go/mangadex/authn"
)

// A problem is an error as a person is told of it.
type problem struct {
	status int
	text   string
}

func (p *problem) Error() string { return p.text }

// explain says what an error means for a person.
func explain(err error) *problem {
	var p *problem
	var op *net.OpError
	switch {
	case errors.As(err, &p):
		return p
	case errors.Is(err, athome.ErrExternal):
		return &problem{http.StatusNotFound, "This chapter is on the site of its publisher."}
	case errors.Is(err, athome.ErrTakenDown), errors.Is(err, athome.ErrNoPages):
		return &problem{http.StatusNotFound, "This chapter cannot be read on MangaDex any more."}
	case errors.Is(err, athome.ErrChanged):
		return &problem{http.StatusNotFound, "The pages of this chapter were replaced; load it again."}
	case errors.As(err, new(*athome.PageError)):
		return &problem{http.StatusBadGateway, "The page did not arrive from MangaDex; try again."}
	case errors.Is(err, api.ErrNotFound):
		return &problem{http.StatusNotFound, "MangaDex has nothing under this address."}
	case errors.Is(err, api.ErrCaptchaRequired):
		return &problem{http.StatusBadGateway, "MangaDex wants a captcha to be solved; log in at mangadex.org, then try again."}
	case errors.As(err, new(*authn.UnauthorizedError)):
		return &problem{http.StatusUnauthorized, "The login has ended; log in again."}
	case errors.Is(err, authn.ErrWrongPassword):
		return &problem{http.StatusForbidden, "Wrong name or password."}
	case errors.Is(err, authn.ErrClientRefused):
		return &problem{http.StatusForbidden, "MangaDex refuses the personal client; check MANGADEX_CLIENT_ID and MANGADEX_CLIENT_SECRET."}
	case errors.Is(err, authn.ErrUnauthorized):
		return &problem{http.StatusUnauthorized, "The login has ended; log in again."}
	case errors.Is(err, api.ErrRateLimited):
		return &problem{http.StatusServiceUnavailable, "That was more than MangaDex allows in a minute; wait a little, then try again."}
	case errors.As(err, &op) && (op.Op == "dial" || op.Op == "proxyconnect"), errors.As(err, new(*net.DNSError)):
		return &problem{http.StatusBadGateway, "MangaDex cannot be reached; check the network, then try again."}
	case errors.Is(err, context.DeadlineExceeded):
		return &problem{http.StatusGatewayTimeout, "MangaDex took too long; try again."}
	case errors.Is(err, api.ErrServer), errors.Is(err, api.ErrNotJSON), errors.Is(err, authn.ErrUnavailable):
		return &problem{http.StatusBadGateway, "MangaDex is in trouble; try again later."}
	}
	return &problem{http.StatusBadGateway, "That did not work: " + short(err)}
}

// short is an error on one line, without the names of packages before it.
func short(err error) string {
	text := reading.Line(err.Error())
	for _, name := range []string{"authn: ", "athome: ", "api: "} {
		text = strings.TrimPrefix(text, name)
	}
	return text
}

// fail answers with an error: as a page, or as a line where a picture or a script asks.
func (s *server) fail(w http.ResponseWriter, r *http.Request, err error) {
	if errors.Is(r.Context().Err(), context.Canceled) {
		return // the browser has gone
	}
	problem := explain(err)
	if problem.status == http.StatusUnauthorized && s.session.Anonymous() && r.Method == http.MethodGet {
		http.Redirect(w, r, "/login?next="+url.QueryEscape(r.URL.RequestURI()), http.StatusSeeOther)
		return
	}
	if problem.status >= 500 {
		s.note("%s %s: %v", r.Method, r.URL.Path, err)
	}
	w.Header().Set("Cache-Control", "no-store")
	if quiet(r) || strings.HasPrefix(r.Header.Get("Accept"), "image/") {
		http.Error(w, problem.text, problem.status)
		return
	}
	view := message{Text: problem.text, Bad: true}
	switch {
	case problem.status == http.StatusUnauthorized:
		view.Next, view.NextName = "/login", "Log in"
	case r.Method == http.MethodGet && problem.status >= 500:
		view.Next, view.NextName = r.URL.RequestURI(), "Try again"
	}
	if err := s.show(w, r, problem.status, "message", "Sorry", view); err != nil {
		http.Error(w, problem.text, problem.status)
	}
}
