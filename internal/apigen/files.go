package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// Files are generated files: what is in them, by their paths from the root of the module.
type Files map[string][]byte

func isGenerated(path string) bool { return strings.HasSuffix(path, ".gen.go") }

func isTest(path string) bool { return strings.HasSuffix(path, "_test.go") }

// write replaces the files below root, all of them or none: nothing is renamed before everything is
// on the disk. A file whose content is right already stays as it is, so that a build of it stays
// cached.
func (f Files) write(root string) (err error) {
	type change struct{ from, to string }
	var changes []change
	defer func() {
		for _, c := range changes {
			if removed := os.Remove(c.from); err == nil && removed != nil && !errors.Is(removed, os.ErrNotExist) {
				err = removed
			}
		}
	}()
	for path, content := range f {
		to := filepath.Join(root, path)
		if old, err := os.ReadFile(to); err == nil && bytes.Equal(old, content) {
			continue
		}
		if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
			return fmt.Errorf("%w; nothing was written", err)
		}
		file, err := os.CreateTemp(filepath.Dir(to), "."+filepath.Base(to)+"-*")
		if err != nil {
			return fmt.Errorf("%w; nothing was written", err)
		}
		changes = append(changes, change{file.Name(), to})
		_, err = file.Write(content)
		err = errors.Join(err, file.Chmod(0o644), file.Close())
		if err != nil {
			return fmt.Errorf("%w; nothing was written", err)
		}
	}
	for _, c := range changes {
		if err := os.Rename(c.from, c.to); err != nil {
			return fmt.Errorf("%w; run go generate again", err)
		}
	}
	return nil
}
