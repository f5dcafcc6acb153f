package command

import (
	"cmp"
	"crypto/rand"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// ReadFile reads a file as [os.ReadFile] does, but no more of it than the memory can take: a device
// such as /dev/zero has no end.
func ReadFile(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	const most = 64 << 20
	content, err := io.ReadAll(io.LimitReader(f, most+1))
	if err == nil && len(content) > most {
		err = &fs.PathError{Op: "read", Path: path, Err: errors.New("it is larger than 64 MiB; choose another file")}
	}
	return content, err
}

// WriteFile writes a file as a whole or not at all: what was there stays until the new content is
// on the disk. It makes the folder. What is not a file, such as /dev/stdout, is written to as it is.
func WriteFile(path string, write func(io.Writer) error) (err error) {
	if target, err := filepath.EvalSymlinks(path); err == nil {
		path = target // so that a link stays one
	}
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
		f, err := os.OpenFile(path, os.O_WRONLY, 0)
		if err != nil {
			return err
		}
		return cmp.Or(write(f), f.Close())
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		return err
	}
	temporary := filepath.Join(filepath.Dir(path), "."+filepath.Base(path)+"."+rand.Text()+".tmp")
	f, err := os.OpenFile(temporary, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o666)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			os.Remove(temporary)
		}
	}()
	err = write(f)
	if err == nil {
		err = f.Sync()
	}
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		return err
	}
	return os.Rename(temporary, path)
}

// WriteTo writes to a file as [WriteFile] does, or to Stdout if the path is empty.
func (c *Command) WriteTo(path string, write func(io.Writer) error) error {
	if path == "" {
		return write(c.Stdout)
	}
	return WriteFile(path, write)
}
