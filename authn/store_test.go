package authn_test

import (
	"context"
	"sync"

	"github.com/mangadex-go/mangadex/authn"
)

// A recordingStore remembers what was saved, and fails when it is told to. It is no Locker.
type recordingStore struct {
	authn.Store
	mu     sync.Mutex
	tokens []string
	fail   error
}

func (s *recordingStore) Save(ctx context.Context, t authn.Token) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fail != nil {
		return s.fail
	}
	s.tokens = append(s.tokens, t.RefreshToken)
	return s.Store.Save(ctx, t)
}

func (s *recordingStore) saved() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.tokens
}

func (s *recordingStore) setFail(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fail = err
}
