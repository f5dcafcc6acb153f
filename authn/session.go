package authn

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/mangadex-go/mangadex/api"
	"github.com/mangadex-go/mangadex/internal/origin"
)

const (
	exchangeTimeout = 30 * time.Second // of a login, a renewal or a logout as a whole
	storeTimeout    = 10 * time.Second // of saving or deleting a token
	aheadPause      = 10 * time.Second // after a renewal that failed while the old token is still good
	lookPause       = time.Second      // between looks into the store of a session that has ended
)

// A Session is one login to MangaDex. It is made by [New] and safe for use by many goroutines.
type Session struct {
	wire         wire
	server       *origin.Server
	sender       *sender
	store        Store // may be nil
	onToken      []func(Token)
	withoutCheck bool
	logger       *slog.Logger
	root         context.Context // of renewals, which outlive the calls that started them
	closeRoot    context.CancelCauseFunc

	current atomic.Pointer[bearer] // nil if there is none

	mu          sync.Mutex // guards what follows, and changes of current
	account     *account
	flight      *flight // what changes the session just now; nil if nothing does
	anonymous   bool    // acts without a token until Login
	cause       error   // why the session ended
	permissions Permissions
	pause       time.Time // until when a renewal ahead of time is not tried again
	lookAgain   time.Time // until when the store of an ended session is not looked into
}

// account is what a session can authenticate with. It is behind a pointer so that no verb of
// package fmt shows it.
type account struct {
	username, password string
	passwordRefused    bool     // not sent again before Login
	refresh            string   // current refresh token
	spare              string   // the one of WithRefreshToken, where the store has another
	seen               Token    // what the store is known to hold; only something else is news
	headers            []string // the latest Authorization values of this login
}

// A flight is a change of the session that takes time.
type flight struct {
	kind    flightKind
	done    chan struct{}
	cancel  context.CancelFunc
	account *account // what it works for; if that is not the session's any more, nothing of it may be kept
	got     Token    // from the server

	// Set before done is closed.
	bearer *bearer
	err    error
}

type flightKind uint8

const (
	renewal flightKind = iota // calls wait for it and share what comes of it
	login                     // with other credentials; what comes of it is its caller's alone
	logout
)

// New makes a session. Nothing is sent; a store is read.
func New(options ...Option) (*Session, error) {
	set := settings{server: api.Production}
	if err := Options(options...)(&set); err != nil {
		return nil, err
	}
	server, err := parseServer("API server", set.server, api.Production)
	if err != nil {
		return nil, err
	}
	sender := newSender(set.client, set.userAgent)
	var w wire = &sessionEndpoints{server, sender}
	if set.clientID != "" {
		if w, err = newPersonalClient(&set, server, sender); err != nil {
			return nil, err
		}
	}
	logger := set.logger
	if logger == nil {
		logger = slog.New(slog.DiscardHandler)
	}
	s := &Session{
		wire: &patient{wire: w}, server: server, sender: sender, store: set.store, onToken: set.onToken,
		withoutCheck: set.withoutCheck, logger: logger, anonymous: set.anonymous,
		account: &account{username: set.username, password: set.password, refresh: set.refreshToken},
	}
	s.root, s.closeRoot = context.WithCancelCause(context.Background())
	if s.store == nil || s.anonymous {
		return s, nil
	}
	ctx, cancel := context.WithTimeout(s.root, storeTimeout)
	defer cancel()
	stored, err := s.load(ctx)
	if err != nil {
		return nil, err
	}
	s.adopt(s.account, stored)
	return s, nil
}

// Close ends a renewal that is under way, waits for it, and closes idle connections. A closed
// session cannot get another token. A session needs no Close: it leaves nothing behind by itself
// but a renewal, which ends after 30 seconds.
func (s *Session) Close() error {
	s.closeRoot(ErrClosed)
	s.mu.Lock()
	f := s.flight
	s.mu.Unlock()
	if f != nil {
		<-f.done
	}
	s.sender.close()
	return nil
}

