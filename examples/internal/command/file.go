package command

import (
	"cmp"
	"crypto/rand"
	"io"
	"os"
	"path/filepath"
)

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
