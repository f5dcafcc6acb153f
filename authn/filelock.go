package authn

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"github.com/gofrs/flock"

	"github.com/mangadex-go/mangadex/internal/atomicfile"
)

// lockInterval is how often a lock is tried that another process holds.
const lockInterval = 10 * time.Millisecond

// A fileLock locks a token file.
type fileLock struct {
	system func(ctx context.Context, path string) (unlock func() error, err error) // of the system
	turn   chan struct{}                                                           // among those of this program, where it has none
	warner teller
}

func (l *fileLock) take(ctx context.Context, path string) (unlock func() error, err error) {
	unlock, err = l.system(ctx, path+".lock")
	if err == nil {
		giveTo(path, path+".lock")
	}
	if !locksHideContent && (errors.Is(err, fs.ErrPermission) || atomicfile.IsReadOnly(err)) {
		// The folder cannot be written, so that the file is written in place and can be its own lock.
		if _, there := os.Stat(path); there == nil {
			unlock, err = l.system(ctx, path)
		}
	}
	switch {
	case err == nil:
		return unlock, nil
	case ctx.Err() != nil:
		return nil, fmt.Errorf("another session or program holds %s; wait for its end, or end it: %w", path+".lock", err)
	case hasNoLocks(err):
		l.warner.tell("authn: the file system of the token file has no locks; no other program may use it", "path", path, "error", err)
		return l.takeTurn(ctx)
	case errors.Is(err, fs.ErrPermission), atomicfile.IsReadOnly(err), errors.Is(err, fs.ErrNotExist), isDir(path + ".lock"):
		return nil, fmt.Errorf("the token file cannot be locked; make its directory writable: %w", err)
	}
	return nil, fmt.Errorf("the token file cannot be locked: %w", err)
}

// flockFile locks a file that it makes if need be. There is one flock for each holder: it is by the
// open file that the system tells them apart.
func flockFile(ctx context.Context, path string) (unlock func() error, err error) {
	lock := flock.New(path)
	if _, err := lock.TryLockContext(ctx, lockInterval); err != nil {
		_ = lock.Close()
		if _, named := errors.AsType[*fs.PathError](err); !named && ctx.Err() == nil {
			err = &fs.PathError{Op: "lock", Path: path, Err: err}
		}
		return nil, err
	}
	return lock.Unlock, nil
}

func (l *fileLock) takeTurn(ctx context.Context) (unlock func() error, err error) {
	select {
	case l.turn <- struct{}{}:
		return func() error { <-l.turn; return nil }, nil
	case <-ctx.Done():
		return nil, fmt.Errorf("another session holds the token file: %w", ctx.Err())
	}
}

func isDir(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}
