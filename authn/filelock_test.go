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
	if runtime.GOOS == "windows" {
		t.Skip("its file systems have locks")
	}
	for _, none := range []error{syscall.ENOLCK, syscall.ENOSYS, errors.ErrUnsupported} {
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
