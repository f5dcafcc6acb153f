package fleet

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/mangadex-go/mangadex/api/transport"
	"github.com/mangadex-go/mangadex/internal/given"
)

// A Limiter is a [transport.Limiter] whose allowances are in Redis. [NewLimiter] makes one. It is
// safe for use by many goroutines, and by several clients at once.
//
// In no period do all processes together send more than its allowance, by the clock of Redis. Queued
// requests are spaced evenly.
type Limiter struct {
	redis redis.UniversalClient
	limiterSettings

	process string // in Redis
	serial  atomic.Uint64

	mu      sync.Mutex
	lines   map[string]*line
	shared  state
	sending share
	loans   loans
}

// state is what this process knows of Redis. It is replaced as a whole.
type state struct {
	ban    time.Time // until when nothing is sent, because the address is banned
	banned error
	away   time.Time // since when Redis is away; zero: it is not
	probe  time.Time // when it is asked again
	cause  error
}

// NewLimiter returns a limiter on a Redis server, a cluster, or servers that Sentinels watch. It sends
// nothing; Redis may come up later.
func NewLimiter(client redis.UniversalClient, options ...LimiterOption) (*Limiter, error) {
	if given.Nil(client) {
		return nil, errors.New("fleet: the client of Redis is nil; make one with redis.NewClient")
	}
	l := &Limiter{
		redis:           client,
		limiterSettings: limiterSettings{prefix: "mangadex", requests: 5, period: time.Second, timeout: 2 * time.Second},
		process:         rand.Text(), lines: map[string]*line{}, loans: loans{until: map[string]time.Time{}},
	}
	if err := given.Options(&l.limiterSettings, options); err != nil {
		return nil, err
	}
	l.sending = newShare(l.requests, margin(l.period), l.turns)
	return l, nil
}

// margin is the length of a period with what is added for the differences between the times on the
// way, as a LocalLimiter does.
func margin(period time.Duration) time.Duration { return period + period/100 }

// Wait implements [transport.Limiter].
func (l *Limiter) Wait(ctx context.Context, call transport.Call, maxWait time.Duration) error {
	_, err := l.Reserve(ctx, call, maxWait, nil)
	return err
}

// Reserve implements [transport.Reserver]. If Redis is away and there is no local share, the error is
// an [UnavailableError].
func (l *Limiter) Reserve(ctx context.Context, call transport.Call, maxWait time.Duration, waiting func(until time.Time)) (giveBack func(), err error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	r := &reservation{l: l, call: call, ends: time.Now().Add(maxWait), maxWait: maxWait, waiting: waiting}
	if deadline, ok := ctx.Deadline(); ok && deadline.Before(r.ends) {
		r.ends, r.byDeadline = deadline, true
	}
	queue := l.line(call)
	if calls, until := queue.ahead(); calls > 0 {
		// Those ahead need a step each at least.
		earliest := time.Now()
		if until.After(earliest) {
			earliest = until
		}
		earliest = earliest.Add(time.Duration(calls) * l.step(call))
		if earliest.After(r.ends) {
			return nil, r.late(earliest)
		}
		r.tell(earliest)
	}
	patient, cancel := context.WithDeadline(ctx, r.ends)
	defer cancel()
	if err := queue.enter(patient); err != nil {
		if errors.Is(ctx.Err(), context.Canceled) {
			return nil, ctx.Err()
		}
		return nil, r.late(time.Now().Add(l.step(call)))
	}
	defer queue.leave()
	for missed := 0; ; {
		place, err := l.place(ctx, r)
		if err != nil {
			return nil, err
		}
		until := time.Now().Add(place.wait)
		queue.waits(until)
		if place.wait > 0 {
			r.tell(until)
		}
		if place.notYet {
			if err := sleep(ctx, probeEvery); err != nil {
				return nil, err
			}
			continue
		}
		held, err := l.await(ctx, place)
		if err != nil {
			place.giveBack()
			return nil, err
		}
		switch ban, pause := l.heard(call); {
		case !held:
		case ban != nil:
			place.giveBack()
			return nil, ban
		case pause.After(time.Now()) && place.wait > 0: // since the place was taken
			place.giveBack()
			if pause.After(r.ends) {
				return nil, r.late(pause)
			}
		case missed < 3 && time.Since(until) > missedAfter: // the process was stopped, or the machine is busy
			place.giveBack()
			missed++
		default:
			return place.giveBack, nil
		}
	}
}

// A reservation is a call that wants to be sent.
type reservation struct {
	l          *Limiter
	call       transport.Call
	ends       time.Time // when it may wait no longer
	byDeadline bool      // because of the deadline of its context
	maxWait    time.Duration
	waiting    func(time.Time)
	told       bool
}

