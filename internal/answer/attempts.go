package answer

import (
	"context"
	"sync/atomic"
)

// Attempts tells what the attempts at one call came to, to those above whatever repeats it. A
// repetition may meet the work of an attempt whose answer was lost: then a 404 or a 409 is no refusal.
type Attempts struct{ made, doubtful atomic.Int32 }

type attemptsKey struct{}

// WithAttempts returns a context in which attempts at one call are noted.
func WithAttempts(ctx context.Context) (context.Context, *Attempts) {
	a := new(Attempts)
	return context.WithValue(ctx, attemptsKey{}, a), a
}

// AttemptsOf returns where the attempts at a call are noted, nil if nobody wants to know.
func AttemptsOf(ctx context.Context) *Attempts {
	a, _ := ctx.Value(attemptsKey{}).(*Attempts)
	return a
}

// Begin notes that an attempt is handed to the network.
func (a *Attempts) Begin() {
	if a != nil {
		a.made.Add(1)
	}
}

// Repeat notes what an attempt came to that another one follows.
func (a *Attempts) Repeat(v Verdict) {
	if a != nil && v.Effect != NotDone {
		a.doubtful.Add(1)
	}
}

// Effect says what the call did, by what its last attempt came to.
func (a *Attempts) Effect(last Verdict) Effect {
	switch {
	case a == nil || last.Effect == Done:
		return last.Effect
	case a.InDoubt():
		return MayBeDone
	case a.made.Load() == 0:
		return NotDone
	}
	return last.Effect
}

// InDoubt reports whether an attempt before the last may have been carried out.
func (a *Attempts) InDoubt() bool { return a != nil && a.doubtful.Load() > 0 }
