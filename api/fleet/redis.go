package fleet

import (
	"context"
	"crypto/fips140"
	_ "embed" // for the scripts
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/mangadex-go/mangadex/api/transport"
)

var (
	//go:embed place.lua
	placeSource string
	//go:embed back.lua
	backSource string
	//go:embed learn.lua
	learnSource string
	//go:embed lend.lua
	lendSource string
	//go:embed report.lua
	reportSource string

	placeScript  = script(&placeSource)
	backScript   = script(&backSource)
	learnScript  = script(&learnSource)
	lendScript   = script(&lendSource)
	reportScript = script(&reportSource)
)

// script returns a script that is made when it is first used, because making it takes a hash. That names
// the script in Redis and protects nothing, so that it may be one that FIPS 140 does not approve of.
func script(source *string) func() *redis.Script {
	return sync.OnceValue(func() (made *redis.Script) {
		fips140.WithoutEnforcement(func() { made = redis.NewScript(*source) })
		return made
	})
}

// run runs a script, and waits for its answer until ctx ends and no longer. The client goes on by its own
// times, unless it was made with ContextTimeoutEnabled, so that the script may yet run when nobody waits for
// its answer any more; and it may have run when an error comes instead of its answer. When that is over, undo
// is called, which may be nil.
func run(ctx context.Context, client redis.UniversalClient, script *redis.Script, keys []string, undo func(), args ...any) (any, error) {
	type answer struct {
		value any
		err   error
	}
	heard := make(chan answer) // so that either it is heard, or undone
	go func() {
		value, err := script.Run(ctx, client, keys, args...).Result()
		select {
		case heard <- answer{value, err}:
			if err == nil {
				return
			}
		case <-ctx.Done():
		}
		if undo != nil {
			undo()
		}
	}()
	select {
	case a := <-heard:
		return a.value, a.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// key is a name in Redis. What is in braces decides where in a cluster it is, which is one place for
// all.
func (l *Limiter) key(name string) string { return "{" + l.prefix + "}:" + name }

// keys are those that a call is about.
func (l *Limiter) keys(call transport.Call) []string {
	keys := []string{l.key("state"), l.key("all"), l.key("lent")}
	if limited(call) {
		keys = append(keys, l.key("bucket:"+call.Bucket()))
	}
	return keys
}

// askPlace asks Redis for a place. Errors of Redis are a redisError.
func (l *Limiter) askPlace(ctx context.Context, r *reservation) (place, error) {
	period := margin(l.period)
	step := period * 9 / 10 / time.Duration(l.requests) // faster than the allowance, which decides in the long run
	requests, own := 0, time.Duration(0)
	if limited(r.call) {
		requests, own = r.call.Limit.Requests, margin(r.call.Limit.Per)
	}
	member := l.member()
	keys := l.keys(r.call)
	turn := l.sending.held()
	memory, last := l.sending.known()
	asking, cancel := context.WithTimeout(ctx, l.timeout)
	defer cancel()
	asked := time.Now()
	lent, lends := l.loans.held(asked), l.lends(r.call)
	args := []any{
		member, max(r.ends.Sub(asked), 0).Microseconds(), l.requests, period.Microseconds(), max(step.Microseconds(), 1),
		r.call.Bucket(), requests, own.Microseconds(), l.process, turn, l.turns, loan.Microseconds(), lends, memory, last,
	}
	for _, one := range lent {
		args = append(args, one)
	}
	giveBack := func() { l.giveBack(keys, member) }
	answer, err := run(asking, l.redis, placeScript(), keys, giveBack, args...)
	heard := time.Now()
	if err != nil {
		if ctx.Err() != nil {
			return place{}, ctx.Err()
		}
		return place{}, redisError{clean(err)}
	}
	got, err := parse(answer)
	if err != nil {
		return place{}, redisError{err}
	}
	wait := got.wait
	if got.verdict == "lost" {
		l.sending.recall(got.memory)
		return place{}, errRedisForgot
	}
	l.loans.lend(asked, lent...)
	far := lends && wait > loan // as the script sees it
	l.sending.agree(got, far, heard)
	switch got.verdict {
	case "ban":
		l.mu.Lock()
		defer l.mu.Unlock()
		if l.shared.banned == nil || !heard.Before(l.shared.ban) {
			l.shared.ban = heard.Add(wait)
			l.shared.banned = &transport.BannedError{RetryAt: l.shared.ban}
		}
		return place{}, l.shared.banned
	case "late":
		return place{}, r.late(heard.Add(wait))
	}
	l.sending.note(r.call, heard.Add(wait), member)
	p := place{wait: wait, giveBack: giveBack}
	if far {
		p.lent = member
		l.loans.begin(member, asked)
	}
	return p, nil
}

// placed is the answer of the script.
type placed struct {
	verdict string        // place, late or ban
	wait    time.Duration // until the place, or the end of the ban
	clock   int64         // of Redis, in microseconds
	turn    int           // of this process; -1: none
	pause   time.Duration // that is left of one of everything
	memory  string        // of Redis: another one if it has lost what it was told
}

func parse(value any) (placed, error) {
	answer, _ := value.([]any)
	if len(answer) == 6 {
		verdict, ok1 := answer[0].(string)
		wait, ok2 := answer[1].(int64)
		text, ok3 := answer[2].(string)
		turn, ok4 := answer[3].(int64)
		pause, ok5 := answer[4].(int64)
		memory, ok6 := answer[5].(string)
		clock, err := strconv.ParseInt(text, 10, 64)
		if ok1 && ok2 && ok3 && ok4 && ok5 && ok6 && err == nil {
			return placed{verdict, time.Duration(wait) * time.Microsecond, clock, int(turn), time.Duration(pause) * time.Microsecond, memory}, nil
		}
	}
	return placed{}, fmt.Errorf("the script answered %v", value)
}

// giveBack gives the places of a request back, also for a caller that has gone.
func (l *Limiter) giveBack(keys []string, member string) {
	l.sending.forget(member)
	ctx, cancel := context.WithTimeout(context.Background(), l.timeout)
	defer cancel()
	_, _ = run(ctx, l.redis, backScript(), keys, nil, member) // what is not given back comes back by itself
}

// clean takes what is nobody's business out of an error of Redis: passwords are never in it, but
// commands with their arguments may be.
func clean(err error) error {
	var network net.Error
	switch {
	case strings.Contains(err.Error(), "unauthenticated multibulk"): // of a script, before it is read
		return errors.New("NOAUTH Authentication required")
	case errors.As(err, &network), !strings.Contains(err.Error(), "script"):
		return err
	}
	text, _, _ := strings.Cut(err.Error(), ", script")
	text, _, _ = strings.Cut(text, " script: ") // of Redis 7, with the hash of the script
	return errors.New(strings.TrimSuffix(text, "."))
}

// advice says what to do about an error of Redis.
func advice(err error) string {
	for _, one := range []struct{ sign, advice string }{
		{"WRONGTYPE", "something else is kept there; choose another prefix or key"},
		{"READONLY", "it is a replica; use the server that it copies"},
		{"NOPERM", "its user may not do that; give it EVAL, EVALSHA, the keys and what the scripts call"},
		{"The user executing the script", "its user may not do that; give it what the scripts call"},
		{"OOM", "make room there, or give it more memory"},
		{"MOVED", "it is one of a cluster; use redis.NewClusterClient"},
		{"cluster support disabled", "it is none of a cluster; use redis.NewClient"},
	} {
		if strings.Contains(err.Error(), one.sign) {
			return one.advice
		}
	}
	return "check that it runs, its password, and whether it wants TLS"
}

// addressOf is the address of Redis, empty where only the client knows it.
func addressOf(client redis.UniversalClient) string {
	switch client := client.(type) {
	case *redis.Client:
		if addr := client.Options().Addr; addr != "FailoverClient" { // of which Sentinels tell
			return addr
		}
	case *redis.ClusterClient:
		return strings.Join(client.Options().Addrs, ", ")
	}
	return ""
}

// at is where Redis is, as a part of a sentence.
func at(address string) string {
	if address == "" {
		return ""
	}
	return " at " + address
}
