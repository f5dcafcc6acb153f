package authn

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"

	"github.com/mangadex-go/mangadex/internal/atomicfile"
)

// A FileStore keeps a token in a file that only its owner may read (mode 0600). Processes may share it:
// next to the file, at the same path with .lock at the end, lies an empty file that serves as the lock.
// A process that is killed leaves the old token or the new one, never a part of it. An existing file
// keeps its owner and group, and a symbolic link stays one. A file that is itself a mount, or whose
// folder cannot be written, is written in place; on Windows, where such a file cannot be locked, that is an
// error. A token that the server has refused is kept at the same path with .refused at the end, until another
// one is saved. It is made by [NewFileStore].
type FileStore struct {
	path string
	lock fileLock
}

// NewFileStore returns a store in the file at path. The file and its directory are made when a
// token is saved. A path that begins with ~/ is in the home directory.
func NewFileStore(path string) *FileStore {
	return &FileStore{path: path, lock: fileLock{system: flockFile, turn: make(chan struct{}, 1)}}
}

// Load implements [Store]. A file that cannot be understood is renamed, so that a new token does
// not overwrite it, and reported as [ErrDamaged]; the next Load finds no token. A file that
// everybody may read is refused, unless its file system has no modes.
func (s *FileStore) Load(ctx context.Context) (Token, error) {
	path, err := s.file(ctx)
	if err != nil {
		return Token{}, err
	}
	data, err := readSecrets(path, false)
	if errors.Is(err, fs.ErrNotExist) {
		return Token{}, nil
	}
	if err != nil && data == nil {
		return Token{}, fmt.Errorf("the token file cannot be read: %w", err)
	}
	t, damage := DecodeToken(data)
	if damage != nil { // a process may have been killed while it wrote the file in place
		lines := bytes.Split(bytes.TrimSpace(data), []byte("\n"))
		if t, err := DecodeToken(lines[len(lines)-1]); err == nil {
			return t, nil
		}
		return Token{}, setAside(path, data, damage)
	}
	if err != nil {
		return Token{}, fmt.Errorf("the token file is not safe: %w", err)
	}
	return t, nil
}

// Save implements [Store]. The token is on the disk when Save returns.
func (s *FileStore) Save(ctx context.Context, t Token) error {
	if t.empty() {
		return s.Delete(ctx)
	}
	path, err := s.file(ctx)
	if err != nil {
		return err
	}
	if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() && info.Mode()&0o007 != 0 {
		_ = os.Chmod(path, info.Mode().Perm()&^0o007) // or the new token would have the mode of the old one
	}
	if err := atomicfile.WriteLine(path, 0o600, EncodeToken(t)); err != nil {
		return fmt.Errorf("the token file cannot be written: %w", err)
	}
	if refused, err := atomicfile.Read(path + refusedSuffix); err == nil {
		if old, err := DecodeToken(refused); err != nil || old.RefreshToken != t.RefreshToken {
			_ = atomicfile.Remove(path + refusedSuffix)
		}
	}
	return nil
}

// refusedSuffix is where a token is kept that was refused.
const refusedSuffix = ".refused"

// Delete implements [Store].
func (s *FileStore) Delete(ctx context.Context) error {
	path, err := s.file(ctx)
	if err != nil {
		return err
	}
	if err := atomicfile.Remove(path); err != nil {
		return fmt.Errorf("the token file cannot be deleted: %w", err)
	}
	return nil
}

// Discard implements [Discarder].
func (s *FileStore) Discard(ctx context.Context) error {
	path, err := s.file(ctx)
	if err != nil {
		return err
	}
	data, err := readSecrets(path, false)
	switch {
	case errors.Is(err, fs.ErrNotExist), len(data) == 0 && err == nil:
		return nil
	case err != nil:
		return fmt.Errorf("the token file cannot be set aside: %w", err)
	}
	if err := atomicfile.WriteBytes(path+refusedSuffix, 0o600, data); err != nil {
		return fmt.Errorf("the token file cannot be set aside: %w", err)
	}
	return s.Delete(ctx)
}

// Lock implements [Locker]. On a file system without locks, it locks only among the sessions of this
// program that have this store, and tells the logger of a session so, once.
func (s *FileStore) Lock(ctx context.Context) (unlock func() error, err error) {
	path, err := s.file(ctx)
	if err != nil {
		return nil, err
	}
	if err := atomicfile.MakeFolder(filepath.Dir(path), 0o700); err != nil {
		return nil, fmt.Errorf("the directory of the token file cannot be made: %w", err)
	}
	return s.lock.take(ctx, path)
}

