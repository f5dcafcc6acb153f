package authn

import "context"

// mode of a call, in its context.
type mode uint8

const (
	byOperation mode = iota
	withToken
	withoutToken
)

type modeKey struct{}

// ContextWithToken returns a context whose calls send the token even where the operation does not want
// one, and fail if there is none.
func ContextWithToken(ctx context.Context) context.Context {
	return context.WithValue(ctx, modeKey{}, withToken)
}

// ContextWithoutToken returns a context whose calls are sent without a token, even where the operation
// wants one.
func ContextWithoutToken(ctx context.Context) context.Context {
	return context.WithValue(ctx, modeKey{}, withoutToken)
}

func modeOf(ctx context.Context) mode {
	m, _ := ctx.Value(modeKey{}).(mode)
	return m
}
