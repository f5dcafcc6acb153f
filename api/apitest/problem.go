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
