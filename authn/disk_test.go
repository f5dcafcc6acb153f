package authn_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/mangadex-go/mangadex/authn"
	"github.com/mangadex-go/mangadex/internal/wine"
)

// A token is none, and no path and no store of nobody make anything panic or hang.
func TestStoresThatAreNone(t *testing.T) {
	t.Parallel()
	var file *authn.FileStore
	for name, store := range map[string]authn.Locker{"nil": file, "zero": new(authn.FileStore)} {
		if _, err := store.Load(t.Context()); err == nil || !strings.Contains(err.Error(), "NewFileStore") {
			t.Errorf("%s: %v", name, err)
		}
		if err := store.Save(t.Context(), testToken("a")); err == nil {
			t.Errorf("%s: Save succeeds", name)
		}
		if err := store.Delete(t.Context()); err == nil {
			t.Errorf("%s: Delete succeeds", name)
		}
		if _, err := store.Lock(t.Context()); err == nil {
			t.Errorf("%s: Lock succeeds", name)
		}
		_ = fmt.Sprintf("%v %+v", store, store)
	}
	for name, store := range map[string]authn.Store{"file": file, "memory": (*authn.MemoryStore)(nil), "nothing": nil} {
		if _, err := authn.New(authn.WithStore(store)); err == nil || !strings.Contains(err.Error(), "store is nil") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A person finds what was refused, until another login has succeeded.
func TestDiscardedTokenIsKeptAside(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "token")
	store := authn.NewFileStore(path)
	if err := store.Save(t.Context(), testToken("a")); err != nil {
		t.Fatal(err)
	}
	if err := store.Discard(t.Context()); err != nil {
		t.Fatal(err)
	}
	aside, err := os.ReadFile(path + ".refused")
	if err != nil {
		t.Fatal(err)
	}
	if got, err := authn.DecodeToken(aside); err != nil || got != testToken("a") {
		t.Errorf("aside: %v, %v", got, err)
	}
	if info, err := os.Stat(path + ".refused"); err != nil || runtime.GOOS != "windows" && info.Mode().Perm()&0o077 != 0 {
		t.Errorf("aside: mode %v, %v", info.Mode(), err)
	}
	// The person puts it back, by a copy. It is still aside if the server refuses it again.
	if err := os.WriteFile(path, aside, 0o600); err != nil {
		t.Fatal(err)
	}
	got, err := store.Load(t.Context())
	if err != nil || got != testToken("a") {
		t.Fatalf("put back: %v, %v", got, err)
	}
	if err := store.Save(t.Context(), got); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path + ".refused"); err != nil {
		t.Errorf("the same token was saved: %v", err)
	}
	if err := store.Save(t.Context(), testToken("b")); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path + ".refused"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("another token was saved: %v", err)
	}
}

// Somebody has written the file by hand, or it is longer for another reason.
func TestTokenFileOfManyLines(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "token")
	store := authn.NewFileStore(path)
	for name, text := range map[string]string{
		"indented":  "{\n  \"version\": 1,\n  \"refresh_token\": \"kept\"\n}\n",
		"killed":    `{"version":1,"refresh_token":"new-and-` + "\n\n" + `{"version":1,"refresh_token":"kept"}` + "\n",
		"not ended": "{\"version\":1,\"refresh_token\":\"kept\"}",
	} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if got, err := store.Load(t.Context()); err != nil || got.RefreshToken != "kept" {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
}

// A link to a file that is not there yet: one lock, and the link stays one.
func TestLinkToNothing(t *testing.T) {
	t.Parallel()
	wine.SkipLinks(t)
	dir := t.TempDir()
	path, link := filepath.Join(dir, "there", "token"), filepath.Join(dir, "link")
	if err := os.Symlink(path, link); err != nil {
		t.Skip(err)
	}
	own, linked := authn.NewFileStore(path), authn.NewFileStore(link)
	unlock, err := linked.Lock(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	soon, cancel := context.WithTimeout(t.Context(), 30*time.Millisecond)
	defer cancel()
	if _, err := own.Lock(soon); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("locked by the link and by the name: %v", err)
	}
	if err := unlock(); err != nil {
		t.Error(err)
	}
	if err := linked.Save(t.Context(), testToken("a")); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Lstat(link); err != nil || info.Mode().Type() != os.ModeSymlink {
		t.Errorf("the link is now %v, %v", info, err)
	}
	if got, err := own.Load(t.Context()); err != nil || got != testToken("a") {
		t.Errorf("by the name: %v, %v", got, err)
	}
}

// ~ is what the shell would have made of it.
func TestHome(t *testing.T) {
	home := t.TempDir()
	t.Setenv("HOME", home)
	t.Setenv("USERPROFILE", home)
	t.Chdir(t.TempDir())
	store := authn.NewFileStore("~/mangadex/token")
	if err := store.Save(t.Context(), testToken("a")); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(home, "mangadex", "token")); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat("~"); err == nil {
		t.Error("a folder ~ was made")
	}
	if err := os.WriteFile(filepath.Join(home, "me.json"), []byte(`{"token_file": "~/mangadex/token"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := authn.New(authn.FromFile("~/me.json"))
	if err != nil || s.RefreshToken() != testToken("a").RefreshToken {
		t.Errorf("%v, %v", s, err)
	}
}

// Secrets are mounted so that nobody can write them; that is no reason not to read them.
func TestMountedSecrets(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "me.json")
	if err := os.WriteFile(path, []byte(`{"username": "reader", "password": "secret"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	for mode, good := range map[os.FileMode]bool{
		0o400: true, 0o440: true, 0o444: true, 0o600: true, 0o640: true, 0o660: true,
		0o644: false, 0o666: false, 0o604: false, 0o464: false,
	} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		_, err := authn.New(authn.FromFile(path))
		good = good || runtime.GOOS == "windows" // which has no modes, so that they say nothing there
		if good && err != nil || !good && (err == nil || !strings.Contains(err.Error(), "chmod 600")) {
			t.Errorf("%04o: %v", mode, err)
		}
	}
}

// What was saved by another process while a damaged file was set aside is not carried off, and not left beside
// what was saved after it.
func TestSettingAsideLosesNothing(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "token")
	store := authn.NewFileStore(path)
	for range 200 {
		if err := os.WriteFile(path, []byte("gibberish"), 0o600); err != nil {
			t.Fatal(err)
		}
		save := func() error { return store.Save(context.Background(), testToken("a")) }
		first, second, third := inBackground(save), inBackground(save), inBackground(save)
		_, err := store.Load(t.Context())
		if err != nil && !errors.Is(err, authn.ErrDamaged) {
			t.Fatal(err)
		}
		if err := errors.Join(<-first, <-second, <-third); err != nil {
			t.Fatal(err)
		}
		if got, err := store.Load(t.Context()); err != nil || got != testToken("a") {
			t.Fatalf("the token that was saved is lost: %v, %v", got, err)
		}
		aside, _ := filepath.Glob(path + ".*")
		for _, name := range aside {
			if content, err := os.ReadFile(name); err != nil || string(content) != "gibberish" {
				t.Fatalf("%s is left, with %q, %v", name, content, err)
			}
			_ = os.Remove(name)
		}
	}
}
