package fleet

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/sha256"
	_ "embed" // for the script
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/mangadex-go/mangadex/authn"
	"github.com/mangadex-go/mangadex/internal/given"
)

//go:embed store.lua
var storeSource string

var storeScript = script(&storeSource)

// ErrLockLost says that a session could not save, because it was stopped for so long that its lock was
// given to another one. The session asks for the lock again by itself.
var ErrLockLost = errors.New("the lock on the token was lost")

// A Store keeps the token of one account in Redis, for the sessions of any number of processes. It
// is an [authn.Store], an [authn.Locker] and an [authn.Discarder]. [NewStore] makes one. Give each
// session a Store of its own; those with the same key stand for the same token.
//
// The lock is lent for a time, and renewed while its holder lives. A holder that is killed or stopped
// loses it, and can no longer save. If that happens after it has sent a refresh token and before it has
// saved the new one, nobody knows whether the refresh token is spent, and MangaDex ends the whole login
// if a spent one is used. So the next holder gets the token without the refresh token, and has to log
// in with a password. The refresh token is kept aside.
type Store struct {
	redis   redis.UniversalClient
	name    string
	timeout time.Duration
	id      string // that owners of the lock begin with
	storeSettings

	mu    sync.Mutex
	owner string // that holds the lock now; empty: none
}

// A StoreOption changes a [Store] that [NewStore] makes.
type StoreOption func(*storeSettings) error

type storeSettings struct {
	lease  time.Duration
	sealer cipher.AEAD // nil: in the clear
}

// WithKey encrypts the token in Redis with AES-GCM. The key has 16, 24 or 32 random bytes, and all
// processes need the same.
func WithKey(key []byte) StoreOption {
	return func(s *storeSettings) error {
		block, err := aes.NewCipher(key)
		if err != nil {
			return fmt.Errorf("fleet: WithKey: the key has %d bytes; give 16, 24 or 32 random ones", len(key))
		}
		s.sealer, err = cipher.NewGCMWithRandomNonce(block)
		return err
	}
}

// WithLease sets how long the lock is lent at a time, 10 seconds by default and a second at least. If a
// holder is killed, the others wait that long.
func WithLease(d time.Duration) StoreOption {
	return func(s *storeSettings) error {
		if d < time.Second || d > time.Hour {
			return fmt.Errorf("fleet: WithLease(%v): give a time from a second to an hour", d)
		}
		s.lease = d
		return nil
	}
}

// NewStore returns a store in a Redis server under a key. It sends nothing.
func NewStore(client redis.UniversalClient, key string, options ...StoreOption) (*Store, error) {
	switch {
	case given.Nil(client):
		return nil, errors.New("fleet: the client of Redis is nil; make one with redis.NewClient")
	case key == "" || strings.ContainsAny(key, "{}"):
		return nil, fmt.Errorf("fleet: the key %q must have a character at least, and no braces", key)
	}
	s := &Store{redis: client, name: key, timeout: 5 * time.Second, id: rand.Text(), storeSettings: storeSettings{lease: 10 * time.Second}}
	if err := given.Options(&s.storeSettings, options); err != nil {
		return nil, err
	}
	return s, nil
}

// do runs the script.
func (s *Store) do(ctx context.Context, what, owner string, args ...any) (string, int64, error) {
	if err := ctx.Err(); err != nil {
		return "", 0, err
	}
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	keys := []string{"{" + s.name + "}:token", "{" + s.name + "}:lock"}
	var undo func()
	if what == "lock" {
		undo = func() { _, _, _ = s.do(context.Background(), "unlock", owner) } // or it ends with the lease
	}
	value, err := run(ctx, s.redis, storeScript(), keys, undo, append([]any{what, owner}, args...)...)
	if err != nil {
		if ctx.Err() != nil {
			return "", 0, fmt.Errorf("fleet: Redis%s, which keeps the token, does not answer: %w; %s", at(addressOf(s.redis)), ctx.Err(), advice(ctx.Err()))
		}
		err = clean(err)
		return "", 0, fmt.Errorf("fleet: Redis%s, which keeps the token, cannot be asked: %v; %s", at(addressOf(s.redis)), err, advice(err)) //nolint:errorlint // a connection in it would be taken for that to MangaDex
	}
	if answer, _ := value.([]any); len(answer) == 2 {
		verdict, ok1 := answer[0].(string)
		number, ok2 := answer[1].(int64)
		if ok1 && ok2 {
			return verdict, number, nil
		}
	}
	return "", 0, errors.New("fleet: Redis gave an answer that this package does not understand")
}

func (s *Store) holder() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.owner
}

// Load implements [authn.Store].
func (s *Store) Load(ctx context.Context) (authn.Token, error) {
	data, spent, err := s.do(ctx, "load", s.holder(), s.id)
	if err != nil || data == "" {
		return authn.Token{}, err
	}
	t, err := s.open(data)
	if err == nil && spent != 0 {
		t.RefreshToken = ""
	}
	return t, err
}

