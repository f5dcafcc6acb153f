package cli_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/mangadex-go/mangadex/api/cli"
	"github.com/mangadex-go/mangadex/internal/atomicfile"
)

// Windows has errors of its own for what is wrong with files, and ends their texts with a full stop.
func TestExplainWindows(t *testing.T) {
	t.Parallel()
	for number, want := range map[syscall.Errno]string{
		3:   "; check the path",                                  // ERROR_PATH_NOT_FOUND
		5:   "; choose another place, or change its permissions", // ERROR_ACCESS_DENIED
		19:  "; choose another place, or change its permissions", // ERROR_WRITE_PROTECT
		39:  "; make room there",                                 // ERROR_HANDLE_DISK_FULL
		109: "nobody reads the output any more: write x: ",       // ERROR_BROKEN_PIPE
		112: "; make room there",                                 // ERROR_DISK_FULL
		232: "nobody reads the output any more: write x: ",       // ERROR_NO_DATA
	} {
		got := cli.Explain(&fs.PathError{Op: "write", Path: "x", Err: number}, cli.Hints{})
		if !strings.Contains(got, want) || strings.Contains(got, ".;") {
			t.Errorf("%d: %s; want %q", number, got, want)
		}
	}
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	got := cli.Explain(atomicfile.MakeFolder(filepath.Join(file, "x"), 0o700), cli.Hints{})
	if !strings.Contains(got, file+": not a directory") || !strings.HasSuffix(got, "; choose another place, or change its permissions") {
		t.Errorf("below a file: %s", got)
	}
}