// Anonymous reports whether calls are made without a token: in anonymous mode, after a logout, and
// when there is nothing left to authenticate with.
func (s *Session) Anonymous() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.anonymous || s.usable() == nil && !s.account.any()
}

// RefreshToken returns the current refresh token, which [WithRefreshToken] takes the next time. It
// is empty if there is none. See [WithOnToken] and [WithStore] to learn of every new one.
func (s *Session) RefreshToken() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.account.refresh
}

// Token returns a token that is fresh, after a login or a renewal if need be. It is for programs
// that send requests by other means; a client with [Use] does not need it.
func (s *Session) Token(ctx context.Context) (Token, error) {
	if b := s.current.Load(); b != nil && b.fresh() {
		return s.withRefresh(b), nil
	}
	b, err := s.acquire(ctx)
	if err != nil {
		return Token{}, s.loginError(err)
	}
	return s.withRefresh(b), nil
}

// withRefresh is a bearer's token with the refresh token of today: that may have been refused since.
func (s *Session) withRefresh(b *bearer) Token {
	t := b.Token
	t.RefreshToken = s.RefreshToken()
	return t
}

// loginError makes an error of [Session.acquire] one for the user who asked for a login.
func (s *Session) loginError(err error) error {
	var e *ended
	if !errors.As(err, &e) {
		return err
	}
	if e.now && e.cause != nil && e.cause != errRejected {
		return e.cause
	}
	return e.refuse("POST", s.wire.loginPath())
}

// String says whether the session is logged in.
func (s *Session) String() string {
	if s == nil || s.server == nil {
		return "authn.Session(not made by New)"
	}
	if s.Anonymous() {
		return "authn.Session(anonymous)"
	}
	if b := s.current.Load(); b != nil {
		return "authn.Session(token until " + b.Expiry.Format(time.RFC3339) + ")"
	}
	return "authn.Session(no token yet)"
}

// Format writes [Session.String] for every verb of package fmt.
func (s *Session) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, s.String()) }

// LogValue returns [Session.String].
func (s *Session) LogValue() slog.Value { return slog.StringValue(s.String()) }

// any reports whether there is something to authenticate with.
func (a *account) any() bool {
	return a.refresh != "" || a.spare != "" || a.hasPassword()
}

func (a *account) hasPassword() bool { return a.password != "" && !a.passwordRefused }

// usable returns the current token unless it has expired.
func (s *Session) usable() *bearer {
	if b := s.current.Load(); b != nil && b.usable() {
		return b
	}
	return nil
}

// adopt takes over a token that the store did not hold before: another process has put it there, or
// an earlier run of this one. It returns the token if it can be used as it is.
func (s *Session) adopt(a *account, stored Token) *bearer {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.account != a || !a.isNews(stored) {
		return nil
	}
	if stored.RefreshToken != "" {
		if a.seen == (Token{}) && a.refresh != stored.RefreshToken {
			a.spare = a.refresh
		}
		a.refresh = stored.RefreshToken
	}
	a.seen = stored
	b := newBearer(stored, time.Now())
	if stored.AccessToken == "" || !b.fresh() {
		return nil
	}
	s.publish(b)
	return b
}

func (a *account) isNews(stored Token) bool {
	return stored.RefreshToken != a.seen.RefreshToken || stored.AccessToken != a.seen.AccessToken
}

// publish makes a token the current one. The caller holds mu.
func (s *Session) publish(b *bearer) {
	const remembered = 4 // so many generations of tokens can be on the way at a time
	h := append(s.account.headers, b.header)
	s.account.headers = h[max(0, len(h)-remembered):]
	s.cause = nil
	s.current.Store(b)
}

