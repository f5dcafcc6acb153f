package authn

import (
	"context"
	"fmt"
	"io"
	"sync"
)

// A Store keeps the token of one account between runs of a program. It must keep all of the token, for
// which there are [EncodeToken] and [DecodeToken]. A session leaves a token for another server, realm
// or client alone, until the user asks for a login that replaces it.
//
// Before the session spends a refresh token, it saves the present token once more, so that a store that
// cannot be written costs no login.
//
// Package authntest has a test for stores.
type Store interface {
	// Load returns the token that was saved last, the zero Token if there is none.
	Load(ctx context.Context) (Token, error)
	// Save keeps a token in place of the one before. The zero Token means that there is none.
	Save(ctx context.Context, t Token) error
	// Delete forgets the token; it is no error if there is none.
	Delete(ctx context.Context) error
}

// A Locker is a [Store] that several sessions or processes share. A session holds the lock while it
// renews the token, so that all of them together renew it once: the next session to get the lock finds
// the new token with Load.
//
// A session saves and deletes only while it holds the lock. (A logout that cannot get the lock within
// 10 seconds deletes without it.) Where a lock can be lost, because it is lent for a time only, Save
// should fail for a session that has lost it: that session then locks once more, and saves only if the
// store holds nothing newer.
type Locker interface {
	Store
	// Lock waits for the lock, until ctx is done. The session calls unlock once. Load does not
	// need the lock.
	Lock(ctx context.Context) (unlock func() error, err error)
}

// A Discarder is a Store that can put aside a token that the server has refused, so that a person finds
// it if the server was wrong.
type Discarder interface {
	Store
	// Discard removes the token, as Delete does, but keeps it aside until another one is saved.
	Discard(ctx context.Context) error
}

// A MemoryStore keeps a token while the program runs. Sessions may share it. Its zero value is an
// empty store.
type MemoryStore struct {
	once  sync.Once
	turn  chan struct{}
	mu    sync.Mutex
	token *Token // a pointer, so that no verb of package fmt prints it
}

// NewMemoryStore returns an empty store.
func NewMemoryStore() *MemoryStore { return new(MemoryStore) }

// Load implements [Store].
func (s *MemoryStore) Load(ctx context.Context) (Token, error) {
	if err := ctx.Err(); err != nil {
		return Token{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.token == nil {
		return Token{}, nil
	}
	return *s.token, nil
}

// Save implements [Store].
func (s *MemoryStore) Save(ctx context.Context, t Token) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.token = &t
	return nil
}

// Delete implements [Store].
func (s *MemoryStore) Delete(context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.token = nil
	return nil
}

// Lock implements [Locker].
func (s *MemoryStore) Lock(ctx context.Context) (unlock func() error, err error) {
	s.once.Do(func() { s.turn = make(chan struct{}, 1) })
	select {
	case <-ctx.Done(): // even where the lock is free, too
		return nil, ctx.Err()
	default:
	}
	select {
	case s.turn <- struct{}{}:
		return func() error { <-s.turn; return nil }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// Format shows nothing of the token.
func (s *MemoryStore) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "authn.MemoryStore") }
