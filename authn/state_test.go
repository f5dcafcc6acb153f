package authn

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
)

// What follows needs no server, no store and no clock. Each transition of a state has its rows.

var t0 = time.Date(2026, 5, 7, 12, 0, 0, 0, time.UTC)

// far is a token that is good for the length of any test, by the clock of the machine.
func far(access, refresh string) Token {
	return Token{AccessToken: access, RefreshToken: refresh, Expiry: time.Now().Add(time.Hour)}
}

func inUse(access string) *bearer { return newBearer(far(access, ""), time.Now()) }

// spent is a bearer that must not be sent any more; nearly is one that should be renewed.
func spent() *bearer { return newBearer(Token{AccessToken: "spent"}, time.Now().Add(-time.Hour)) }

func nearly() *bearer {
	return newBearer(Token{AccessToken: "nearly", Expiry: time.Now().Add(30 * time.Second)}, time.Now().Add(-14*time.Minute-30*time.Second))
}

var (
	secret  = known("reader", "secret")
	refuse  = &TokenError{Operation: "refresh", Code: "invalid_grant", reasons: []error{ErrRefreshTokenRefused}}
	wrong   = &TokenError{Operation: "login", Code: "invalid_grant", reasons: []error{ErrWrongPassword}}
	down    = &TokenError{Operation: "refresh", StatusCode: 503, Retryable: true, reasons: []error{ErrUnavailable}}
	noScope = &TokenError{Operation: "refresh", Code: "invalid_scope"}
)

func TestNext(t *testing.T) {
	t.Parallel()
	paused := func(of string, err error) pause { return pause{}.after(of, err, t0, 0, false) }
	for name, test := range map[string]struct {
		state state
		after time.Duration
		asked bool
		want  credential
		waits bool
	}{
		"nothing":                                 {state{}, 0, false, nothing, false},
		"refresh token":                           {state{token: far("a", "r")}, 0, false, refreshToken, false},
		"password":                                {state{password: secret}, 0, false, ownPassword, false},
		"refresh token before password":           {state{token: far("a", "r"), password: secret}, 0, false, refreshToken, false},
		"barred password":                         {state{password: secret, barred: true}, 0, false, nothing, false},
		"server fails":                            {state{token: far("a", "r"), server: paused("", down)}, 0, false, refreshToken, true},
		"server failed a second ago":              {state{token: far("a", "r"), server: paused("", down)}, time.Second, false, refreshToken, false},
		"server fails, asked":                     {state{token: far("a", "r"), server: paused("", down)}, 0, true, refreshToken, false},
		"refresh token refused":                   {state{token: far("a", "r"), refresh: paused(fingerprint("r"), refuse)}, 0, false, refreshToken, true},
		"refresh token refused, asked":            {state{token: far("a", "r"), refresh: paused(fingerprint("r"), refuse)}, 0, true, refreshToken, true},
		"password, were it not for the token":     {state{token: far("a", "r"), password: secret}.withoutRefresh(), 0, false, ownPassword, false},
		"refresh token refused a second ago":      {state{token: far("a", "r"), refresh: paused(fingerprint("r"), refuse)}, time.Second, false, refreshToken, false},
		"another refresh token":                   {state{token: far("a", "r"), refresh: paused(fingerprint("other"), refuse)}, 0, false, refreshToken, false},
		"refresh token disliked, with password":   {state{token: far("a", "r"), password: secret, refresh: paused(fingerprint("r"), noScope)}, 0, false, ownPassword, false},
		"both fail":                               {state{token: far("a", "r"), password: secret, refresh: paused(fingerprint("r"), noScope), logins: pauses{}.with(paused(secret.fingerprint(), noScope))}, 0, false, ownPassword, true},
		"password failed":                         {state{password: secret, logins: pauses{}.with(paused(secret.fingerprint(), noScope))}, 0, false, ownPassword, true},
		"password failed, asked":                  {state{password: secret, logins: pauses{}.with(paused(secret.fingerprint(), noScope))}, 0, true, ownPassword, false},
		"another password failed":                 {state{password: secret, logins: pauses{}.with(paused(known("reader", "x").fingerprint(), noScope))}, 0, false, ownPassword, false},
		"refresh token disliked, barred password": {state{token: far("a", "r"), password: secret, barred: true, refresh: paused(fingerprint("r"), noScope)}, 0, false, refreshToken, true},
	} {
		c, err := test.state.next(t0.Add(test.after), test.asked)
		if c != test.want || (err != nil) != test.waits {
			t.Errorf("%s: %v, %v; want %v", name, c, err, test.want)
		}
	}
}

