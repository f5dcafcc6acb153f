package authn

import (
	"context"
	"fmt"
	"io"
	"sync"
)

// A Store keeps the token of one account between runs of a program. It must keep all of the token,
// for which there are [EncodeToken] and [DecodeToken]. A token for another server or another client
// than that of the session is left alone, until a login takes its place.
type Store interface {
	// Load returns the token that was saved last, the zero Token if there is none.
	Load(ctx context.Context) (Token, error)
	// Save keeps a token in place of the one before.
	Save(ctx context.Context, t Token) error
	// Delete forgets the token; it is no error if there is none.
	Delete(ctx context.Context) error
}

// A Locker is a [Store] that several sessions or processes share. A session holds the lock while it
// renews the token, so that they renew it once between them: the next one to get the lock finds
// the new token with Load.
type Locker interface {
	Store
	// Lock waits for the lock, until ctx is done. The session calls unlock once.
	Lock(ctx context.Context) (unlock func() error, err error)
}

// A MemoryStore keeps a token while the program runs. Sessions may share it. It is made by
// [NewMemoryStore].
type MemoryStore struct {
	turn  chan struct{}
	mu    sync.Mutex
	token *Token // a pointer, so that no verb of package fmt prints it
}

// NewMemoryStore returns an empty store.
func NewMemoryStore() *MemoryStore {
	return &MemoryStore{turn: make(chan struct{}, 1)}
}

// Load implements [Store].
func (s *MemoryStore) Load(context.Context) (Token, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.token == nil {
		return Token{}, nil
	}
	return *s.token, nil
}

// Save implements [Store].
func (s *MemoryStore) Save(_ context.Context, t Token) error {
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
	select {
	case s.turn <- struct{}{}:
		return func() error { <-s.turn; return nil }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// Format shows nothing of the token.
func (s *MemoryStore) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "authn.MemoryStore") }
