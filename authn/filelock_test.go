package authn

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// A file system without locks keeps the sessions of one program apart, and says so once.
func TestFileSystemWithoutLocks(t *testing.T) {
	t.Parallel()
	errs := []error{syscall.ENOLCK, syscall.ENOSYS, errors.ErrUnsupported}
	if runtime.GOOS == "windows" {
		errs = []error{syscall.Errno(1), syscall.Errno(50), errors.ErrUnsupported} // ERROR_INVALID_FUNCTION, ERROR_NOT_SUPPORTED
	}
	for _, none := range errs {
		synctest.Test(t, func(t *testing.T) {
			var log bytes.Buffer
			store := NewFileStore(filepath.Join(t.TempDir(), "token"))
			store.lock.system = func(context.Context, string) (func() error, error) {
				return nil, &os.PathError{Op: "lock", Err: none}
			}
			if _, err := New(WithStore(store), WithLogger(slog.New(slog.NewTextHandler(&log, nil)))); err != nil {
				t.Fatal(err)
			}
			for range 3 {
				unlock, err := store.Lock(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				ctx, cancel := context.WithTimeout(t.Context(), time.Second)
				defer cancel()
				if _, err := store.Lock(ctx); !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("locked twice: %v", err)
				}
				if err := unlock(); err != nil {
					t.Error(err)
				}
			}
			if n := strings.Count(log.String(), "has no locks"); n != 1 {
				t.Errorf("said %d times: %s", n, &log)
			}
		})
	}
}

// An error of the system is told as it is, not as one of the directory.
func TestLockErrorOfAnotherKind(t *testing.T) {
	t.Parallel()
	store := NewFileStore(filepath.Join(t.TempDir(), "token"))
	store.lock.system = func(context.Context, string) (func() error, error) {
		return nil, fmt.Errorf("input/output error")
	}
	if _, err := store.Lock(t.Context()); err == nil || strings.Contains(err.Error(), "writable") {
		t.Errorf("got %v", err)
	}
}

// The file itself is locked in place of a lock that cannot be made, but not where it could not be read then.
func TestFileAsItsOwnLock(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "token")
	store := NewFileStore(path)
	if err := store.Save(t.Context(), Token{RefreshToken: "kept"}); err != nil {
		t.Fatal(err)
	}
	flock := store.lock.system
	store.lock.system = func(ctx context.Context, path string) (func() error, error) {
		if strings.HasSuffix(path, ".lock") {
			return nil, &os.PathError{Op: "open", Path: path, Err: os.ErrPermission}
		}
		return flock(ctx, path)
	}
	unlock, err := store.Lock(t.Context())
	if runtime.GOOS == "windows" {
		if err == nil || !strings.Contains(err.Error(), "make its directory writable") {
			t.Errorf("got %v", err)
		}
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	if got, err := store.Load(t.Context()); err != nil || got.RefreshToken != "kept" {
		t.Errorf("while it is locked: %v, %v", got, err)
	}
	if err := unlock(); err != nil {
		t.Error(err)
	}
}
