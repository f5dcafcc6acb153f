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
// From then on the client sends a token where the operation wants one, and renews it before it expires.
// When the server refuses a token, the client repeats the call once. A call that needs a login fails
// with an [UnauthorizedError], without a request, when the session has nothing to log in with. For
// other HTTP clients there are [Transport] and [Session.Edit].
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
// A session token lasts 15 minutes, a refresh token about a month; a renewal may make the refresh token
// that it used invalid.
//
//   - There is one renewal at a time, also among processes with one [Store]. A token is renewed in the
//     background a minute before its end, so that no call with a good token waits. No call waits longer
//     than its own context.
//   - A renewal that was sent is never given up, and its token is saved as soon as the store can be
//     written. [Session.Close] waits for it. Before a renewal is sent, the session checks that the
//     store can be written.
//   - A refresh token is dropped only when the server has refused it twice, or once if there is a
//     password to go on with. A [FileStore] keeps it aside until the next login. After a network error,
//     a 429, a 5xx or an answer that makes no sense, the refresh token is kept.
//   - After a failure the session waits a second before it tries again, twice as long after each
//     further failure, and five minutes at most. Meanwhile calls that need a token fail at once, with
//     the last error and the time that is left.
//   - A new token is verified with GET /auth/check, unless [WithoutCheck] is given. If the API refuses
//     it, and a second later refuses another one, the session is anonymous from then on.
//   - A call that needs no token never fails because of the session.
//
// # What is not promised
//
//   - Where the server rotates refresh tokens, a process loses the login if it is killed (SIGKILL, a
//     power cut) after the answer to a renewal and before the token is saved. So does a process that
//     ends while its store cannot be written. A signal that the program catches costs nothing: call
//     Close before the program ends.
//   - A session does not last for ever: a refresh token ends, at [Token.RefreshExpiry] at the latest, and
//     can be revoked. [WithOnEnd] tells when a session cannot go on by itself.
//   - On a file system without locks, a FileStore locks only among the sessions of one program.
//
// # What there is
//
//   - a session: [New], [Session], [Use]; for other HTTP clients [Transport] and [Session.Edit]
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
// A token goes to the API server of the session ([WithAPIServer]) and to its auth server, to the same
// scheme, host and port, over https (or to a loopback address), and nowhere else; a stored token is
// used only for the server, the realm and the client that it was made for. Errors, logs and everything
// that package fmt or a JSON encoder prints about the types of this package are free of tokens,
// passwords and client secrets; the exceptions are [EncodeToken] and the single fields of [Token].
package authn
