// Package atomicfile writes files as a whole or not at all: whoever reads one finds the old content
// or the new one, also after a kill or a power cut.
//
// The new content goes to a file beside the old one, which then takes its name. What is there keeps
// its mode, and its owner and group where the process may set them. A symbolic link stays one. A
// file that cannot be replaced, because it is mounted by itself, is written in place, with a whole
// copy beside it until that is done; [Read] finds the copy. What is not a regular file, such as
// /dev/stdout, is written as it is.
package atomicfile

import (
	"bytes"
	"cmp"
	"crypto/rand"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

const (
	partSuffix = ".tmp"
	copySuffix = ".copy"
)

// A File is one that is being written. It has another name until [File.Keep].
type File struct {
	*os.File
	path string // that it will have
}

// Create begins a file that will be at a path. perm is the mode of a new one, before the umask; one
// that is there keeps its own. The folder must be there.
func Create(path string, perm fs.FileMode) (*File, error) {
	path = Target(path)
	dir, base := filepath.Split(path)
	name := filepath.Join(dir, "."+base+"."+rand.Text()[:12]+partSuffix)
	f, err := os.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_RDWR, perm)
	if err != nil {
		return nil, err
	}
	file := &File{f, path}
	if old, err := os.Stat(path); err == nil && old.Mode().IsRegular() {
		// What cannot be set is left: a file system without modes, an owner that is not ours to choose.
		keepOwner(f, old)
		_ = f.Chmod(old.Mode().Perm())
	}
	return file, nil
}

// Keep puts the file in its place. It is on the disk then. On an error the file is removed, and what
// was there before is still there.
func (f *File) Keep() error { return f.KeepAs(f.path) }

// KeepAs is Keep with another path in the same folder.
func (f *File) KeepAs(path string) error {
	err := syncFile(f.File)
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	if err == nil {
		err = Place(f.Name(), path)
	}
	if err != nil {
		os.Remove(f.Name())
		return err
	}
	os.Remove(copyOf(path)) // of an earlier writer that was killed
	return syncDir(filepath.Dir(path))
}

// Discard removes the file. After Keep it does nothing.
func (f *File) Discard() {
	if f.Close() == nil {
		os.Remove(f.Name())
	}
}

// Write writes a file as a whole or not at all. It makes the folder, with mode 0700 where perm lets
// only the owner read, and 0777 before the umask otherwise.
func Write(path string, perm fs.FileMode, write func(io.Writer) error) error {
	path = Target(path)
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
		if info.IsDir() {
			return &fs.PathError{Op: "write", Path: path, Err: errors.New("it is a folder; add the name of a file")}
		}
		f, err := os.OpenFile(path, os.O_WRONLY, 0)
		if err != nil {
			return err
		}
		return cmp.Or(write(f), f.Close())
	}
	folder := fs.FileMode(0o777)
	if perm&0o077 == 0 {
		folder = 0o700
	}
	if err := MakeFolder(filepath.Dir(path), folder); err != nil {
		return err
	}
	sweep(path)
	f, err := Create(path, perm)
	if err != nil {
		if _, there := os.Stat(path); there == nil && (errors.Is(err, fs.ErrPermission) || IsReadOnly(err)) {
			return overwrite(path, write) // a writable file in a folder that is not
		}
		return err
	}
	if err := write(f); err != nil {
		f.Discard()
		return err
	}
	return f.Keep()
}

// WriteBytes is [Write] of content that is there already.
func WriteBytes(path string, perm fs.FileMode, content []byte) error {
	return Write(path, perm, func(w io.Writer) error {
		_, err := w.Write(content)
		return err
	})
}

// Read reads a file that [Write] has written, or its copy if a writer was killed in the middle of
// it.
func Read(path string) ([]byte, error) {
	f, err := Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(f)
}

// Open opens what [Read] reads.
func Open(path string) (*os.File, error) {
	path = Target(path)
	if f, err := open(copyOf(path)); err == nil {
		return f, nil
	}
	return open(path)
}

// WriteLine is WriteBytes for a file of one line. Where the folder cannot be written, so that no copy
// can lie beside the file, the file has one at its end while it is written: if [Read] finds something
// that makes no sense, its last line does.
func WriteLine(path string, perm fs.FileMode, line []byte) error {
	path = Target(path)
	if info, err := os.Stat(path); err != nil || !info.Mode().IsRegular() || canCreate(filepath.Dir(path)) {
		return WriteBytes(path, perm, line)
	}
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	return cmp.Or(writeTwice(f, line), f.Close())
}

// writeTwice writes a line behind the content of a file, and then in its place.
func writeTwice(f *os.File, line []byte) error {
	size, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		return err
	}
	line = append(bytes.TrimRight(line, "\n"), '\n')
	behind := append(bytes.Repeat([]byte("\n"), 1+max(0, len(line)-int(size))), line...)
	if _, err := f.WriteAt(behind, size); err != nil {
		_ = f.Truncate(size) // a disk that is full
		return err
	}
	if err := syncFile(f); err != nil {
		return err
	}
	if _, err := f.WriteAt(line, 0); err != nil {
		return err
	}
	if err := syncFile(f); err != nil {
		return err
	}
	return cmp.Or(f.Truncate(int64(len(line))), syncFile(f))
}

