package authntest_test

import (
	"path/filepath"
	"testing"

	"github.com/mangadex-go/mangadex/authn"
	"github.com/mangadex-go/mangadex/authn/authntest"
)

func TestFileStore(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "not", "there", "yet", "token")
	authntest.TestStore(t, func() authn.Store { return authn.NewFileStore(path) })
}

func TestMemoryStore(t *testing.T) {
	t.Parallel()
	store := authn.NewMemoryStore()
	authntest.TestStore(t, func() authn.Store { return store })
}

func TestZeroMemoryStore(t *testing.T) {
	t.Parallel()
	authntest.TestStore(t, func() authn.Store { return new(authn.MemoryStore) })
}
