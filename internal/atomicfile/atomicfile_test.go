package atomicfile_test

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/mangadex-go/mangadex/internal/atomicfile"
	"github.com/mangadex-go/mangadex/internal/wine"
)

func write(t *testing.T, path, content string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

func want(t *testing.T, path, content string) {
	t.Helper()
	got, err := atomicfile.Read(path)
	if err != nil || string(got) != content {
		t.Errorf("%s holds %q, %v; want %q", filepath.Base(path), got, err, content)
	}
}

// alone fails if there is anything in a folder but what is named.
func alone(t *testing.T, dir string, names ...string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, entry := range entries {
		got = append(got, entry.Name())
	}
	if strings.Join(got, " ") != strings.Join(names, " ") {
		t.Errorf("the folder holds %q, want %q", got, names)
	}
}

func TestWrite(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "new", "folder")
	path := filepath.Join(dir, "file")
	for _, content := range []string{"first", "a longer second", ""} {
		if err := atomicfile.WriteBytes(path, 0o600, []byte(content)); err != nil {
			t.Fatal(err)
		}
		want(t, path, content)
	}
	alone(t, dir, "file")
	if info, err := os.Stat(path); err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
}

// A writer that fails in the middle leaves what was there, and nothing else.
func TestFailure(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "file")
	write(t, path, "old")
	full := errors.New("full")
	err := atomicfile.Write(path, 0o600, func(w io.Writer) error {
		if _, err := w.Write([]byte("ne")); err != nil {
			return err
		}
		return full
	})
	if !errors.Is(err, full) {
		t.Errorf("got %v", err)
	}
	want(t, path, "old")
	alone(t, dir, "file")
}

func TestModeIsKept(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("Windows has no such modes")
	}
	path := filepath.Join(t.TempDir(), "file")
	write(t, path, "old")
	if err := os.Chmod(path, 0o640); err != nil {
		t.Fatal(err)
	}
	if err := atomicfile.WriteBytes(path, 0o600, []byte("new")); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o640 {
		t.Errorf("mode %v, %v; want that of the old file", info.Mode(), err)
	}
}

// A link stays one, and leads to the new content, also if it led nowhere.
func TestLinks(t *testing.T) {
	t.Parallel()
	wine.SkipLinks(t)
	dir := t.TempDir()
	target, link := filepath.Join(dir, "target"), filepath.Join(dir, "link")
	if err := os.Symlink("target", link); err != nil {
		t.Skip("no symbolic links here: ", err)
	}
	for _, content := range []string{"first", "second"} {
		if err := atomicfile.WriteBytes(link, 0o600, []byte(content)); err != nil {
			t.Fatal(err)
		}
		want(t, target, content)
		want(t, link, content)
	}
	if info, err := os.Lstat(link); err != nil || info.Mode()&fs.ModeSymlink == 0 {
		t.Errorf("the link is %v, %v", info.Mode(), err)
	}
	alone(t, dir, "link", "target")
}

func TestFolder(t *testing.T) {
	t.Parallel()
	err := atomicfile.WriteBytes(t.TempDir(), 0o600, nil)
	if err == nil || !strings.Contains(err.Error(), "folder") {
		t.Errorf("got %v", err)
	}
}

func TestDevice(t *testing.T) {
	t.Parallel()
	if _, err := os.Stat(os.DevNull); err != nil || runtime.GOOS == "windows" {
		t.Skip("there is no ", os.DevNull)
	}
	if err := atomicfile.WriteBytes(os.DevNull, 0o600, []byte("x")); err != nil {
		t.Error(err)
	}
}

func TestSweep(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "file")
	old, young := filepath.Join(dir, ".file.OLD.tmp"), filepath.Join(dir, ".file.YOUNG.tmp")
	write(t, old, "")
	write(t, young, "")
	past := time.Now().Add(-time.Hour)
	if err := os.Chtimes(old, past, past); err != nil {
		t.Fatal(err)
	}
	if err := atomicfile.WriteBytes(path, 0o600, []byte("x")); err != nil {
		t.Fatal(err)
	}
	alone(t, dir, ".file.YOUNG.tmp", "file")
}

// The copy of a writer that was killed while it wrote in place is what Read finds, and the next
// write takes it away.
func TestCopy(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "file")
	write(t, path, "new con") // half written
	write(t, filepath.Join(dir, ".file.copy"), "new content")
	want(t, path, "new content")
	if err := atomicfile.WriteBytes(path, 0o600, []byte("newer")); err != nil {
		t.Fatal(err)
	}
	want(t, path, "newer")
	alone(t, dir, "file")
}

