package authn_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mangadex-go/mangadex/authn"
	"github.com/mangadex-go/mangadex/internal/wine"
)

func TestFileStoreIsPrivate(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("no modes")
	}
	dir := filepath.Join(t.TempDir(), "new")
	path := filepath.Join(dir, "token")
	store := authn.NewFileStore(path)
	if err := store.Save(t.Context(), testToken("a")); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]os.FileMode{path: 0o600, dir: 0o700} {
		if info, err := os.Stat(name); err != nil || info.Mode().Perm() != want {
			t.Errorf("%s: mode %v, %v", name, info.Mode(), err)
		}
	}
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := store.Load(t.Context()); err == nil || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), "chmod 600") || errors.Is(err, authn.ErrDamaged) {
		t.Errorf("a file that everybody can read: %v", err)
	}
	if err := store.Save(t.Context(), testToken("b")); err != nil {
		t.Fatal(err)
	}
	if got, err := store.Load(t.Context()); err != nil || got != testToken("b") {
		t.Errorf("after another Save: %v, %v", got, err)
	}
	if entries, _ := os.ReadDir(dir); len(entries) != 1 {
		t.Errorf("%d files in the directory", len(entries))
	}
}

func TestDamagedFileIsSetAside(t *testing.T) {
	t.Parallel()
	for name, damage := range map[string]string{
		"empty":               "",
		"not JSON":            "gibberish",
		"cut off":             `{"version":1,"refresh_token":"refr`,
		"nothing in it":       `{"version":1}`,
		"newer":               `{"version":2,"refresh_token":"refresh"}`,
		"no object":           `[]`,
		"odd characters":      `{"version":1,"access_token":"a\nb"}`,
		"zeros after a crash": strings.Repeat("\x00", 4096),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "token")
			var aside []string
			for n := range 2 {
				if err := os.WriteFile(path, []byte(damage), 0o600); err != nil {
					t.Fatal(err)
				}
				// New reads the store, so that a user hears of it at once.
				_, err := authn.New(authn.WithStore(authn.NewFileStore(path)))
				if !errors.Is(err, authn.ErrDamaged) || !strings.Contains(err.Error(), path) || strings.Contains(err.Error(), "refr") {
					t.Fatalf("got %v, want ErrDamaged with the path", err)
				}
				aside, _ = filepath.Glob(path + ".damaged-*")
				if len(aside) != n+1 {
					t.Fatalf("%d files were set aside, want %d", len(aside), n+1)
				}
				if !strings.Contains(err.Error(), aside[n]) {
					t.Errorf("the error does not name %s: %v", aside[n], err)
				}
			}
			for _, file := range aside {
				if data, err := os.ReadFile(file); err != nil || string(data) != damage {
					t.Errorf("%s: %q, %v", file, data, err)
				}
			}
			store := authn.NewFileStore(path)
			if got, err := store.Load(t.Context()); err != nil || got != (authn.Token{}) {
				t.Errorf("the next Load: %v, %v", got, err)
			}
			// A session with something else to log in with goes on.
			w := newFake().inMemory()
			w.loggedIn(t, w.personal(), w.withPassword(), authn.WithStore(store))
		})
	}
}

// A login by hand does not overwrite a damaged file either.
func TestLoginWithSetsDamagedFileAside(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(path, []byte("gibberish"), 0o600); err != nil {
		t.Fatal(err)
	}
	w := newFake().inMemory()
	s := w.session(t, authn.Anonymous(), w.personal(), authn.WithStore(authn.NewFileStore(path)))
	if err := s.LoginWith(t.Context(), w.username, w.password); !errors.Is(err, authn.ErrDamaged) || len(w.requests()) != 0 {
		t.Errorf("got %v after %d requests, want ErrDamaged", err, len(w.requests()))
	}
	if err := s.LoginWith(t.Context(), w.username, w.password); err != nil {
		t.Errorf("once more: %v", err)
	}
	if data, err := os.ReadFile(path + ".damaged-1"); err != nil || string(data) != "gibberish" {
		t.Errorf("the damaged file: %q, %v", data, err)
	}
}