// tell says once until when the call waits.
func (r *reservation) tell(until time.Time) {
	if !r.told && r.waiting != nil {
		r.waiting(until)
	}
	r.told = true
}

// late is the error of a call that would have to wait too long.
func (r *reservation) late(at time.Time) error {
	e := &transport.RateLimitError{Operation: r.call.Operation, RetryAt: at, Deadline: r.byDeadline}
	if !r.byDeadline {
		e.MaxWait = r.maxWait
	}
	return e
}

// missedAfter is how late a request may be for its place. Later ones would come too near to those that
// follow, so another place is taken.
const missedAfter = 25 * time.Millisecond

// step is the time between two requests of an allowance in the long run.
func (l *Limiter) step(call transport.Call) time.Duration {
	step := l.period / time.Duration(l.requests)
	if limited(call) {
		step = max(step, call.Limit.Per/time.Duration(call.Limit.Requests))
	}
	return step
}

func limited(call transport.Call) bool { return call.Limit.Requests > 0 && call.Limit.Per > 0 }

// line is the queue of a call.
func (l *Limiter) line(call transport.Call) *line {
	name := ""
	if limited(call) {
		name = call.Bucket()
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.lines[name] == nil {
		l.lines[name] = new(line)
	}
	return l.lines[name]
}

// A place is a time at which a request may be sent.
type place struct {
	wait     time.Duration
	giveBack func()
	lent     string // name in Redis of one that is lent
	notYet   bool   // it is so far away that Redis may be back before, and is asked again
}

// place asks Redis for a place, or takes one of the share of this process if Redis is away.
func (l *Limiter) place(ctx context.Context, r *reservation) (place, error) {
	if away, cause := l.awayNow(); away {
		return l.alone(r, cause)
	}
	if l.sending.unreported() { // sent while another call found Redis
		if err := l.reportSent(time.Now(), l.turns > 0); err != nil {
			return l.alone(r, l.lost(clean(err)))
		}
	}
	got, err := l.askPlace(ctx, r)
	switch {
	case err == nil:
		return got, nil
	case errors.Is(err, errRedisForgot):
		now := time.Now()
		if err := l.reportSent(now, true); err != nil {
			return l.alone(r, l.lost(clean(err)))
		}
		if at := now.Add(hold); at.After(r.ends) {
			return place{}, r.late(at)
		}
		return place{wait: hold, notYet: true}, nil // until others have reported, too
	case !errors.Is(err, errOfRedis):
		return place{}, err
	}
	return l.alone(r, l.lost(err))
}

// errOfRedis marks errors of the server or of the way to it.
var errOfRedis = errors.New("redis")

// errRedisForgot says that Redis has lost what it was told.
var errRedisForgot = errors.New("redis has lost what it was told")

// redisError is an error of Redis, without what it was asked.
type redisError struct{ error }

func (e redisError) Is(target error) bool { return target == errOfRedis }
func (e redisError) Unwrap() error        { return e.error }

// member is a new name for a request in Redis.
func (l *Limiter) member() string { return fmt.Sprintf("%s-%d", l.process, l.serial.Add(1)) }

// Learn implements [transport.Limiter]. What it learns reaches the other processes with their next
// call.
func (l *Limiter) Learn(call transport.Call, feedback transport.Feedback) {
	const longest, instead = 7 * 24 * time.Hour, 2 * time.Hour // as a transport.LocalLimiter takes them
	pause := max(feedback.Pause, 0)
	if pause > longest {
		pause = instead
	}
	l.sending.learn(call, feedback, pause)
	field, limit, value := "pause:"+call.Bucket(), "", 0
	switch {
	case feedback.Reason != nil:
		field = "ban"
		l.mu.Lock()
		l.shared.ban, l.shared.banned = time.Now().Add(pause), feedback.Reason
		l.mu.Unlock()
	case feedback.All:
		field = "pause"
	}
	if feedback.Requests > 0 && limited(call) && feedback.Requests != call.Limit.Requests {
		limit, value = "limit:"+call.Bucket(), feedback.Requests
	}
	if pause == 0 && limit == "" {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), l.timeout)
	defer cancel()
	// If Redis is away this process knows it all the same, and the others hear it from MangaDex.
	_, _ = run(ctx, l.redis, learnScript(), []string{l.key("state")}, nil, field, pause.Microseconds(), limit, value)
}

// heard returns what this process has learnt since a place was taken: that the address is banned, or
// until when there is a pause.
func (l *Limiter) heard(call transport.Call) (ban error, pause time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if time.Now().Before(l.shared.ban) {
		return l.shared.banned, time.Time{}
	}
	return nil, l.sending.paused(call)
}

// sleep waits for a time or until the context is done.
func sleep(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
