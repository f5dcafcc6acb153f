package fleet_test

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/mangadex-go/mangadex/api/fleet"
	"github.com/mangadex-go/mangadex/authn"
	"github.com/mangadex-go/mangadex/authn/authntest"
)

func store(t *testing.T, client redis.UniversalClient, options ...fleet.StoreOption) *fleet.Store {
	t.Helper()
	s, err := fleet.NewStore(client, "login", options...)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

var key = bytes.Repeat([]byte{7}, 32)

func TestStore(t *testing.T) {
	t.Parallel()
	engines(t, func(t *testing.T, client *redis.Client) {
		authntest.TestStore(t, func() authn.Store { return store(t, client) })
	})
}

func TestEncryptedStore(t *testing.T) {
	t.Parallel()
	engines(t, func(t *testing.T, client *redis.Client) {
		authntest.TestStore(t, func() authn.Store { return store(t, client, fleet.WithKey(key)) })
	})
}

// With a key, nothing of a token can be read in Redis.
func TestNothingCanBeRead(t *testing.T) {
	t.Parallel()
	engines(t, func(t *testing.T, client *redis.Client) {
		s := store(t, client, fleet.WithKey(key))
		token := authn.Token{AccessToken: "secret-access", RefreshToken: "secret-refresh", Client: "secret-client"}
		if err := s.Save(t.Context(), token); err != nil {
			t.Fatal(err)
		}
		if err := s.Discard(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := s.Save(t.Context(), token); err != nil {
			t.Fatal(err)
		}
		names, err := client.Keys(t.Context(), "*").Result()
		if err != nil || len(names) == 0 {
			t.Fatal(names, err)
		}
		for _, name := range names {
			var content string
			switch kind, err := client.Type(t.Context(), name).Result(); {
			case err != nil:
				t.Fatal(err)
			case kind == "hash":
				fields, err := client.HGetAll(t.Context(), name).Result()
				if err != nil {
					t.Fatal(err)
				}
				for field, value := range fields {
					content += field + value
				}
			default:
				if content, err = client.Get(t.Context(), name).Result(); err != nil {
					t.Fatal(err)
				}
			}
			if strings.Contains(name+content, "secret") {
				t.Errorf("%s holds %s", name, content)
			}
		}
		for want, other := range map[string]*fleet.Store{"give its key": store(t, client), "another key": store(t, client, fleet.WithKey(key[:16]))} {
			if _, err := other.Load(t.Context()); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("got %v, want %q", err, want)
			}
		}
	})
}

// A holder whose lease ended while it was stopped cannot overwrite what the next one has saved.
func TestLateHolder(t *testing.T) {
	t.Parallel()
	engines(t, func(t *testing.T, client *redis.Client) {
		late, next := store(t, client), store(t, client)
		unlockLate, err := late.Lock(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if err := client.Del(t.Context(), "{login}:lock").Err(); err != nil { // as the end of the lease does
			t.Fatal(err)
		}
		unlock, err := next.Lock(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if err := next.Save(t.Context(), authn.Token{RefreshToken: "new"}); err != nil {
			t.Fatal(err)
		}
		if err := late.Save(t.Context(), authn.Token{RefreshToken: "old"}); !errors.Is(err, fleet.ErrLockLost) {
			t.Errorf("got %v, want ErrLockLost", err)
		}
		if err := late.Delete(t.Context()); !errors.Is(err, fleet.ErrLockLost) {
			t.Errorf("Delete: %v, want ErrLockLost", err)
		}
		if err := unlockLate(); err != nil {
			t.Error(err)
		}
		if err := next.Save(t.Context(), authn.Token{RefreshToken: "newer"}); err != nil {
			t.Errorf("the late one ended the lock of the next: %v", err)
		}
		if err := unlock(); err != nil {
			t.Error(err)
		}
		if got, err := late.Load(t.Context()); err != nil || got.RefreshToken != "newer" {
			t.Errorf("the store holds %q, %v", got.RefreshToken, err)
		}
	})
}

// A refresh token whose holder was killed after it had been sent is not spent again, and is kept
// aside. One whose holder only had the lock is.
func TestTokenThatMayBeSpent(t *testing.T) {
	t.Parallel()
	engines(t, func(t *testing.T, client *redis.Client) {
		killed, next := store(t, client), store(t, client)
		token := authn.Token{AccessToken: "access", RefreshToken: "refresh"}
		if err := killed.Save(t.Context(), token); err != nil {
			t.Fatal(err)
		}
		for _, sent := range []bool{false, true} {
			if _, err := killed.Lock(t.Context()); err != nil {
				t.Fatal(err)
			}
			if sent { // the session saves what is there before it spends it
				if err := killed.Save(t.Context(), token); err != nil {
					t.Fatal(err)
				}
			}
			if err := client.Del(t.Context(), "{login}:lock").Err(); err != nil {
				t.Fatal(err)
			}
			unlock, err := next.Lock(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			want := "refresh"
			if sent {
				want = ""
			}
			if got, err := next.Load(t.Context()); err != nil || got.RefreshToken != want || got.AccessToken != "access" {
				t.Errorf("sent %t: the next one finds the refresh token %q, %v; want %q", sent, got.RefreshToken, err, want)
			}
			if err := unlock(); err != nil {
				t.Fatal(err)
			}
		}
		if err := next.Save(t.Context(), authn.Token{RefreshToken: "another"}); err != nil {
			t.Fatal(err)
		}
		if aside, err := client.HGet(t.Context(), "{login}:token", "aside").Result(); err != nil || !strings.Contains(aside, "refresh") {
			t.Errorf("aside lies %q, %v", aside, err)
		}
	})
}

// The lock of a holder that lives lasts longer than its lease, and that of one that is gone does not.
func TestLease(t *testing.T) {
	t.Parallel()
	s := start(t)
	client := s.client(t)
	holder, other := store(t, client, fleet.WithLease(2*time.Second)), store(t, client, fleet.WithLease(2*time.Second))
	unlock, err := holder.Lock(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	waiting, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	if _, err := other.Lock(waiting); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v while the holder lives", err)
	}
	if err := unlock(); err != nil {
		t.Fatal(err)
	}
	gone := s.client(t)
	if _, err := store(t, gone, fleet.WithLease(2*time.Second)).Lock(t.Context()); err != nil {
		t.Fatal(err)
	}
	gone.Close() // nobody lends it on
	unlock, err = other.Lock(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := unlock(); err != nil {
		t.Error(err)
	}
}
