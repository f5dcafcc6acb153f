package fleet

import (
	"container/list"
	"context"
	"sync"
	"time"
)

// A line is a queue of the calls of this process that draw on one allowance. The first of it holds
// the turn and asks Redis for a place.
type line struct {
	mu      sync.Mutex
	held    bool
	waiting list.List // of chan struct{}
	until   time.Time // when the one that holds the turn may send, as far as it is known
}

// ahead says how many calls are before one that would come now, and until when the first of them
// waits.
func (l *line) ahead() (calls int, until time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.held {
		return 0, time.Time{}
	}
	return 1 + l.waiting.Len(), l.until
}

// enter waits for the turn.
func (l *line) enter(ctx context.Context) error {
	l.mu.Lock()
	if !l.held {
		l.held = true
		l.mu.Unlock()
		return nil
	}
	turn := make(chan struct{})
	place := l.waiting.PushBack(turn)
	l.mu.Unlock()
	select {
	case <-turn:
		return nil
	case <-ctx.Done():
	}
	l.mu.Lock()
	select {
	case <-turn: // just then
		l.mu.Unlock()
		l.leave()
	default:
		l.waiting.Remove(place)
		l.mu.Unlock()
	}
	return ctx.Err()
}

// waits notes until when the holder of the turn waits.
func (l *line) waits(until time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.until = until
}

// leave hands the turn on.
func (l *line) leave() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if first := l.waiting.Front(); first != nil {
		close(l.waiting.Remove(first).(chan struct{}))
		return
	}
	l.held = false
}
