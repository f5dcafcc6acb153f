// Package operation has the table of the operations of the API, for package api, which shows it
// to users, and for the packages below it that cannot import package api.
package operation

import (
	"context"
	"net/http"
	"strings"
	"time"
)

// An Operation is a row of the table. See api.Operation for its fields.
type Operation struct {
	ID         string
	Method     string
	Path       string
	Auth       uint8
	Deprecated bool
	Limit      Limit

	SecretAnswer bool // no part of its answer may be shown
	SecretPath   bool // a parameter of its path is known only to who may use it
}

// A Limit is the allowance of an operation. See api.Limit for its fields.
type Limit struct {
	Requests int
	Per      time.Duration
	Bucket   string
}

// Values of Operation.Auth.
const (
	AuthNone = iota
	AuthOptional
	AuthRequired
)

// ContextKey is the key of an *Operation in a context, for contexts that hold it in their own way.
type ContextKey struct{}

// NewContext marks a context with the operation that its request belongs to.
func NewContext(ctx context.Context, op *Operation) context.Context {
	return context.WithValue(ctx, ContextKey{}, op)
}

// FromContext returns the operation of a marked context, nil for others.
func FromContext(ctx context.Context) *Operation {
	op, _ := ctx.Value(ContextKey{}).(*Operation)
	return op
}

// Of returns the operation of a request, nil if it has none.
func Of(req *http.Request) *Operation {
	if op := FromContext(req.Context()); op != nil {
		return op
	}
	if req.URL == nil {
		return nil
	}
	method := req.Method
	if method == "" {
		method = http.MethodGet
	}
	if op := find(method, req.URL.Path); op != nil {
		return op
	}
	return find(method, req.URL.EscapedPath()) // a value of the path has a slash
}

// find finds the operation of a path. What stands before it is a base path.
func find(method, path string) *Operation {
	for strings.HasPrefix(path, "/") {
		if i := match(method, path); i >= 0 {
			return &Table[i]
		}
		next := strings.IndexByte(path[1:], '/')
		if next < 0 {
			break
		}
		path = path[1+next:]
	}
	return nil
}

// nextSegment splits the first segment off a path that starts with a slash.
func nextSegment(path string) (segment, rest string) {
	if path == "" || path[0] != '/' {
		return "", ""
	}
	path = path[1:]
	if i := strings.IndexByte(path, '/'); i >= 0 {
		return path[:i], path[i:]
	}
	return path, ""
}