// A file that is mounted by itself cannot be renamed over, and is written in place. The witness is
// the kernel: the test runs itself with mounts of its own.
func TestMountedFile(t *testing.T) {
	if dir := os.Getenv("ATOMICFILE_MOUNTED"); dir != "" {
		path := filepath.Join(dir, "file")
		for _, content := range []string{"a longer content than before", "short"} {
			if err := atomicfile.WriteBytes(path, 0o600, []byte(content)); err != nil {
				t.Fatal(err)
			}
			want(t, path, content)
		}
		alone(t, dir, "file")
		return
	}
	t.Parallel()
	unshare, err := exec.LookPath("unshare")
	if err != nil {
		t.Skip("there is no unshare, which makes mounts for one program only; install util-linux")
	}
	dir, source := t.TempDir(), filepath.Join(t.TempDir(), "source")
	path := filepath.Join(dir, "file")
	write(t, path, "")
	write(t, source, "old")
	probe := exec.CommandContext(t.Context(), unshare, "--user", "--map-root-user", "--mount", "mount", "--bind", source, path)
	if out, err := probe.CombinedOutput(); err != nil {
		t.Skipf("mounts cannot be made here: %v: %s", err, out)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), unshare, "--user", "--map-root-user", "--mount", "sh", "-c",
		`mount --bind "$1" "$2" && exec "$3" -test.run '^TestMountedFile$'`, "sh", source, path, self)
	cmd.Env = append(os.Environ(), "ATOMICFILE_MOUNTED="+dir)
	if out, err := cmd.CombinedOutput(); err != nil || bytes.Contains(out, []byte("no tests to run")) {
		t.Fatalf("%v\n%s", err, out)
	}
	if got, err := os.ReadFile(source); err != nil || string(got) != "short" {
		t.Errorf("what is mounted holds %q, %v", got, err)
	}
}

// A file of a user that root renews stays the user's.
func TestOwnerIsKept(t *testing.T) {
	t.Parallel()
	if os.Getuid() != 0 {
		t.Skip("only root can give files away; run it as root")
	}
	path := filepath.Join(t.TempDir(), "file")
	write(t, path, "old")
	if err := os.Chown(path, 12345, 23456); err != nil {
		t.Skip("owners cannot be set here: ", err)
	}
	if err := atomicfile.WriteBytes(path, 0o600, []byte("new")); err != nil {
		t.Fatal(err)
	}
	out, err := exec.CommandContext(t.Context(), "ls", "-ln", path).Output()
	if fields := strings.Fields(string(out)); err != nil || len(fields) < 4 || fields[2] != "12345" || fields[3] != "23456" {
		t.Errorf("ls -ln says %q, %v", out, err)
	}
}

func TestRemove(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "file")
	for range 2 {
		if err := atomicfile.Remove(path); err != nil {
			t.Error(err)
		}
		alone(t, dir)
	}
	write(t, path, "content")
	write(t, filepath.Join(dir, ".file.copy"), "of a writer that was killed")
	if err := atomicfile.Remove(path); err != nil {
		t.Error(err)
	}
	alone(t, dir)
}

func TestWriteLine(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "new")
	path := filepath.Join(dir, "file")
	for _, line := range []string{"first\n", "a second one\n", "x\n"} {
		if err := atomicfile.WriteLine(path, 0o600, []byte(line)); err != nil {
			t.Fatal(err)
		}
		want(t, path, line)
	}
	alone(t, dir, "file")
}

func TestKeepsModes(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if runtime.GOOS != "windows" && !atomicfile.KeepsModes(dir) {
		t.Error("the folder of a test does not keep modes")
	}
	if !atomicfile.KeepsModes(filepath.Join(dir, "nothing")) {
		t.Error("a folder that is not there lets everything pass")
	}
	alone(t, dir)
}

// Another program reads a file for a moment: it is replaced and removed all the same, also where a system
// does that to no file that is open.
func TestReaderInTheWay(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "file")
	for name, do := range map[string]func() error{
		"Write":  func() error { return atomicfile.WriteBytes(path, 0o600, []byte("new")) },
		"Rename": func() error { return atomicfile.Rename(path, path+".aside") },
		"Remove": func() error { return atomicfile.Remove(path) },
	} {
		write(t, path, "old")
		reader, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		time.AfterFunc(50*time.Millisecond, func() { reader.Close() })
		if err := do(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestMakeFolder(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, filepath.Join(dir, "file"), "")
	for _, path := range []string{"file", "file/below", "file/far/below"} {
		err := atomicfile.MakeFolder(filepath.Join(dir, path), 0o700)
		if err == nil || !strings.HasSuffix(strings.SplitAfter(err.Error(), "directory")[0], filepath.Join(dir, "file")+": not a directory") {
			t.Errorf("%s: %v", path, err)
		}
	}
	if err := atomicfile.MakeFolder(filepath.Join(dir, "new", "one"), 0o700); err != nil {
		t.Error(err)
	}
}

func TestReadFolder(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if _, err := atomicfile.Read(dir); !errors.Is(err, syscall.EISDIR) || !strings.Contains(err.Error(), dir+": is a directory") {
		t.Errorf("got %v", err)
	}
}

// A file that is put where nothing is replaces nothing.
func TestPlaceNew(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	from, to := filepath.Join(dir, "from"), filepath.Join(dir, "to")
	if err := atomicfile.WriteBytes(from, 0o600, []byte("first")); err != nil {
		t.Fatal(err)
	}
	if err := atomicfile.PlaceNew(from, to); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Lstat(from); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the old name: %v", err)
	}
	if err := atomicfile.WriteBytes(from, 0o600, []byte("second")); err != nil {
		t.Fatal(err)
	}
	if err := atomicfile.PlaceNew(from, to); !errors.Is(err, fs.ErrExist) {
		t.Errorf("got %v", err)
	}
	for path, want := range map[string]string{from: "second", to: "first"} {
		if got, err := atomicfile.Read(path); err != nil || string(got) != want {
			t.Errorf("%s holds %q, %v", path, got, err)
		}
	}
}