// Format writes the path for every verb of package fmt.
func (s *FileStore) Format(f fmt.State, _ rune) {
	if s == nil {
		_, _ = io.WriteString(f, "authn.FileStore(nil)")
		return
	}
	_, _ = io.WriteString(f, "authn.FileStore("+s.path+")")
}

// file returns the path of the file itself: that to which a symbolic link leads. So the link stays
// one, and who names the file itself has the same lock.
func (s *FileStore) file(ctx context.Context) (string, error) {
	switch {
	case s == nil || s.lock.turn == nil:
		return "", errors.New("the file store was not made by NewFileStore")
	case s.path == "":
		return "", errors.New("the path of the token file is empty")
	case os.IsPathSeparator(s.path[len(s.path)-1]):
		return "", fmt.Errorf("the token file cannot be %s: that is the path of a directory; add the name of a file", s.path)
	}
	path, err := atHome(s.path)
	if err != nil {
		return "", err
	}
	return atomicfile.Target(path), ctx.Err()
}

// atHome puts the home directory in the place of the ~ that a shell has not replaced.
func atHome(path string) (string, error) {
	rest, ok := strings.CutPrefix(path, "~")
	if !ok || rest != "" && !os.IsPathSeparator(rest[0]) {
		return path, nil
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "", fmt.Errorf("%s is in the home directory, which is not known: %w", path, err)
	}
	return filepath.Join(home, rest), nil
}

// setAside renames a damaged file to a name that is free, and returns the error that says so. If
// another process has put a good file in its place meanwhile, that goes back.
func setAside(path string, damaged []byte, why error) error {
	aside, err := renameAside(path)
	if err != nil && len(strings.TrimSpace(string(damaged))) == 0 {
		return nil // an empty file was mounted, to be written
	}
	if err != nil {
		return fmt.Errorf("%w: %s: %w; it cannot be renamed, so delete it: %w", ErrDamaged, path, why, err)
	}
	if moved, err := atomicfile.Read(aside); err == nil && string(moved) != string(damaged) {
		if _, bad := DecodeToken(moved); bad == nil {
			err := atomicfile.PlaceNew(aside, path)
			if errors.Is(err, fs.ErrExist) { // a later save, which would have replaced it
				err = atomicfile.Remove(aside)
			}
			if err == nil {
				return fmt.Errorf("%w: %s: %w; another program has replaced it meanwhile, so try again", ErrDamaged, path, why)
			}
		}
	}
	return fmt.Errorf("%w: %s: %w; it was renamed to %s, and the next start finds no token", ErrDamaged, path, why, aside)
}

func renameAside(path string) (string, error) {
	for n := 1; ; n++ {
		aside := fmt.Sprintf("%s.damaged-%d", path, n)
		reserved, err := os.OpenFile(aside, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
		if errors.Is(err, fs.ErrExist) && n < 1000 {
			continue
		}
		if err != nil {
			return "", err
		}
		_ = reserved.Close()
		if err := atomicfile.Rename(path, aside); err != nil {
			_ = os.Remove(aside)
			return "", err
		}
		return aside, nil
	}
}

// readSecrets reads a file that must not be readable by everybody. If it is, there are both the
// data and an error. A file that nobody may write is how secrets are mounted; it may be sealed if
// it is only read. Where modes cannot be set they say nothing.
func readSecrets(path string, sealed bool) ([]byte, error) {
	if path == "" {
		return nil, errors.New("its path is empty")
	}
	info, err := os.Stat(path)
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
	data, err := atomicfile.Read(path)
	if err != nil {
		return nil, err
	}
	mode := info.Mode().Perm()
	if runtime.GOOS == "windows" || mode&0o007 == 0 || sealed && mode&0o222 == 0 || !atomicfile.KeepsModes(filepath.Dir(path)) {
		return data, nil
	}
	return data, fmt.Errorf("%s has mode %04o, so that everybody on this computer can use it; run chmod 600 on it", path, mode)
}

// A teller tells a logger something once.
type teller struct{ logger atomic.Pointer[slog.Logger] }

func (t *teller) tell(text string, args ...any) {
	if logger := t.logger.Swap(nil); logger != nil {
		logger.Warn(text, args...)
	}
}