// reject marks the token of a header as bad, if it is the current one, because the API answered it
// with 401. It reports whether the header was of this login, so that a new token can do better.
func (s *Session) reject(header string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if b := s.current.Load(); b != nil && b.header == header {
		s.current.Store(nil)
	}
	return slices.Contains(s.account.headers, header)
}

// acquire returns a token that can be used. A token that is near its end is renewed by the first
// caller that sees it, while the others go on with it; for one that has expired all wait. The error
// is an [ended] if there is nothing to get a token with.
func (s *Session) acquire(ctx context.Context) (*bearer, error) {
	for {
		s.mu.Lock()
		now := time.Now()
		old := s.usable()
		switch {
		case old != nil && old.fresh():
			s.mu.Unlock()
			return old, nil
		case old != nil && (s.flight != nil || now.Before(s.pause) || !s.account.any()):
			s.mu.Unlock()
			return old, nil
		case s.anonymous, !s.account.any() && s.flight == nil && (s.store == nil || now.Before(s.lookAgain)):
			err := &ended{cause: s.cause, anonymous: s.anonymous && (s.account.any() || s.store != nil)}
			s.mu.Unlock()
			return nil, err
		}
		if err := ctx.Err(); err != nil {
			s.mu.Unlock()
			return nil, waitError(ctx)
		}
		f := s.flight
		if f == nil {
			f = s.launch()
		}
		s.mu.Unlock()
		select {
		case <-f.done:
		case <-ctx.Done():
			return nil, waitError(ctx)
		}
		switch {
		case f.kind != renewal:
			continue
		case f.err != nil && old != nil && s.usable() == old: // it may be tried again later
			return old, nil
		}
		return f.bearer, f.err
	}
}

func waitError(ctx context.Context) error {
	return fmt.Errorf("authn: waiting for a token: %w", ctx.Err())
}

// launch starts a renewal. Its context is not the caller's, who may go away while others wait, and
// whose context may hold values for its own request. The caller holds mu.
func (s *Session) launch() *flight {
	f := &flight{kind: renewal, done: make(chan struct{}), account: s.account}
	var ctx context.Context
	ctx, f.cancel = context.WithTimeout(s.root, exchangeTimeout)
	s.flight = f
	go func() {
		defer f.cancel()
		f.bearer, f.err = s.renew(ctx, f)
		s.land(f)
	}()
	return f
}

// claim waits until nothing else changes the session, and keeps everything else from doing so until
// land. The context it returns also ends with the session.
func (s *Session) claim(ctx context.Context, kind flightKind) (context.Context, *flight, error) {
	for {
		s.mu.Lock()
		other := s.flight
		if other == nil {
			f := &flight{kind: kind, done: make(chan struct{}), account: s.account}
			ctx, cancel := context.WithTimeout(ctx, exchangeTimeout)
			stop := context.AfterFunc(s.root, cancel)
			f.cancel = func() { stop(); cancel() }
			s.flight = f
			s.mu.Unlock()
			return ctx, f, nil
		}
		s.mu.Unlock()
		select {
		case <-other.done:
		case <-ctx.Done():
			return nil, nil, waitError(ctx)
		}
	}
}

// land ends a flight.
func (s *Session) land(f *flight) {
	s.mu.Lock()
	s.flight = nil
	if f.err != nil {
		s.pause = time.Now().Add(aheadPause)
	}
	s.mu.Unlock()
	close(f.done)
}

// renew gets a new token, from the store, with a refresh token or with the password.
func (s *Session) renew(ctx context.Context, f *flight) (*bearer, error) {
	if s.root.Err() != nil {
		return nil, ErrClosed
	}
	b, t, err := s.obtain(ctx, f)
	switch {
	case b != nil:
		return b, nil
	case err != nil && !errors.Is(err, ErrNotSaved):
		if s.dropped(f) { // Logout has cancelled it, not those who wait
			return nil, &ended{}
		}
		return nil, s.closedOr(err)
	}
	b, useErr := s.use(ctx, f, t)
	return b, both(useErr, err)
}

