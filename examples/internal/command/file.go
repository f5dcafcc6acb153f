package command

import (
	"errors"
	"io"
	"io/fs"

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

// WriteTo writes to a file, as a whole or not at all, or to Stdout if the path is empty.
func (c *Command) WriteTo(path string, write func(io.Writer) error) error {
	if path == "" {
		return write(c.Stdout)
	}
	return atomicfile.Write(path, 0o666, write)
}
