package authn

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"

	"github.com/gofrs/flock"
)

// A FileStore keeps a token in a file that only its owner may read (mode 0600). Processes may share
// it: next to the file, at the same path with .lock at the end, lies an empty file that serves as
// the lock. A process that is killed leaves the old token or the new one, never a part of it. It is
// made by [NewFileStore].
type FileStore struct{ path string }

// NewFileStore returns a store in the file at path. The file and its directory are made when a
// token is saved.
func NewFileStore(path string) *FileStore { return &FileStore{path} }

// Load implements [Store]. A file that cannot be understood is renamed, so that a new token does
// not overwrite it, and reported as [ErrDamaged]; the next Load finds no token. A file that
// everybody may read is refused.
func (s *FileStore) Load(ctx context.Context) (Token, error) {
	if err := s.usable(ctx); err != nil {
		return Token{}, err
	}
	s = s.behindLinks()
	data, err := readSecrets(s.path)
	if errors.Is(err, fs.ErrNotExist) {
		return Token{}, nil
	}
	if err != nil && data == nil {
		return Token{}, fmt.Errorf("the token file cannot be read: %w", err)
	}
	t, damage := DecodeToken(data)
	if damage != nil {
		aside, err := s.setAside()
		if err != nil {
			return Token{}, fmt.Errorf("%w: %s: %w; it cannot be renamed, so delete it: %w", ErrDamaged, s.path, damage, err)
		}
		return Token{}, fmt.Errorf("%w: %s: %w; it was renamed to %s, and the next start does without it", ErrDamaged, s.path, damage, aside)
	}
	if err != nil {
		return Token{}, fmt.Errorf("the token file is not safe: %w", err)
	}
	return t, nil
}

// Save implements [Store]. The token is on the disk when Save returns.
func (s *FileStore) Save(ctx context.Context, t Token) (err error) {
	if t.AccessToken == "" && t.RefreshToken == "" {
		return s.Delete(ctx)
	}
	if err := s.usable(ctx); err != nil {
		return err
	}
	s = s.behindLinks()
	dir, base := filepath.Split(s.path)
	if err := s.makeDir(); err != nil {
		return err
	}
	s.sweep()
	file, err := os.CreateTemp(filepath.Clean(dir), "."+base+".*.tmp") // mode 0600
	if err != nil {
		return fmt.Errorf("the token file cannot be written: %w", err)
	}
	defer func() {
		if err != nil {
			err = fmt.Errorf("the token file cannot be written: %w", err)
			_ = os.Remove(file.Name())
		}
	}()
	_, err = file.Write(EncodeToken(t))
	if err == nil {
		err = file.Sync()
	}
	if closeErr := file.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		return err
	}
	if err := os.Rename(file.Name(), s.path); err != nil {
		return err
	}
	return syncDir(filepath.Dir(s.path))
}

// Delete implements [Store].
func (s *FileStore) Delete(ctx context.Context) error {
	if err := s.usable(ctx); err != nil {
		return err
	}
	s = s.behindLinks()
	if err := os.Remove(s.path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("the token file cannot be deleted: %w", err)
	}
	return nil
}

// lockInterval is how often a lock is tried that another process holds.
const lockInterval = 10 * time.Millisecond

// Lock implements [Locker].
func (s *FileStore) Lock(ctx context.Context) (unlock func() error, err error) {
	if err := s.usable(ctx); err != nil {
		return nil, err
	}
	s = s.behindLinks()
	if err := s.makeDir(); err != nil {
		return nil, err
	}
	// One flock for each holder: it is by the open file that the system tells them apart.
	lock := flock.New(s.path + ".lock")
	_, err = lock.TryLockContext(ctx, lockInterval)
	switch {
	case err != nil && ctx.Err() != nil:
		return nil, fmt.Errorf("another session or program holds %s: %w", lock.Path(), err)
	case err != nil:
		return nil, fmt.Errorf("the token file cannot be locked, for which its directory must be writable: %w", err)
	}
	return lock.Unlock, nil
}

// behindLinks returns the store in the file that a symbolic link leads to. So the link stays one, and
// who names the file itself has the same lock.
func (s *FileStore) behindLinks() *FileStore {
	if target, err := filepath.EvalSymlinks(s.path); err == nil {
		return &FileStore{target}
	}
	return s
}

func (s *FileStore) usable(ctx context.Context) error {
	if s.path == "" {
		return errors.New("the path of the token file is empty")
	}
	if os.IsPathSeparator(s.path[len(s.path)-1]) {
		return fmt.Errorf("the token file cannot be %s: that is the path of a directory; add the name of a file", s.path)
	}
	return ctx.Err()
}

func (s *FileStore) makeDir() error {
	if err := os.MkdirAll(filepath.Dir(s.path), 0o700); err != nil {
		return fmt.Errorf("the directory of the token file cannot be made: %w", err)
	}
	return nil
}

// setAside renames a damaged file to a name that is free.
func (s *FileStore) setAside() (string, error) {
	for n := 1; ; n++ {
		aside := fmt.Sprintf("%s.damaged-%d", s.path, n)
		// Link fails where Rename would overwrite.
		err := os.Link(s.path, aside)
		switch {
		case errors.Is(err, fs.ErrExist) && n < 1000:
			continue
		case err == nil:
			return aside, os.Remove(s.path)
		}
		return aside, os.Rename(s.path, aside) // a file system without links
	}
}

// sweep removes the temporary files of processes that were killed. Those of the last minute may be
// in use.
func (s *FileStore) sweep() {
	dir, base := filepath.Split(s.path)
	entries, _ := os.ReadDir(filepath.Clean(dir))
	for _, entry := range entries {
		name := entry.Name()
		if !strings.HasPrefix(name, "."+base+".") || !strings.HasSuffix(name, ".tmp") {
			continue
		}
		if info, err := entry.Info(); err == nil && time.Since(info.ModTime()) > time.Minute {
			_ = os.Remove(filepath.Join(dir, name))
		}
	}
}

// syncDir makes a rename durable, where directories can be synced.
func syncDir(path string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	dir, err := os.Open(path)
	if err != nil {
		return err
	}
	err = dir.Sync()
	if errors.Is(err, syscall.EINVAL) || errors.Is(err, errors.ErrUnsupported) {
		err = nil // some network file systems cannot
	}
	if closeErr := dir.Close(); err == nil {
		err = closeErr
	}
	return err
}

// readSecrets reads a file that must not be readable by everybody. If it is, there are both the
// data and an error.
func readSecrets(path string) ([]byte, error) {
	if path == "" {
		return nil, errors.New("its path is empty")
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	const largest = 1 << 20
	switch {
	case info.IsDir():
		return nil, fmt.Errorf("%s is a directory; add the name of a file", path)
	case !info.Mode().IsRegular() || info.Size() > largest:
		return nil, fmt.Errorf("%s is not a file of a few kilobytes", path)
	}
	data := make([]byte, info.Size())
	n, err := file.ReadAt(data, 0)
	if err != nil && n < len(data) {
		return nil, err
	}
	if mode := info.Mode().Perm(); runtime.GOOS != "windows" && mode&0o007 != 0 {
		return data, fmt.Errorf("%s has mode %04o, so that everybody on this computer can use it; run chmod 600 on it", path, mode)
	}
	return data, nil
}