// obtain returns a token that can be used, because another process has saved it, or a new one. It
// holds the lock of the store meanwhile.
func (s *Session) obtain(ctx context.Context, f *flight) (*bearer, Token, error) {
	unlock, err := s.lock(ctx)
	if err != nil {
		return nil, Token{}, err
	}
	defer unlock()
	stored, err := s.load(ctx)
	if err != nil {
		return nil, Token{}, err
	}
	if b := s.adopt(f.account, stored); b != nil {
		return b, Token{}, nil
	}
	var refused error
	for {
		g := s.nextGrant(f.account)
		if g == nil {
			break
		}
		t, err := s.wire.exchange(ctx, g)
		if err == nil {
			if r, ok := g.(refreshGrant); ok && t.RefreshToken == "" {
				t.RefreshToken = r.token
			}
			t, err = s.keep(ctx, f, g, t)
			return nil, t, err
		}
		if !errors.Is(err, g.refused()) {
			s.logger.Warn("authn: no new token", "error", err)
			return nil, Token{}, err
		}
		s.logger.Warn("authn: credentials refused", "error", err)
		s.refuse(ctx, f.account, g, stored)
		refused = err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.account != f.account {
		return nil, Token{}, &ended{}
	}
	if refused != nil {
		s.cause = refused
	}
	s.lookAgain = time.Now().Add(lookPause)
	return nil, Token{}, &ended{cause: s.cause, now: refused != nil}
}

// dropped reports whether the session has been logged out of what a flight works for.
func (s *Session) dropped(f *flight) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.account != f.account
}

// closedOr explains an error that comes of Close.
func (s *Session) closedOr(err error) error {
	if err != nil && s.root.Err() != nil {
		return ErrClosed
	}
	return err
}

// nextGrant returns what to try next, nil if all has been refused.
func (s *Session) nextGrant(a *account) grant {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.account != a:
	case a.refresh != "":
		return refreshGrant{a.refresh}
	case a.spare != "":
		a.refresh, a.spare = a.spare, ""
		return refreshGrant{a.refresh}
	case a.hasPassword():
		return passwordGrant{a.username, a.password}
	}
	return nil
}

// refuse forgets what the server has refused.
func (s *Session) refuse(ctx context.Context, a *account, g grant, stored Token) {
	s.mu.Lock()
	inStore := false
	switch g := g.(type) {
	case refreshGrant:
		if a.refresh == g.token {
			a.refresh = ""
		}
		inStore = stored.RefreshToken == g.token
	case passwordGrant:
		a.passwordRefused = a.passwordRefused || a.password == g.password
	}
	s.mu.Unlock()
	if inStore {
		_ = s.erase(ctx) // logged; the token is void anyway
	}
}

// keep remembers a new token and saves it. That is not left undone because the flight is cancelled:
// the server may have made the old refresh token void already.
func (s *Session) keep(ctx context.Context, f *flight, g grant, t Token) (Token, error) {
	s.logger.Info("authn: new token", "by", g.operation(), "expiry", t.Expiry)
	t.Server, t.Client = s.server.String(), s.wire.client()
	s.mu.Lock()
	f.got = t
	f.account.refresh, f.account.spare = t.RefreshToken, ""
	dropped := s.account != f.account
	s.mu.Unlock()
	if dropped || s.store == nil {
		return t, nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), storeTimeout)
	defer cancel()
	if err := s.store.Save(ctx, t); err != nil {
		s.logger.Error("authn: token not saved", "error", err)
		return t, fmt.Errorf("authn: %w, the session goes on with it: %w", ErrNotSaved, err)
	}
	s.mu.Lock()
	f.account.seen = t
	s.mu.Unlock()
	return t, nil
}