// Remove removes a file that [Write] has written. One that cannot be removed, because it is mounted by
// itself or in a folder that cannot be written, is made empty. It is no error if there is none.
func Remove(path string) error {
	path = Target(path)
	_ = os.Remove(copyOf(path))
	err := remove(path)
	if err == nil || errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if isMounted(err) || IsReadOnly(err) || errors.Is(err, fs.ErrPermission) {
		if os.Truncate(path, 0) == nil {
			return nil
		}
	}
	return err
}

// KeepsModes reports whether files in a folder have the modes that they are given: those of FAT, SMB
// and NTFS do not, wherever they are mounted. It makes a file to find out; if it cannot, they do.
func KeepsModes(dir string) bool {
	f, err := os.CreateTemp(dir, ".*"+partSuffix)
	if err != nil {
		return true
	}
	defer os.Remove(f.Name())
	defer f.Close()
	info, err := f.Stat()
	return err != nil || info.Mode().Perm()&0o077 == 0
}

func canCreate(dir string) bool {
	f, err := os.CreateTemp(dir, ".*"+partSuffix)
	if err != nil {
		return !errors.Is(err, fs.ErrPermission) && !IsReadOnly(err)
	}
	f.Close()
	os.Remove(f.Name())
	return true
}

// Place gives a file that is whole, and was written to another name in the same folder, the name that is
// meant for it. It replaces what is there.
func Place(from, to string) error {
	err := rename(from, to)
	if !isMounted(err) {
		return err
	}
	// It is mounted by itself. The whole content stays beside it until it is there, too.
	whole := copyOf(to)
	if err := rename(from, whole); err != nil {
		return err
	}
	content, err := os.Open(whole)
	if err != nil {
		return err
	}
	defer content.Close()
	if err := overwrite(to, func(w io.Writer) error {
		_, err := io.Copy(w, content)
		return err
	}); err != nil {
		return err
	}
	return os.Remove(whole)
}

// PlaceNew is Place where nothing is: it replaces nothing, and fails with [fs.ErrExist] if something is there.
// Where the file system has no links, what somebody else puts there at the same moment is replaced.
func PlaceNew(from, to string) error {
	err := patiently(func() error { return os.Link(from, to) })
	switch {
	case err == nil:
		return remove(from)
	case errors.Is(err, fs.ErrExist):
		return err
	}
	if _, err := os.Lstat(to); err == nil {
		return &fs.PathError{Op: "rename", Path: to, Err: fs.ErrExist}
	}
	return rename(from, to)
}

// Rename is os.Rename, and has patience where a system renames nothing that somebody has open.
func Rename(from, to string) error { return rename(from, to) }

// MakeFolder is os.MkdirAll, and says on every system that something is in the way that is not a directory.
func MakeFolder(path string, perm fs.FileMode) error {
	err := os.MkdirAll(path, perm)
	var at *fs.PathError
	if errors.As(err, &at) {
		if info, statErr := os.Stat(at.Path); statErr == nil && !info.IsDir() {
			at.Err = notDirectory(at.Err)
		}
	}
	return err
}

// overwrite writes a file in place.
func overwrite(path string, write func(io.Writer) error) error {
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	err = write(f)
	if err == nil {
		var end int64
		if end, err = f.Seek(0, io.SeekCurrent); err == nil {
			err = f.Truncate(end) // what the old content had more
		}
	}
	if err == nil {
		err = syncFile(f)
	}
	return cmp.Or(err, f.Close())
}

func copyOf(path string) string {
	dir, base := filepath.Split(path)
	return filepath.Join(dir, "."+base+copySuffix)
}

// Target returns the path of the file that a symbolic link leads to, whether that file is there or
// not.
func Target(path string) string {
	const most = 40 // as many as Linux follows
	for range most {
		info, err := os.Lstat(path)
		if err != nil || info.Mode()&fs.ModeSymlink == 0 {
			break
		}
		target, err := os.Readlink(path)
		if err != nil {
			break
		}
		if !filepath.IsAbs(target) {
			target = filepath.Join(filepath.Dir(path), target)
		}
		path = target
	}
	return path
}

// sweep removes what writers of a file left that were killed. What is younger than a minute may be
// in use.
func sweep(path string) {
	dir, base := filepath.Split(path)
	entries, err := os.ReadDir(cmp.Or(filepath.Clean(dir), "."))
	if err != nil {
		return
	}
	for _, entry := range entries {
		name := entry.Name()
		if !strings.HasPrefix(name, "."+base+".") || !strings.HasSuffix(name, partSuffix) {
			continue
		}
		if info, err := entry.Info(); err == nil && time.Since(info.ModTime()) > time.Minute {
			os.Remove(filepath.Join(dir, name))
		}
	}
}

// syncFile puts a file on the disk, as far as the file system can.
func syncFile(f *os.File) error {
	err := f.Sync()
	if cannotSync(err) || errors.Is(err, errors.ErrUnsupported) {
		return nil
	}
	return err
}
