package authn

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/mangadex-go/mangadex/internal/operation"
)

// Edit puts the token on a request to the API, after a renewal if one is due. It is a request editor
// for any client that oapi-codegen has generated:
//
//	client, err := mybindings.NewClient(server, mybindings.WithRequestEditorFn(session.Edit))
//
// Operations that need no token get none; those that may have one get one if the session has it or can
// get it; those that need one fail with an [UnauthorizedError] if the session has nothing to log in
// with. [ContextWithToken] and [ContextWithoutToken] override that for one call. A request that is not
// for the API server of the session never gets the token. A request that has an Authorization header
// keeps it.
//
// An editor does not see answers, so it cannot know that a token was refused. Therefore, before a
// request that is the same as the last one, and once a minute, Edit asks GET /auth/check, and renews a
// token that MangaDex no longer knows. [WithoutCheck] turns this off. [Use] and [Transport] see the
// answers, and repeat by themselves.
func (s *Session) Edit(ctx context.Context, req *http.Request) error {
	if err := s.mark(ctx, req); err != nil || s.withoutCheck {
		return err
	}
	st := s.now.Load()
	if b := st.bearer; b != nil && s.repeat.suspicious(req, b) && isMarked(req, b) {
		if !s.look(ctx, b, 0) {
			delete(req.Header, "Authorization")
			return s.mark(ctx, req)
		}
	}
	return nil
}

// mark puts the token on a request.
func (s *Session) mark(ctx context.Context, req *http.Request) error {
	wanted, required := wantsToken(ctx, req)
	if !wanted {
		return nil
	}
	if _, given := req.Header["Authorization"]; given {
		return nil
	}
	if !s.server.ContainsRequest(req) {
		if !required {
			return nil
		}
		return fmt.Errorf("authn: %s %s goes to %s://%s, but the tokens of the session are for %s only; see WithAPIServer", req.Method, req.URL.Path, req.URL.Scheme, req.URL.Host, s.server)
	}
	b := s.now.Load().bearer
	if b == nil || !b.fresh() {
		var err error
		if b, err = s.token(ctx, required); err != nil {
			if e := (*ended)(nil); errors.As(err, &e) {
				return e.refuse(req.Method, s.server.Relative(req.URL))
			}
			return err
		}
		if b == nil {
			return nil
		}
	}
	if req.Header == nil {
		req.Header = make(http.Header, 1)
	}
	req.Header["Authorization"] = []string{b.header}
	return nil
}

func isMarked(req *http.Request, b *bearer) bool {
	header := req.Header["Authorization"]
	return len(header) == 1 && header[0] == b.header
}

// token returns a token for a call. A call that can do without has none rather than an error, and
// does not wait for long.
func (s *Session) token(ctx context.Context, required bool) (*bearer, error) {
	if !required {
		wait := optionalWait
		if deadline, ok := ctx.Deadline(); ok {
			wait = min(wait, time.Until(deadline)/2)
		}
		short, cancel := context.WithTimeout(ctx, wait)
		defer cancel()
		st, err := s.acquire(short, false)
		if goodEnough(st, err) != nil {
			return nil, nil
		}
		return st.bearer, nil
	}
	st, err := s.acquire(ctx, false)
	return st.bearer, goodEnough(st, err)
}

// goodEnough is the error of a call that has a token: that it could not be saved is none, because the
// session saves it as soon as it can.
func goodEnough(st state, err error) error {
	if st.bearer != nil && errors.Is(err, ErrNotSaved) {
		return nil
	}
	return err
}

// wantsToken reports whether a request may have a token, and whether it needs one.
func wantsToken(ctx context.Context, req *http.Request) (wanted, required bool) {
	switch modeOf(ctx) {
	case withoutToken:
		return false, false
	case withToken:
		return true, true
	}
	if op := operation.Of(req); op != nil {
		return op.Auth != operation.AuthNone, op.Auth == operation.AuthRequired
	}
	return true, false
}

// repeats remembers the request that Edit has marked last, by a hash.
type repeats struct {
	seed maphash.Seed
	last atomic.Uint64
}

const (
	lookEvery   = time.Minute // how often Edit asks about a token at least
	longestLook = 5 * time.Second
)

// suspicious reports whether the token of a request may have been refused without our knowing it: the
// same request comes again, or a minute has passed since the API has known the token. Every call asks
// this, so the clock is read once a second, as by fresh.
func (r *repeats) suspicious(req *http.Request, b *bearer) bool {
	looks := b.looks.Load()
	if looks < freeLooks {
		hash := maphash.String(r.seed, req.URL.Path) ^ uint64(len(req.Method))
		if r.last.Load() == hash {
			return true
		}
		r.last.Store(hash)
	}
	second := b.seconds.Load()
	if b.sampled.Load() == second {
		return false
	}
	b.sampled.Store(second)
	if looks < freeLooks {
		return b.unknownFor(lookEvery)
	}
	return b.unknownFor(b.lookPause())
}

// freeLooks is how often the API is asked about a token without a pause.
const freeLooks = 4

// lookPause is how long the API is not asked about a token after it has known it: some looks are free,
// the others are ever rarer.
func (b *bearer) lookPause() time.Duration {
	looks := b.looks.Load()
	if looks < freeLooks {
		return 0
	}
	return min(shortestPause<<min(looks-freeLooks, 6), lookEvery)
}

// look asks the API whether it knows a token, if it has not said so for a while. It returns false if
// it does not. Only a clear no counts.
func (s *Session) look(ctx context.Context, b *bearer, atLeast time.Duration) (good bool) {
	if atLeast > 0 && !b.unknownFor(atLeast) {
		return true
	}
	b.looks.Add(1)
	ctx, cancel := context.WithTimeout(ctx, longestLook)
	defer cancel()
	if _, err := s.check(ctx, b); errors.As(err, new(*rejection)) {
		s.doubt(b)
		return false
	}
	b.isKnown() // or nobody can tell: it is not asked again at once
	return true
}