// use announces a token that was kept, verifies it and makes it the current one.
func (s *Session) use(ctx context.Context, f *flight, t Token) (*bearer, error) {
	if !s.dropped(f) { // or it is about to be revoked
		for _, f := range s.onToken {
			f(t)
		}
	}
	b := newBearer(t, time.Now())
	var permissions Permissions
	var verdict error
	if !s.withoutCheck {
		permissions, verdict = s.verify(ctx, b)
	}
	s.mu.Lock()
	dropped := s.account != f.account
	switch {
	case dropped:
	case verdict != nil:
		s.turnAnonymous(verdict)
	default:
		s.publish(b)
		if permissions != nil {
			s.permissions = permissions
		}
	}
	s.mu.Unlock()
	switch {
	case dropped:
		_ = s.erase(ctx) // logged; Logout deletes it, too, if it is still waiting
		return nil, &ended{}
	case verdict != nil:
		s.logger.Warn("authn: logged out", "error", verdict)
		return nil, &ended{cause: verdict, now: true}
	}
	return b, nil
}

// verify asks the API about a new token. Only a clear no is an error.
func (s *Session) verify(ctx context.Context, b *bearer) (Permissions, error) {
	status, err := s.check(ctx, b)
	if errors.Is(err, errRejected) {
		return nil, errRejected
	}
	if err != nil {
		s.logger.Warn("authn: the new token could not be verified", "error", err)
	}
	return status.Permissions, nil
}

// turnAnonymous logs out locally. What the session could log in with stays for Login: the auth
// server has not refused it. The caller holds mu.
func (s *Session) turnAnonymous(cause error) {
	s.anonymous, s.cause = true, cause
	s.current.Store(nil)
	s.permissions = nil
}

// load returns what the store holds, unless another server or another client has given it out: what
// this one thinks of it is of no interest, and the token must not be lost by asking.
func (s *Session) load(ctx context.Context) (Token, error) {
	if s.store == nil {
		return Token{}, nil
	}
	stored, err := s.store.Load(ctx)
	if err != nil {
		return Token{}, fmt.Errorf("authn: %w", err)
	}
	if why := s.foreign(stored); why != nil {
		s.logger.Warn("authn: stored token left alone", "error", why)
		s.mu.Lock()
		if s.cause == nil {
			s.cause = why
		}
		s.mu.Unlock()
		return Token{}, nil
	}
	return stored, nil
}

// foreign says why a stored token is not for this session, nil if it is.
func (s *Session) foreign(stored Token) error {
	switch client := s.wire.client(); {
	case stored.Server == "": // written by somebody else, who does not say
		return nil
	case stored.Server != s.server.String():
		return fmt.Errorf("the stored token is for the server %s; log in to this one, or use another store", stored.Server)
	case stored.Client == client:
		return nil
	case stored.Client == "":
		return errors.New("the stored token is for the session endpoints; log in, or leave the personal client out")
	default:
		return fmt.Errorf("the stored token is for the personal client %s; log in, or give that client", stored.Client)
	}
}

// lock locks a store that can be locked.
func (s *Session) lock(ctx context.Context) (unlock func(), err error) {
	store, ok := s.store.(Locker)
	if !ok {
		return func() {}, nil
	}
	release, err := store.Lock(ctx)
	if err != nil {
		return nil, fmt.Errorf("authn: %w", err)
	}
	return func() {
		if err := release(); err != nil {
			s.logger.Error("authn: the store cannot be unlocked", "error", err)
		}
	}, nil
}

// erase deletes the token from the store, even when ctx has ended, unless it is not for this session.
func (s *Session) erase(ctx context.Context) error {
	if s.store == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), storeTimeout)
	defer cancel()
	if stored, err := s.store.Load(ctx); err == nil && s.foreign(stored) != nil {
		return nil
	}
	if err := s.store.Delete(ctx); err != nil {
		s.logger.Error("authn: the token is still in the store", "error", err)
		return fmt.Errorf("authn: the token is still in the store: %w", err)
	}
	return nil
}
