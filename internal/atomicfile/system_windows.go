package atomicfile

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// Errors of Windows that package syscall does not name.
const (
	errInvalidFunction  = syscall.Errno(1)
	errWriteProtect     = syscall.Errno(19)
	errSharingViolation = syscall.Errno(32)
	errHandleDiskFull   = syscall.Errno(39)
	errDiskFull         = syscall.Errno(112)
)

// patience is how long a file is tried again that somebody else has open: for as long as another program
// may read it, or look it through for viruses.
const patience = 2 * time.Second

func keepOwner(*os.File, fs.FileInfo) {}

func syncDir(string) error { return nil }

func isMounted(error) bool { return false }

// IsFull tells that there is no room on a disk.
func IsFull(err error) bool {
	return errors.Is(err, errDiskFull) || errors.Is(err, errHandleDiskFull) || errors.Is(err, syscall.ENOSPC)
}

// IsReadOnly tells that nothing can be written on a disk, whoever writes.
func IsReadOnly(err error) bool { return errors.Is(err, errWriteProtect) }

func cannotSync(err error) bool { return errors.Is(err, errInvalidFunction) }

// notDirectory adds the words that other systems have. Windows says that the path cannot be found.
func notDirectory(err error) error { return fmt.Errorf("not a directory: %w", err) }

// open opens a file so that it can be replaced and removed meanwhile, from which os.Open keeps everybody.
func open(path string) (f *os.File, err error) {
	name, err := syscall.UTF16PtrFromString(path)
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: path, Err: err}
	}
	err = patiently(func() error {
		const shared = syscall.FILE_SHARE_READ | syscall.FILE_SHARE_WRITE | syscall.FILE_SHARE_DELETE
		h, err := syscall.CreateFile(name, syscall.GENERIC_READ, shared, nil, syscall.OPEN_EXISTING, syscall.FILE_FLAG_BACKUP_SEMANTICS, 0)
		if err != nil {
			return &fs.PathError{Op: "open", Path: path, Err: err}
		}
		f = os.NewFile(uintptr(h), path)
		return nil
	})
	if err != nil {
		return nil, err
	}
	if info, err := f.Stat(); err == nil && info.IsDir() { // of which reading would only say that it is an invalid function
		f.Close()
		return nil, &fs.PathError{Op: "read", Path: path, Err: syscall.EISDIR}
	}
	return f, nil
}

func rename(from, to string) error {
	if info, err := os.Lstat(to); err == nil && (info.IsDir() || info.Mode()&0o200 == 0) {
		return os.Rename(from, to) // it is not replaced, however long one waits
	}
	return patiently(func() error { return replace(from, to) })
}

// replace is os.Rename, but a file that others have opened by open does not stand in the way. That needs
// another call of Windows, which os.Root makes where the file system has it.
func replace(from, to string) error {
	if dir := filepath.Dir(to); filepath.Dir(from) == dir {
		if root, err := os.OpenRoot(dir); err == nil {
			defer root.Close()
			if root.Rename(filepath.Base(from), filepath.Base(to)) == nil {
				return nil
			}
		}
	}
	return os.Rename(from, to)
}

func remove(path string) error {
	return patiently(func() error { return os.Remove(path) })
}

// IsBusy tells that somebody else has a file open in a way that keeps this program from it for the moment.
func IsBusy(err error) bool { return errors.Is(err, errSharingViolation) }

// patiently does something again for as long as somebody else may have the file open, or one in the
// folder. Windows has two errors for that.
func patiently(do func() error) error {
	end := time.Now().Add(patience)
	for pause := time.Millisecond; ; pause = min(2*pause, 10*time.Millisecond) {
		err := do()
		if !IsBusy(err) && !errors.Is(err, syscall.ERROR_ACCESS_DENIED) || time.Now().After(end) {
			return err
		}
		time.Sleep(pause)
	}
}
