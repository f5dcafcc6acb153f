// Package authn logs in to MangaDex and stays logged in.
//
//	session, err := authn.New(
//		authn.WithPersonalClient(clientID, clientSecret),
//		authn.WithPassword(username, password),
//		authn.WithStore(authn.NewFileStore(path)),
//	)
//	client, err := api.New(api.Production, authn.Use(session))
//
// From then on the client sends a token where the operation wants one, renews it before it
// expires, and repeats a call once whose token the server has refused. A call that needs a login
// fails with an [UnauthorizedError], without a request, when the session has nothing to log in
// with.
//
// # Ways of logging in
//
// MangaDex knows two protocols. With [WithPersonalClient] a session speaks OAuth2 with a personal
// client, which the owner of an account creates in the settings of MangaDex. Without it a session
// uses the session endpoints of the API (/auth/login), which MangaDex has deprecated: they refuse
// accounts that were made, or whose password was changed, after 17 December 2022.
//
// With either, a session starts from
//
//   - a refresh token that was kept ([WithRefreshToken], [WithStore]); no password is needed,
//   - a username and a password ([WithPassword], [Session.LoginWith]),
//   - both: the password is used once the refresh token is refused,
//   - the environment ([FromEnv]) or a file ([FromFile]),
//   - nothing ([Anonymous]): what is public works, and a login may follow.
//
// Nothing is sent before the first call that wants a token; [Session.Login] does it at once.
//
// # Tokens
//
// A session token lasts 15 minutes, a refresh token about a month. There is one renewal at a time,
// however many calls wait for it; each call waits no longer than its own context, and the renewal
// goes on when a call gives up. A new token is saved in the [Store] before it is used, and, unless
// [WithoutCheck] is given, verified with GET /auth/check.
//
// A refresh token is dropped only when the server refuses it. After a network error, a 429, a 5xx
// or an answer that makes no sense it is kept, and the next call tries again.
//
// # Secrets
//
// A token goes to the API server of the session ([WithAPIServer]) and to its auth server, to the
// same scheme, host and port, over https (or to a loopback address), and nowhere else; a stored token
// goes to the server that it was made for. Errors, logs
// and everything that package fmt or a JSON encoder prints about the types of this package are free
// of tokens, passwords and client secrets; the exceptions are the fields of [Token] one by one, and
// [EncodeToken].
package authn
