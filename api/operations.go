package api

import (
	"context"
	"net/http"
	"time"

	"github.com/mangadex-go/mangadex/internal/operation"
)

// An Operation is one thing that the API can do, as its document and our corrections describe it.
type Operation struct {
	ID         string // the name of the method of [Client]
	Method     string
	Path       string // with parameters in braces, relative to the server: /manga/{id}
	Auth       Auth
	Deprecated bool
	Limit      Limit // zero where only the global limit holds
}

// Auth says whether an operation wants to know who asks.
type Auth uint8

// What an operation may say about a token.
const (
	AuthNone     Auth = operation.AuthNone     // a token is never sent
	AuthOptional Auth = operation.AuthOptional // a token shows what only its owner may see
	AuthRequired Auth = operation.AuthRequired // refused without a token
)

// String returns none, optional or required.
func (a Auth) String() string {
	switch a {
	case AuthOptional:
		return "optional"
	case AuthRequired:
		return "required"
	}
	return "none"
}

// A Limit is the allowance that MangaDex documents for an operation, on top of the global one of
// about five requests a second for each address.
type Limit struct {
	Requests int
	Per      time.Duration
	Bucket   string // operations with the same bucket share the allowance
}

// Operations returns every operation, sorted by path.
func Operations() []Operation {
	all := make([]Operation, len(operation.Table))
	for i := range operation.Table {
		all[i] = fromTable(&operation.Table[i])
	}
	return all
}

// OperationFrom returns the operation that a request of a [Client] belongs to, from its context.
// A tracing [http.RoundTripper] can name its spans after it.
func OperationFrom(ctx context.Context) (Operation, bool) {
	if op := operation.FromContext(ctx); op != nil {
		return fromTable(op), true
	}
	return Operation{}, false
}

// OperationOf returns the operation of any request to the API: one of a [Client] or one
// made by hand, with or without a base path before the path of the operation. It looks at method
// and path only, not at the host.
func OperationOf(req *http.Request) (Operation, bool) {
	if op := operation.Of(req); op != nil {
		return fromTable(op), true
	}
	return Operation{}, false
}

func fromTable(op *operation.Operation) Operation {
	return Operation{ID: op.ID, Method: op.Method, Path: op.Path, Auth: Auth(op.Auth), Deprecated: op.Deprecated, Limit: Limit(op.Limit)}
}