func TestPlan(t *testing.T) {
	t.Parallel()
	now := time.Now()
	failing := pause{}.after("", down, now, time.Minute, false)
	for name, test := range map[string]struct {
		state state
		want  action
		err   error
	}{
		"fresh":                              {state{bearer: inUse("a")}, useIt, nil},
		"fresh, closed":                      {state{bearer: inUse("a"), closed: true}, useIt, nil},
		"near the end":                       {state{bearer: nearly(), token: far("a", "r")}, useAhead, nil},
		"near the end, without means":        {state{bearer: nearly()}, useIt, nil},
		"near the end, closed":               {state{bearer: nearly(), token: far("a", "r"), closed: true}, useIt, nil},
		"near the end, server fails":         {state{bearer: nearly(), token: far("a", "r"), server: failing}, useIt, nil},
		"near the end, store fails":          {state{bearer: nearly(), token: far("a", "r"), saving: failing}, useIt, nil},
		"at the end":                         {state{bearer: spent(), token: far("a", "r")}, renewIt, nil},
		"none":                               {state{token: far("a", "r")}, renewIt, nil},
		"none, store fails":                  {state{token: far("a", "r"), saving: failing}, renewIt, nil},
		"closed":                             {state{token: far("a", "r"), closed: true}, giveUp, ErrClosed},
		"anonymous":                          {state{token: far("a", "r"), anonymous: true}, giveUp, nil},
		"server fails":                       {state{token: far("a", "r"), server: failing}, giveUp, ErrUnavailable},
		"nothing":                            {state{}, giveUp, nil},
		"nothing, and a store":               {state{hasStore: true}, renewIt, nil},
		"nothing, and a store that was seen": {state{hasStore: true}.exhausted(now), giveUp, nil},
	} {
		action, err := test.state.plan(now, false)
		if action != test.want || test.err != nil && !errors.Is(err, test.err) {
			t.Errorf("%s: %v, %v; want %v, %v", name, action, err, test.want, test.err)
		}
		if action == giveUp && err == nil || action != giveUp && err != nil {
			t.Errorf("%s: %v, %v", name, action, err)
		}
	}
	_, err := state{anonymous: true, password: secret}.plan(now, false)
	if e := (*ended)(nil); !errors.As(err, &e) || !e.anonymous {
		t.Errorf("anonymous with a password: %v, which does not say that Login may help", err)
	}
	_, err = state{anonymous: true}.plan(now, false)
	if e := (*ended)(nil); !errors.As(err, &e) || e.anonymous {
		t.Errorf("anonymous with nothing: %v, which says that Login may help", err)
	}
	if _, err := (state{cause: refuse}).plan(now, false); !errors.Is(err.(*ended).cause, ErrRefreshTokenRefused) {
		t.Errorf("the cause is lost: %v", err)
	}
}

func TestFound(t *testing.T) {
	t.Parallel()
	now := time.Now()
	given := state{token: Token{RefreshToken: "given"}, hasStore: true}
	stored := far("stored", "kept")
	if got := given.found(Token{}, now); got.token.RefreshToken != "given" || got.spare != "" {
		t.Errorf("an empty store: %+v", got.token)
	}
	got := given.found(stored, now)
	if got.token != stored || got.spare != "given" || got.bearer == nil || got.stored != stored {
		t.Errorf("a token in the store: %+v", got)
	}
	if again := got.found(stored, now); again.bearer != got.bearer || len(again.headers) != 1 {
		t.Error("what is known is taken for news")
	}
	if got := given.found(Token{RefreshToken: "given"}, now); got.spare != "" || got.bearer != nil {
		t.Errorf("the same token in the store: %+v", got)
	}
	if got := given.found(Token{AccessToken: "a", RefreshToken: "kept", Expiry: now.Add(-time.Second)}, now); got.bearer != nil || got.token.RefreshToken != "kept" {
		t.Errorf("an access token that has expired: %+v", got)
	}
	logged := given.granted(far("own", "own")).saved(far("own", "own"))
	logged.looks, logged.refresh = 1, pause{}.after("x", refuse, t0, 0, false)
	logged = logged.accepted(inUse("own"), Permissions{"p"})
	other := logged.found(stored, now)
	if other.spare != "" || other.looks != 0 || other.refresh.times != 0 || other.unsaved || other.permissions != nil {
		t.Errorf("of another process: %+v", other)
	}
	if _, ours := other.turnedDown("Bearer own", now); ours {
		t.Error("what was sent for another login would be sent again for this one")
	}
	renewed := stored
	renewed.RefreshToken, renewed.AccessToken, renewed.Login = "next", "next", loginOf(stored)
	if next := got.found(renewed, now); next.permissions != nil || len(next.headers) != 2 {
		t.Errorf("a renewal of another process: %v", next.headers)
	}
}

