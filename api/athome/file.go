package athome

import (
	"crypto/sha256"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
)

// Names of files that are being written: a prefix that says what for, something random, and
// partSuffix. What a killed program left is found by them.
const (
	pagePart   = ".page-"
	partSuffix = ".part"
)

// partOf is the prefix for a file that will be at a path.
func partOf(path string) string {
	return fmt.Sprintf(".%x-", sha256.Sum256([]byte(filepath.Base(path))))[:14] + "-"
}

// removeParts removes what earlier writers of a prefix left. A file that cannot be removed does no
// harm.
func removeParts(dir, prefix string) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return
	}
	for _, entry := range entries {
		if name := entry.Name(); strings.HasPrefix(name, prefix) && strings.HasSuffix(name, partSuffix) {
			os.Remove(filepath.Join(dir, name))
		}
	}
}

// A file is an output that gets its name when it is whole.
type file struct {
	dir, prefix string

	f *os.File // nil until it begins, and when it is kept
}

func (f *file) begin(int64) error {
	if f.f == nil {
		path := filepath.Join(f.dir, fmt.Sprintf("%s%016x%s", f.prefix, rand.Uint64(), partSuffix))
		created, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o666)
		f.f = created
		return err
	}
	if _, err := f.f.Seek(0, io.SeekStart); err != nil {
		return err
	}
	return f.f.Truncate(0)
}

func (f *file) space(spare []byte) []byte { return spare }

func (f *file) Write(p []byte) (int, error) { return f.f.Write(p) }

// keep gives the file its name.
func (f *file) keep(path string) error {
	if err := f.f.Close(); err != nil {
		return err
	}
	if err := os.Rename(f.f.Name(), path); err != nil {
		return err
	}
	f.f = nil
	return nil
}

// discard removes the file unless it was kept.
func (f *file) discard() {
	if f.f != nil {
		f.f.Close()
		os.Remove(f.f.Name())
	}
}
