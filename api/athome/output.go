package athome

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"

	"github.com/mangadex-go/mangadex/internal/atomicfile"
)

// An output takes a picture. Errors of its methods are not faults of the host.
type output interface {
	begin(size int64) error      // called at every attempt; size is -1 if the host does not tell
	space(spare []byte) []byte   // where to read the next bytes to: spare, or memory of its own
	Write(p []byte) (int, error) // takes what was read to it
	sum() (string, error)        // the SHA-256 of all of it, in hexadecimal digits
}

// outputError is an error of an output.
type outputError struct{ error }

func (e outputError) Unwrap() error { return e.error }

// memory keeps a picture.
type memory struct {
	data  []byte
	room  func(size int64) error  // called before so many bytes are used; nil: there is room
	alloc func(size int64) []byte // nil: the usual way
}

func (m *memory) begin(size int64) error {
	m.data = m.data[:0]
	if size > int64(cap(m.data)) {
		return m.grow(size)
	}
	return nil
}

func (m *memory) grow(size int64) error {
	if m.room != nil {
		if err := m.room(size); err != nil {
			return err
		}
	}
	grown := m.alloc
	if grown == nil {
		grown = makeBytes
	}
	m.data = append(grown(size), m.data...)
	return nil
}

func makeBytes(size int64) []byte { return make([]byte, 0, size) }

func (m *memory) space(spare []byte) []byte {
	if len(m.data) == cap(m.data) {
		return spare
	}
	return m.data[len(m.data):cap(m.data)]
}

func (m *memory) Write(p []byte) (int, error) {
	// What was read to space is in its place.
	if end := len(m.data) + len(p); len(p) > 0 && end <= cap(m.data) && &m.data[:end][len(m.data)] == &p[0] {
		m.data = m.data[:end]
		return len(p), nil
	}
	if size := len(m.data) + len(p); size > cap(m.data) {
		if err := m.grow(int64(max(size, 2*cap(m.data)))); err != nil {
			return 0, err
		}
	}
	m.data = append(m.data, p...)
	return len(p), nil
}

func (m *memory) sum() (string, error) {
	digest := sha256.Sum256(m.data)
	return hex.EncodeToString(digest[:]), nil
}

// A file is an output that gets its name when it is whole.
type file struct {
	dir, prefix string

	f *os.File // nil until it begins, and when it is kept
}

func (f *file) begin(int64) error {
	if f.f == nil {
		path := filepath.Join(f.dir, fmt.Sprintf("%s%016x%s", f.prefix, rand.Uint64(), partSuffix))
		created, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o666)
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

// sum reads the file again, most likely from memory. That takes less time than computing the sum
// while the picture arrives, which holds up the next one.
func (f *file) sum() (string, error) {
	if _, err := f.f.Seek(0, io.SeekStart); err != nil {
		return "", err
	}
	sum := newSum()
	_, err := io.Copy(sum, f.f)
	return sumText(sum), err
}

func newSum() hash.Hash { return sha256.New() }

func sumText(sum hash.Hash) string { return hex.EncodeToString(sum.Sum(nil)) }

// keep gives the file its name.
func (f *file) keep(path string) error {
	if err := f.f.Close(); err != nil {
		return err
	}
	if err := atomicfile.Place(f.f.Name(), path); err != nil {
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