func TestGrantedAndSaved(t *testing.T) {
	t.Parallel()
	failed := pause{}.after("", down, t0, 0, false)
	st := state{hasStore: true, spare: "s", looks: 1, server: failed, refresh: failed, logins: pauses{failed}}
	one, two := far("one", "1"), far("two", "2")
	st = st.granted(one)
	if st.token != one || !st.unsaved || st.spare != "" || st.looks != 0 || st.server.times+st.refresh.times+len(st.logins) != 0 {
		t.Errorf("granted: %+v", st)
	}
	if (state{}).granted(one).unsaved {
		t.Error("unsaved without a store")
	}
	if full := st.notSaved(ErrNotSaved, t0); !full.unsaved || full.saving.left(t0) != time.Second {
		t.Errorf("not saved: %+v", full.saving)
	}
	if st := st.notSaved(ErrNotSaved, t0).saved(one); st.unsaved || st.stored != one || st.saving.times != 0 {
		t.Errorf("saved: %+v", st)
	}
	if st := st.granted(two).saved(one); !st.unsaved {
		t.Error("an older token was saved, and the newer one is thought to be")
	}
	if st := st.proven(two); st.token != two || st.stored != two || st.unsaved || st.saving.times != 0 {
		t.Errorf("proven: %+v", st)
	}
	why := errors.New("of somebody else")
	if st := st.foreign(why); st.unsaved || st.cause != why {
		t.Errorf("foreign: %+v", st)
	}
	if st := (state{cause: refuse}).foreign(why); st.cause != refuse {
		t.Errorf("an older cause is lost: %v", st.cause)
	}
}