// Save implements [authn.Store]. It fails with [ErrLockLost] while another session holds the lock, or
// if this one has lost it.
func (s *Store) Save(ctx context.Context, t authn.Token) error {
	if t == (authn.Token{}) {
		return s.forget(ctx, "delete")
	}
	data, err := s.seal(t)
	if err != nil {
		return err
	}
	verdict, _, err := s.do(ctx, "save", s.holder(), data, fingerprint(t.RefreshToken))
	switch {
	case err != nil:
		return err
	case verdict == "lost":
		return fmt.Errorf("fleet: the token was not saved: %w", ErrLockLost)
	case verdict == "held":
		return fmt.Errorf("fleet: the token was not saved: %w, because another session holds it", ErrLockLost)
	}
	return nil
}

// Delete implements [authn.Store].
func (s *Store) Delete(ctx context.Context) error { return s.forget(ctx, "delete") }

// Discard implements [authn.Discarder]. The token is kept in the field aside of the hash.
func (s *Store) Discard(ctx context.Context) error { return s.forget(ctx, "discard") }

func (s *Store) forget(ctx context.Context, how string) error {
	verdict, _, err := s.do(ctx, how, s.holder())
	if err == nil && verdict == "lost" {
		return fmt.Errorf("fleet: the token was not deleted: %w", ErrLockLost)
	}
	return err
}

// Lock implements [authn.Locker].
func (s *Store) Lock(ctx context.Context) (unlock func() error, err error) {
	owner := s.id + "." + rand.Text()
	for wait := 5 * time.Millisecond; ; wait = min(2*wait, 100*time.Millisecond) {
		verdict, _, err := s.do(ctx, "lock", owner, s.lease.Milliseconds())
		switch {
		case err != nil && ctx.Err() != nil:
			return nil, fmt.Errorf("fleet: another session holds the lock on the token: %w", ctx.Err())
		case err != nil:
			return nil, err
		case verdict == "locked":
			return s.hold(owner), nil
		}
		if sleep(ctx, wait) != nil {
			return nil, fmt.Errorf("fleet: another session holds the lock on the token: %w", ctx.Err())
		}
	}
}

// hold has the lock lent on until it is given back or lost, as it is when its lease is over.
func (s *Store) hold(owner string) (unlock func() error) {
	s.mu.Lock()
	s.owner = owner
	s.mu.Unlock()
	ctx, stop := context.WithCancel(context.Background())
	var renewing sync.WaitGroup
	renewing.Go(func() {
		for lent := time.Now(); time.Since(lent) < s.lease && sleep(ctx, s.lease/3) == nil; {
			asked := time.Now()
			verdict, _, err := s.do(ctx, "renew", owner, s.lease.Milliseconds())
			switch {
			case err == nil && verdict == "lost":
				return
			case err == nil:
				lent = asked
			}
		}
	})
	return func() error {
		stop()
		renewing.Wait()
		s.mu.Lock()
		if s.owner == owner {
			s.owner = ""
		}
		s.mu.Unlock()
		// Also for a caller that has gone, so that nobody waits for the end of the lease.
		_, _, err := s.do(context.Background(), "unlock", owner)
		return err
	}
}

// sealed is what an encrypted token begins with.
const sealed = "aes-gcm:"

func (s *Store) seal(t authn.Token) (string, error) {
	plain := authn.EncodeToken(t)
	if s.sealer == nil {
		return string(plain), nil
	}
	return sealed + base64.StdEncoding.EncodeToString(s.sealer.Seal(nil, nil, plain, []byte(s.name))), nil
}

func (s *Store) open(data string) (authn.Token, error) {
	text, encrypted := strings.CutPrefix(data, sealed)
	switch {
	case encrypted && s.sealer == nil:
		return authn.Token{}, fmt.Errorf("fleet: the token under %q is encrypted; give its key with WithKey", s.name)
	case !encrypted && s.sealer != nil:
		return authn.Token{}, fmt.Errorf("fleet: the token under %q is not encrypted; take it out of Redis, or leave WithKey out", s.name)
	case !encrypted:
		return s.decode([]byte(data))
	}
	raw, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return authn.Token{}, fmt.Errorf("fleet: the token under %q is damaged; delete it and log in again", s.name)
	}
	plain, err := s.sealer.Open(nil, nil, raw, []byte(s.name))
	if err != nil {
		return authn.Token{}, fmt.Errorf("fleet: the token under %q was encrypted with another key, or is damaged", s.name)
	}
	return s.decode(plain)
}

func (s *Store) decode(plain []byte) (authn.Token, error) {
	t, err := authn.DecodeToken(plain)
	if err != nil {
		return authn.Token{}, fmt.Errorf("fleet: the token under %q cannot be read: %w; update the library if a newer one wrote it, or delete it and log in again", s.name, err)
	}
	return t, nil
}

// fingerprint tells refresh tokens apart without showing them.
func fingerprint(secret string) string {
	if secret == "" {
		return ""
	}
	sum := sha256.Sum256([]byte(secret))
	return hex.EncodeToString(sum[:8])
}

// Format shows nothing of the token or the key.
func (s *Store) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "fleet.Store("+s.name+")") }
