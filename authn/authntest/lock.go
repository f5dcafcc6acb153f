package authntest

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/mangadex-go/mangadex/authn"
)

// others returns two stores for the same storage that are lockers.
func (s *suite) lockers(t *testing.T) (one, two authn.Locker) {
	t.Helper()
	store := s.open()
	one, ok := store.(authn.Locker)
	if !ok {
		t.Skip("the store is no authn.Locker")
	}
	if !s.shared {
		return one, one
	}
	return one, s.open().(authn.Locker)
}

// patience is how long a lock that somebody has given back is waited for.
const patience = time.Minute

func lock(t *testing.T, store authn.Locker) (unlock func()) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	release, err := store.Lock(ctx)
	if err != nil {
		t.Fatalf("Lock: %v", err)
	}
	return func() {
		t.Helper()
		if err := release(); err != nil {
			t.Errorf("unlock: %v", err)
		}
	}
}

func testLock(t *testing.T, s *suite) {
	one, two := s.lockers(t)
	for range 3 {
		lock(t, one)()
		lock(t, two)()
	}
}

func testLockPatience(t *testing.T, s *suite) {
	one, two := s.lockers(t)
	unlock := lock(t, one)
	soon, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	for name, store := range map[string]authn.Locker{"the same store": one, "another one": two} {
		if release, err := store.Lock(soon); err == nil {
			_ = release()
			t.Fatalf("%s is locked twice", name)
		} else if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%s: Lock fails with %v, which is not context.DeadlineExceeded", name, err)
		}
	}
	got := make(chan error, 1)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	go func() {
		release, err := two.Lock(ctx)
		if err == nil {
			err = release()
		}
		got <- err
	}()
	unlock()
	if err := <-got; err != nil {
		t.Errorf("who waits for the lock does not get it: %v", err)
	}
}

func testLockExcludes(t *testing.T, s *suite) {
	one, two := s.lockers(t)
	var mu sync.Mutex
	inside := 0
	enter := func(n int) int { mu.Lock(); defer mu.Unlock(); inside += n; return inside }
	var all sync.WaitGroup
	for _, store := range []authn.Locker{one, two, one, two} {
		all.Go(func() {
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel()
			for range 5 {
				release, err := store.Lock(ctx)
				if err != nil {
					t.Errorf("Lock: %v", err)
					return
				}
				if enter(1) != 1 {
					t.Error("two hold the lock")
				}
				time.Sleep(100 * time.Microsecond)
				enter(-1)
				if err := release(); err != nil {
					t.Errorf("unlock: %v", err)
				}
			}
		})
	}
	all.Wait()
}

func testLocked(t *testing.T, s *suite) {
	one, two := s.lockers(t)
	mustSave(t, one, full("a"))
	unlock := lock(t, one)
	mustHold(t, one, full("a"))
	mustHold(t, two, full("a")) // Load does not need the lock
	mustSave(t, one, full("b"))
	mustHold(t, one, full("b"))
	unlock()
	mustHold(t, two, full("b"))
}