func TestAccepted(t *testing.T) {
	t.Parallel()
	st := state{cause: refuse, permissions: Permissions{"old"}}
	st = st.accepted(inUse("a"), nil)
	if st.cause != nil || !st.permissions.Has("old") {
		t.Errorf("%+v", st)
	}
	if st = st.accepted(inUse("b"), Permissions{"new"}); !st.permissions.Has("new") {
		t.Errorf("%+v", st)
	}
	kept := st.headers
	for _, name := range []string{"c", "d", "e"} {
		st = st.accepted(inUse(name), nil)
	}
	if len(st.headers) != 4 || st.headers[0] != "Bearer b" || len(kept) != 2 {
		t.Errorf("headers: %v, and those of the state before: %v", st.headers, kept)
	}
	if st := (state{closed: true}).accepted(inUse("a"), nil); st.bearer != nil {
		t.Error("a closed session has got another token")
	}
	b := inUse("x")
	if st := (state{bearer: b}).checked(b, Permissions{"p"}); !st.permissions.Has("p") {
		t.Error("checked")
	}
	if st := (state{bearer: inUse("y")}).checked(b, Permissions{"p"}); st.permissions != nil {
		t.Error("the permissions of an older token")
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	st := state{token: Token{AccessToken: "a", RefreshToken: "r", Login: "l", RefreshExpiry: t0}, bearer: inUse("a")}
	once, dropped := st.refused(refreshToken, refuse, t0, false)
	if dropped || once.token != st.token || once.refresh.left(t0) != time.Second || once.cause != refuse || once.bearer == nil {
		t.Errorf("once: %+v", once)
	}
	twice, dropped := once.refused(refreshToken, refuse, t0.Add(time.Second), false)
	if !dropped || twice.token != (Token{AccessToken: "a"}) || twice.means() || twice.looks != 0 || twice.refresh.times != 0 || twice.bearer == nil {
		t.Errorf("twice: %+v", twice)
	}
	st.password = secret
	if got, dropped := st.refused(refreshToken, refuse, t0, false); !dropped || got.token.RefreshToken != "" {
		t.Errorf("with a password: %+v", got)
	}
	st.password, st.spare = credentials{}, "given"
	if got, dropped := st.refused(refreshToken, refuse, t0, false); !dropped || got.token.RefreshToken != "given" || got.spare != "" {
		t.Errorf("with another one: %+v", got)
	}
	st = state{password: secret}
	got, dropped := st.refused(ownPassword, wrong, t0, true)
	if dropped || !got.barred || got.cause != wrong || got.logins[0].left(t0) != time.Second || !got.logins[0].asked || got.server.times != 0 {
		t.Errorf("password: %+v", got)
	}
	patient := *refuse
	patient.RetryAfter = time.Minute
	got, _ = state{token: far("a", "r"), password: secret}.refused(refreshToken, &patient, t0, false)
	if c, err := got.next(t0, true); c != ownPassword || !errors.Is(err, ErrUnavailable) || errors.Is(err, ErrUnauthorized) {
		t.Errorf("the server wants to be left alone: %v, %v", c, err)
	}
}

func TestFailures(t *testing.T) {
	t.Parallel()
	st := state{}.failed(down, t0, true)
	if st.server.left(t0) != time.Second || !st.server.asked || st.server.told {
		t.Errorf("failed: %+v", st.server)
	}
	late := *down
	late.RetryAfter = time.Minute
	if st := (state{}).failed(&late, t0, false); st.server.left(t0) != time.Minute || !st.server.told {
		t.Errorf("failed, and told when to come back: %+v", st.server)
	}
	if st := (state{token: far("a", "r")}).disliked(refreshToken, noScope, t0, false); st.refresh.of != fingerprint("r") || st.logins != nil || st.server.times != 0 {
		t.Errorf("disliked: %+v", st)
	}
	if st := (state{password: secret}).disliked(ownPassword, noScope, t0, false); st.logins[0].of != secret.fingerprint() || st.refresh.times != 0 {
		t.Errorf("disliked password: %+v", st)
	}
	other := known("writer", "x")
	for err, wantServer := range map[error]bool{wrong: false, noScope: false, down: true, context.Canceled: false} {
		st := state{password: secret}.denied(other, err, t0)
		if (st.server.times == 1) != wantServer || (len(st.logins) == 1) == wantServer || st.barred {
			t.Errorf("denied because of %v: %+v", err, st)
		}
		if st.mayTry(other, t0) == nil || !wantServer && st.mayTry(secret, t0) != nil || st.mayTry(other, t0.Add(time.Second)) != nil {
			t.Errorf("who may try after %v?", err)
		}
	}
}

func TestTurnedDown(t *testing.T) {
	t.Parallel()
	b := inUse("a")
	st := state{}.accepted(b, nil)
	got, ours := st.turnedDown(b.header, t0)
	if !ours || got.bearer != nil {
		t.Errorf("the token in use: %v, %v", got.bearer, ours)
	}
	next := st.accepted(inUse("b"), nil)
	if got, ours := next.turnedDown(b.header, t0); !ours || got.bearer != next.bearer {
		t.Errorf("the one before: %v, %v", got.bearer, ours)
	}
	if got, ours := st.turnedDown("Bearer x", t0); ours || got.bearer != b {
		t.Errorf("of somebody else: %v, %v", got.bearer, ours)
	}
	useless := st.ofNoUse(b.header, t0)
	if got, ours := useless.turnedDown(b.header, t0); ours || got.bearer != b {
		t.Errorf("a new token was of no use a moment ago: %v, %v", got.bearer, ours)
	}
	if got, ours := useless.turnedDown(b.header, t0.Add(time.Second)); !ours || got.bearer != nil {
		t.Errorf("a second later: %v, %v", got.bearer, ours)
	}
	if st := st.ofNoUse("Bearer x", t0); st.again.times != 0 {
		t.Error("an older token was of no use")
	}
	if st := useless.ofUse(); st.again.times != 0 {
		t.Error("of use")
	}
	if st.doubted(b).bearer != nil || next.doubted(b).bearer == nil {
		t.Error("doubted")
	}
}

func TestEnds(t *testing.T) {
	t.Parallel()
	full := state{
		epoch: 3, hasStore: true, password: secret, barred: true, token: far("a", "r"), spare: "s", stored: far("a", "r"), unsaved: true,
		bearer: inUse("a"), headers: []string{"Bearer a"}, permissions: Permissions{"p"}, cause: refuse, server: pause{times: 1}, logins: pauses{{times: 2}},
	}
	if st := full.rejected(wrong); !st.anonymous || st.cause != wrong || st.bearer != nil || st.permissions != nil || !st.means() {
		t.Errorf("rejected: %+v", st)
	}
	if st := full.exhausted(t0); st.lookAt != t0.Add(lookPause) {
		t.Errorf("exhausted: %v", st.lookAt)
	}
	other, token, stored := known("writer", "x"), far("b", "q"), far("c", "p")
	st := full.replaced(other, token, stored)
	if st.epoch != 4 || st.token != token || st.stored != stored || !st.unsaved || st.password.username != "writer" || st.barred || st.bearer != nil || st.headers != nil || st.permissions != nil || st.cause != nil || st.anonymous || st.spare != "" {
		t.Errorf("replaced: %+v", st)
	}
	if full.shut().replaced(other, token, stored).closed != true || full.shut().forgotten(false).closed != true {
		t.Error("a closed session is open again")
	}
	st = full.forgotten(false)
	if st.epoch != 4 || !st.anonymous || st.means() || st.token != (Token{}) || st.stored != (Token{}) || st.bearer != nil || st.password.given() || st.cause != nil || !st.hasStore {
		t.Errorf("forgotten: %+v", st)
	}
	if st.server.times != 1 || st.logins[0].times != 2 {
		t.Error("a logout is a way around a pause")
	}
	if st := full.forgotten(true); st.password.username != "reader" || st.barred {
		t.Errorf("forgotten, with the credentials kept: %+v", st)
	}
	full.anonymous, full.lookAt = true, t0
	if st := full.awake(); st.anonymous || st.barred || !st.lookAt.IsZero() {
		t.Errorf("awake: %+v", st)
	}
	if st := full.shut(); !st.closed || st.bearer == nil {
		t.Errorf("shut: %+v", st)
	}
}

func TestPause(t *testing.T) {
	t.Parallel()
	var p pause
	now := t0
	total := 0
	for n, want := range []time.Duration{1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300} {
		p = p.after("x", down, now, 0, false)
		if got := p.left(now); got != want*time.Second {
			t.Errorf("after %d failures: %v, want %v", n+1, got, want*time.Second)
		}
		if p.ends("x", "refresh", now, false) == nil || p.ends("x", "refresh", now.Add(want*time.Second), false) != nil {
			t.Errorf("after %d failures: an attempt too early, or none in time", n+1)
		}
		now = now.Add(want * time.Second)
		if now.Sub(t0) <= time.Minute {
			total++
		}
	}
	if total > 9 {
		t.Errorf("%d attempts in the first minute", 1+total)
	}
	p = pause{}.after("x", down, t0, time.Hour, false)
	if got := p.left(t0); got != time.Hour || p.ends("x", "refresh", t0, true) == nil {
		t.Errorf("the server wants an hour: %v", got)
	}
	if p.left(t0.Add(-time.Minute)) != 0 || p.left(t0.Add(24*time.Hour)) != 0 {
		t.Error("a clock that is set makes the pause last")
	}
	if p := (pause{}).after("x", down, time.Now(), 0, false); strings.Contains(p.since.String()+p.until.String(), "m=") {
		t.Error("the pause goes by the monotonic clock, which stands still while a computer sleeps")
	}
	if fingerprint("ab", "c") == fingerprint("a", "bc") {
		t.Error("one fingerprint for two credentials")
	}
	if p := p.after("y", down, t0, 0, false); p.times != 1 {
		t.Error("something else has a pause of its own")
	}
	p = pause{}.after("x", wrong, t0, 0, false)
	if p.ends("x", "login", t0, true) != nil {
		t.Error("the user may not ask at once")
	}
	if p = p.after("x", wrong, t0, 0, true); p.ends("x", "login", t0, true) == nil {
		t.Error("the user may ask without end")
	}
	var e *TokenError
	if err := p.ends("x", "login", t0.Add(500*time.Millisecond), false); !errors.As(err, &e) || e.RetryAfter != 1500*time.Millisecond || !errors.Is(err, ErrWrongPassword) || wrong.RetryAfter != 0 {
		t.Errorf("got %#v", err)
	}
	many := pauses{}
	for n := range 20 {
		many = many.with(pause{}.after(fmt.Sprint(n), wrong, t0, 0, false)).with(pause{}.after("x", wrong, t0, 0, false))
	}
	if len(many) != 8 || many.of("x").times != 1 || many.of("19").times != 1 || many.of("1").times != 0 {
		t.Errorf("%d passwords are remembered", len(many))
	}
	p = pause{}.after("x", errors.New("no terminal"), t0, 0, false)
	if err := p.ends("x", "login", t0, false); err == nil || err.Error() != "no terminal; the next attempt is in 1s" {
		t.Errorf("got %v", err)
	}
}
