// Package authn logs in to MangaDex and stays logged in.
//
//	session, err := authn.New(
//		authn.WithPersonalClient(clientID, clientSecret),
//		authn.WithPassword(username, password),
//		authn.WithStore(authn.NewFileStore(path)),
//	)
//	defer session.Close()
//	client, err := api.New(api.Production, authn.Use(session))
//
// From then on the client sends a token where the operation wants one, renews it before it
// expires, and repeats a call once whose token the server has refused. A call that needs a login
// fails with an [UnauthorizedError], without a request, when the session has nothing to log in
// with. For a client of somebody else there are [Transport] and [Session.Edit].
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
//   - a username and a password ([WithPassword], [WithPasswordFunc], [Session.LoginWith]), and a
//     one-time code where the account has one ([WithOneTimeCode]),
//   - both: the password is used once the refresh token is refused,
//   - the environment ([FromEnv]) or a file ([FromFile]),
//   - nothing ([Anonymous]): what is public works, and a login may follow.
//
// Nothing is sent before the first call that wants a token; [Session.Login] does it at once.
//
// # What is promised
//
// A session token lasts 15 minutes, a refresh token about a month; each renewal may make the refresh
// token void that it was made with.
//
//   - There is one renewal at a time, also among processes with one [Store]. A token is renewed a
//     minute before its end, behind the calls, so that nobody whose token is good waits. Who waits does
//     so no longer than its own context.
//   - A renewal that was sent is never given up, and what it brought is saved, now or as soon as it can
//     be. [Session.Close] waits for it. Before, the store has to show that it can be written.
//   - A refresh token is dropped only when the server has refused it twice, or once if there is a
//     password to go on with. A [FileStore] keeps it aside until the next login. After a network
//     error, a 429, a 5xx or an answer that makes no sense it is kept.
//   - What has failed is left alone for a second, twice as long after each other time, and five minutes
//     at most. Calls that need it fail at once meanwhile, with the last error and the time that is left.
//   - A new token is verified with GET /auth/check, unless [WithoutCheck] is given. If the API says no
//     to it, and a second later to another one, the session is anonymous from then on.
//   - A call that needs no token never fails because of the session.
//
// # What is not promised
//
//   - A process that is killed (SIGKILL, a power cut) between the answer to a renewal and its saving loses
//     the login, where the server rotates refresh tokens. So does one that ends while it cannot save.
//     A signal that the program can heed costs nothing: return, and have Close called.
//   - A session does not last for ever: a refresh token ends, at [Token.RefreshExpiry] at the latest, and
//     can be revoked. [WithOnEnd] tells when a session cannot go on by itself.
//   - On a file system without locks a [FileStore] keeps the sessions of one program apart, and no others.
//
// # What there is
//
//   - a session: [New], [Session], [Use]; for clients of other people [Transport] and [Session.Edit]
//   - what to log in with: [WithPersonalClient], [WithPassword], [WithPasswordFunc], [WithOneTimeCode],
//     [WithRefreshToken], [WithScopes], [FromEnv], [FromFile], [Anonymous]
//   - where the token is kept: [WithStore] with a [FileStore], a [MemoryStore] or a [Store] of one's own,
//     which may be a [Locker] and a [Discarder], too; package authntest tests one
//   - whom to ask, and how: [WithAPIServer], [WithAuthServer], [WithTokenURL], [WithHTTPClient], [WithUserAgent],
//     [WithLogger], [WithoutCheck]
//   - what to tell: [WithOnToken], [WithOnEnd]
//   - for one call: [ContextWithToken], [ContextWithoutToken]
//   - errors: [UnauthorizedError] of a call, [TokenError] of a login, and the sentinels such as
//     [ErrWrongPassword]
//
// # Secrets
//
// A token goes to the API server of the session ([WithAPIServer]) and to its auth server, to the
// same scheme, host and port, over https (or to a loopback address), and nowhere else; a stored token
// goes to the server, the realm and the client that it was made for. Errors, logs and everything that
// package fmt or a JSON encoder prints about the types of this package are free of tokens, passwords
// and client secrets; the exceptions are the fields of [Token] one by one, and [EncodeToken].
package authn
