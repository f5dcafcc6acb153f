package apitest

import (
	"fmt"
	"net/http"
)

// A problem is an answer that says no.
type problem struct {
	status  int
	title   string
	detail  string
	context any
	header  http.Header
	body    []byte // in place of the usual one
}

func (p *problem) Error() string { return p.detail }

// problemIDs are the ids of some kinds of errors, which are the same at every occurrence.
var problemIDs = map[string]string{
	"not_found_http_exception": "770a6444-c695-570d-bfd2-a0eec2e95ce9",
	"http_exception":           "db3f44cc-0460-5d1c-9a9c-cfde7ceb26da",
	"validation_exception":     "9c346772-7b14-5982-b4b6-7b5888522762",
}

// encode is the body of the answer.
func (p *problem) encode() []byte {
	if p.body != nil {
		return p.body
	}
	return encode(map[string]any{"result": "error", "errors": []any{p.entry()}})
}

// entry is the problem in the errors of an answer.
func (p *problem) entry() map[string]any {
	id, ok := problemIDs[p.title]
	if !ok {
		id = named(namespace, p.title).String()
	}
	return map[string]any{"id": id, "status": p.status, "title": p.title, "detail": p.detail, "context": p.context}
}

// answer is the answer that says it.
func (p *problem) answer() answer {
	a := answer{status: p.status, contentType: contentJSON, header: p.header.Clone(), body: p.encode()}
	if len(p.body) > 0 {
		switch p.body[0] {
		case '{':
		case '<':
			a.contentType = contentHTML
		default:
			a.contentType = contentPlain
		}
	}
	return a
}

func notFound(what string, id fmt.Stringer) error {
	return &problem{status: http.StatusNotFound, title: "not_found_http_exception", detail: fmt.Sprintf("%s `%s` not found.", what, id)}
}

// invalid is a request that is wrong in one place.
func invalid(where, reason string) error {
	return &problem{status: http.StatusBadRequest, title: "validation_exception", detail: fmt.Sprintf("Error validating %s: %s", where, reason)}
}

// problem is the answer to a request that does not fit the specification.
func (m *misfit) problem(r *http.Request) error {
	switch m.status {
	case http.StatusNotFound:
		return noRoute(r)
	case http.StatusRequestEntityTooLarge:
		return &problem{status: m.status, title: "payload_too_large_http_exception", detail: m.reason}
	}
	return invalid(m.where, m.reason)
}

func noRoute(r *http.Request) error {
	return &problem{status: http.StatusNotFound, title: "not_found_http_exception", detail: "No route found for \"" + r.Method + " " + r.URL.Path + "\""}
}

func denied(detail string) error {
	return &problem{status: http.StatusForbidden, title: "access_denied_http_exception", detail: detail}
}

func conflict(detail string) error {
	return &problem{status: http.StatusConflict, title: "conflict_http_exception", detail: detail}
}

// unauthorized is a request without a token, or with one that does not hold.
func unauthorized(challenge string) error {
	return &problem{
		status: http.StatusUnauthorized, title: "http_exception", detail: "Full authentication is required to access this resource.",
		header: http.Header{"Www-Authenticate": {challenge}},
	}
}

// ko is how the checks of follows say no.
var ko = &problem{status: http.StatusNotFound, body: []byte(`{"result":"ko"}`)}