func TestFileStoreErrors(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	done, cancel := context.WithCancel(ctx)
	cancel()
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		ctx  context.Context
		path string
		says string
	}{
		"no path":           {ctx, "", "empty"},
		"a directory":       {ctx, dir, "is a directory"},
		"a directory to be": {ctx, filepath.Join(dir, "new") + string(filepath.Separator), "add the name of a file"},
		"below a file":      {ctx, filepath.Join(file, "token"), file},
		"context is done":   {done, filepath.Join(dir, "token"), "canceled"},
	} {
		store := authn.NewFileStore(test.path)
		if _, err := store.Load(test.ctx); runtime.GOOS == "windows" && name == "below a file" {
			// There it is the same error as for a folder that is not there yet. Save tells them apart.
			if err := store.Save(test.ctx, testToken("x")); err == nil || !strings.Contains(err.Error(), test.says+": not a directory") {
				t.Errorf("%s: Save: got %v", name, err)
			}
		} else if err == nil || !strings.Contains(err.Error(), test.says) {
			t.Errorf("%s: Load: got %v, want it to say %q", name, err, test.says)
		}
		if err := store.Save(test.ctx, testToken("x")); err == nil {
			t.Errorf("%s: Save succeeds", name)
		} else if strings.Contains(err.Error(), "-x") {
			t.Errorf("%s: the error has the token: %v", name, err)
		}
	}
	if leftovers, _ := filepath.Glob(filepath.Join(dir, ".*")); len(leftovers) != 0 {
		t.Errorf("left behind: %v", leftovers)
	}
	if _, err := os.Stat(filepath.Join(dir, "new")); err == nil {
		t.Error("a directory was made for a path without a file")
	}
}

// Who cannot get the lock is told which file it is, and whether somebody has it.
func TestFileStoreLockErrors(t *testing.T) {
	t.Parallel()
	synctest.Test(t, testFileStoreLockErrors) // so that the time cannot end before the lock is tried
}

func testFileStoreLockErrors(t *testing.T) {
	path := filepath.Join(t.TempDir(), "token")
	store := authn.NewFileStore(path)
	unlock, err := store.Lock(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, err := store.Lock(ctx); !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "holds "+path+".lock; wait for its end, or end it") {
		t.Errorf("while it is held: %v", err)
	}
	if err := unlock(); err != nil {
		t.Error(err)
	}
	if err := os.Remove(path + ".lock"); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(path+".lock", 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := store.Lock(t.Context()); err == nil || !strings.Contains(err.Error(), "writable") || !strings.Contains(err.Error(), path+".lock") {
		t.Errorf("where no file can be made: %v", err)
	}
}

// A write that fails, as on a full disk, leaves the old token.
func TestFailedSaveKeepsTheOldFile(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" || os.Getuid() == 0 && !readOnlyHolds(t) {
		t.Skip("the modes of directories do not hold here")
	}
	dir := t.TempDir()
	path := filepath.Join(dir, "token")
	store := authn.NewFileStore(path)
	if err := store.Save(t.Context(), testToken("first")); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(dir, 0o500); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.Chmod(dir, 0o700) })
	if err := store.Save(t.Context(), testToken("old")); err != nil {
		t.Errorf("a file that can be written, in a directory that cannot: %v", err)
	}
	if err := os.Chmod(path, 0o400); err != nil {
		t.Fatal(err)
	}
	if err := store.Save(t.Context(), testToken("new")); err == nil {
		t.Error("Save succeeds where nothing can be written")
	}
	if got, err := store.Load(t.Context()); err != nil || got != testToken("old") {
		t.Errorf("got %v, %v", got, err)
	}
}

func readOnlyHolds(t *testing.T) bool {
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o500); err != nil {
		return false
	}
	defer os.Chmod(dir, 0o700)
	return os.WriteFile(filepath.Join(dir, "x"), nil, 0o600) != nil
}

// TestFileBehindLink uses a file by its own name and by that of a link.
func TestFileBehindLink(t *testing.T) {
	t.Parallel()
	wine.SkipLinks(t)
	dir := t.TempDir()
	path, link := filepath.Join(dir, "token.json"), filepath.Join(dir, "link.json")
	own, linked := authn.NewFileStore(path), authn.NewFileStore(link)
	first := authn.Token{RefreshToken: "first"}
	if err := own.Save(t.Context(), first); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("token.json", link); err != nil {
		t.Skip(err)
	}
	if got, err := linked.Load(t.Context()); err != nil || got != first {
		t.Errorf("by the link: %v, %v", got, err)
	}
	unlock, err := own.Lock(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	soon, cancel := context.WithTimeout(t.Context(), 30*time.Millisecond)
	defer cancel()
	if _, err := linked.Lock(soon); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("the lock is held, and by the link: %v", err)
	}
	if err := unlock(); err != nil {
		t.Error(err)
	}
	second := authn.Token{RefreshToken: "second"}
	if err := linked.Save(t.Context(), second); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Lstat(link); err != nil || info.Mode().Type() != os.ModeSymlink {
		t.Errorf("the link is now %v, %v", info, err)
	}
	if got, err := own.Load(t.Context()); err != nil || got != second {
		t.Errorf("by the name: %v, %v", got, err)
	}
}
