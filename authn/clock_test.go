package authn_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/mangadex-go/mangadex/authn"
)

// A clock that was set by a day after a token was saved makes the token look as if it were good for a day
// more, or had expired a day ago. The session goes on either way, and renews as often as ever.
func TestClockThatIsSet(t *testing.T) {
	t.Parallel()
	for name, by := range map[string]time.Duration{"ahead": 24 * time.Hour, "back": -24 * time.Hour, "not at all": 0} {
		for _, jwt := range []bool{false, true} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					f := newFake()
					f.jwt, f.skew = jwt, -by // and so is the clock of the server, for ours
					w := f.inMemory()
					store := authn.NewMemoryStore()
					saved := authn.Token{
						AccessToken: f.seedAccess(), RefreshToken: f.seed(),
						Expiry: time.Now().Add(15*time.Minute - by), RefreshExpiry: time.Now().Add(time.Hour - by),
					}
					if err := store.Save(t.Context(), saved); err != nil {
						t.Fatal(err)
					}
					s := w.session(t, w.personal(), authn.WithStore(store))
					c := w.use(t, s)
					for range 120 {
						w.mustFollow(t, c)
						time.Sleep(30 * time.Second)
					}
					synctest.Wait()
					if n := w.refreshes(); n < 3 || n > 5 {
						t.Errorf("%d renewals in an hour", n)
					}
					// The next run, after the clock was set right.
					kept, err := store.Load(t.Context())
					if err != nil {
						t.Fatal(err)
					}
					kept.Expiry = kept.Expiry.Add(by)
					if err := store.Save(t.Context(), kept); err != nil {
						t.Fatal(err)
					}
					time.Sleep(20 * time.Minute)
					next := w.session(t, w.personal(), authn.WithStore(store))
					if _, err := next.User(t.Context()); err != nil {
						t.Errorf("the next run: %v", err)
					}
				})
			})
		}
	}
}
