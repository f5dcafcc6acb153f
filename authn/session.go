package authn

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"io"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/mangadex-go/mangadex/api"
	"github.com/mangadex-go/mangadex/internal/origin"
)

const (
	lockTimeout     = 30 * time.Second // of waiting for a store that another process has locked
	storeTimeout    = 10 * time.Second // of reading or writing it
	exchangeTimeout = 30 * time.Second // of a login or a renewal, as far as calls wait for it
	answerTimeout   = 2 * time.Minute  // of the same, until its answer is not expected any more
	checkTimeout    = 20 * time.Second // of GET /auth/check
	codeTimeout     = 5 * time.Minute  // of the function that asks for a password or a one-time code
	closeTimeout    = 30 * time.Second // of Close
	closeLogin      = 2 * time.Second  // of Close for a login with a password, which can be made again
	lookPause       = time.Second      // between looks into the store of a session that has ended
	optionalWait    = 5 * time.Second  // of a call that can do without a token
)

// A Session is one login to MangaDex. It is made by [New] and safe for use by many goroutines.
type Session struct {
	wire         wire
	server       *origin.Server
	sender       *sender // to the API
	toRealm      *sender
	adopted      atomic.Bool // they send as a client does
	keeper       keeper
	onToken      []func(Token)
	onEnd        []func(error)
	oneTimeCode  func(context.Context) (string, error)
	withoutCheck bool
	logger       *slog.Logger
	root         context.Context // of what Close may end: everything but an exchange
	closeRoot    context.CancelCauseFunc

	now    atomic.Pointer[state] // changed by change only
	repeat repeats               // requests that Edit has marked

	mu     sync.Mutex  // of changes of now, and of what follows
	flight *flight     // what takes time just now; nil if nothing does
	later  *time.Timer // of a token that could not be saved
}

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
	sender, toRealm := newSender(set.client, set.userAgent), newSender(set.client, set.userAgent)
	var w wire = &sessionEndpoints{server, sender}
	if set.clientID != "" {
		if w, err = newPersonalClient(&set, server, toRealm); err != nil {
			return nil, err
		}
	}
	logger := set.logger
	if logger == nil {
		logger = slog.New(slog.DiscardHandler)
	}
	s := &Session{
		wire: w, server: server, sender: sender, toRealm: toRealm, onToken: set.onToken, onEnd: set.onEnd, oneTimeCode: set.oneTimeCode,
		withoutCheck: set.withoutCheck, logger: logger,
		keeper: keeper{store: set.store, logger: logger, server: server.String(), realm: w.realm(), client: w.client()},
	}
	if file, ok := set.store.(*FileStore); ok && set.logger != nil {
		file.lock.warner.logger.CompareAndSwap(nil, set.logger)
	}
	s.repeat.seed = maphash.MakeSeed()
	s.root, s.closeRoot = context.WithCancelCause(context.Background())
	st := state{
		hasStore: set.store != nil, anonymous: set.anonymous,
		password: set.credentials, token: Token{RefreshToken: set.refreshToken},
	}
	if st.hasStore && !st.anonymous {
		stored, foreign, err := s.keeper.load(s.root)
		if err != nil {
			return nil, err
		}
		if foreign != nil {
			st = st.foreign(foreign)
		}
		st = st.found(stored, time.Now())
	}
	s.now.Store(&st)
	return s, nil
}

// change makes the next state of the current one, and returns it.
func (s *Session) change(next func(state) state) state {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.changeLocked(next)
}

func (s *Session) changeLocked(next func(state) state) state {
	st := next(*s.now.Load())
	s.now.Store(&st)
	return st
}

// state returns the current state.
func (s *Session) state() state { return *s.now.Load() }

// Close closes the session, which gets no more tokens. Calls that wait for one fail. Close waits 30
// seconds at most for a renewal that has been sent, and saves its token, which may hold the only
// refresh token that still works. It waits two seconds for a login with a password, which can be made
// again. It also saves a token that could not be saved before, and returns the error if that fails
// again.
func (s *Session) Close() error {
	s.closeRoot(ErrClosed)
	s.mu.Lock()
	s.changeLocked(state.shut)
	f := s.flight
	if s.later != nil {
		s.later.Stop()
	}
	s.mu.Unlock()
	var err error
	if f != nil {
		patience := time.NewTimer(closeTimeout)
		defer patience.Stop()
		select {
		case <-f.done:
		case <-patience.C:
			err = errors.New("authn: the session was closed before the auth server answered; its answer is saved if the program runs until then")
		}
	}
	err = both(err, s.saveRest())
	s.sender.close()
	s.toRealm.close()
	return err
}

// Anonymous reports whether calls are made without a token: in anonymous mode, after a logout, and
// when there is nothing left to authenticate with.
func (s *Session) Anonymous() bool {
	st := s.state()
	return st.anonymous || (st.bearer == nil || !st.bearer.usable()) && !st.means()
}

// RefreshToken returns the current refresh token, which [WithRefreshToken] takes the next time. It
// is empty if there is none. See [WithOnToken] and [WithStore] to learn of every new one.
func (s *Session) RefreshToken() string { return s.state().token.RefreshToken }

// Token returns a token that is fresh, after a login or a renewal if need be. It is for programs
// that send requests by other means; a client with [Use] or [Transport] does not need it. If the API
// refuses the token, see [Session.Login].
func (s *Session) Token(ctx context.Context) (Token, error) {
	st, err := s.acquire(ctx, false)
	if err != nil {
		return Token{}, s.loginError(err)
	}
	t := st.bearer.Token
	t.RefreshToken, t.RefreshExpiry = st.token.RefreshToken, st.token.RefreshExpiry // the latest of the same login
	return t, nil
}

// loginError makes an error of [Session.acquire] one for the user who asked for a login.
func (s *Session) loginError(err error) error {
	var e *ended
	if !errors.As(err, &e) {
		return err
	}
	var rejected *rejection
	if e.now && e.cause != nil && !errors.As(e.cause, &rejected) {
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
	if b := s.state().bearer; b != nil {
		return "authn.Session(token until " + b.Expiry.Format(time.RFC3339) + ")"
	}
	return "authn.Session(no token yet)"
}

// Format writes [Session.String] for every verb of package fmt.
func (s *Session) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, s.String()) }

// LogValue returns [Session.String].
func (s *Session) LogValue() slog.Value { return slog.StringValue(s.String()) }
