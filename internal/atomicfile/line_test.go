package atomicfile

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

// However far a writer comes that is killed, one of the lines is whole: the first, if all of the rest
// can be cut off, or the last.
func TestWriteTwice(t *testing.T) {
	t.Parallel()
	for _, lines := range [][2]string{{"old\n", "a line that is longer\n"}, {"a line that is longer\n", "new\n"}, {"", "new\n"}, {"old", "new\n"}} {
		path := filepath.Join(t.TempDir(), "file")
		if err := os.WriteFile(path, []byte(lines[0]), 0o600); err != nil {
			t.Fatal(err)
		}
		f, err := os.OpenFile(path, os.O_RDWR, 0)
		if err != nil {
			t.Fatal(err)
		}
		if err := writeTwice(f, []byte(lines[1])); err != nil {
			t.Fatal(err)
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
		if got, err := os.ReadFile(path); err != nil || string(got) != lines[1] {
			t.Errorf("%q, then %q: %q, %v", lines[0], lines[1], got, err)
		}
		// What lies in the file when the new line is half in its place.
		size, n := len(lines[0]), len(lines[1])
		behind := append(bytes.Repeat([]byte("\n"), 1+max(0, n-size)), lines[1]...)
		state := append([]byte(lines[0]), behind...)
		copy(state, lines[1][:n/2])
		all := bytes.Split(bytes.TrimSpace(state), []byte("\n"))
		if last := string(all[len(all)-1]) + "\n"; last != lines[1] {
			t.Errorf("%q, then %q: killed in the middle: %q", lines[0], lines[1], state)
		}
	}
}
