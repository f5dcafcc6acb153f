package command

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/mangadex-go/mangadex/internal/atomicfile"
)

// ReadFile reads a file as [os.ReadFile] does, but no more of it than the memory can take: a device
// such as /dev/zero has no end. If [atomicfile.Write] was killed in the middle, it reads the new content.
func ReadFile(path string) ([]byte, error) {
	f, err := atomicfile.Open(path)
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

// sameFile reports whether two paths are of one file, which need not be there.
func sameFile(a, b string) bool {
	here, err := filepath.Abs(a)
	if there, err2 := filepath.Abs(b); err == nil && err2 == nil && here == there {
		return true
	}
	one, err := os.Stat(a)
	other, err2 := os.Stat(b)
	return err == nil && err2 == nil && os.SameFile(one, other)
}

// WriteTo writes to a file, as a whole or not at all, or to Stdout if the path is empty.
func (c *Command) WriteTo(path string, write func(io.Writer) error) error {
	if path == "" {
		return write(c.Stdout)
	}
	return atomicfile.Write(path, 0o666, write)
}
