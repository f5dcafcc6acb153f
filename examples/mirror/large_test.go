//go:build unix

package main

import (
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/mangadex-go/mangadex/api/apitest"
	"github.com/mangadex-go/mangadex/examples/internal/exampletest"
)

// TestLarge copies 20,000 titles with 200,000 chapters and shows them. It prints how long that takes and
// how much memory the program has, for people to look at.
func TestLarge(t *testing.T) {
	if os.Getenv("MIRROR_LONG") == "" {
		t.Skip("set MIRROR_LONG: it takes minutes")
	}
	p := exampletest.New(t, apitest.WithTitles(20_000))
	where := filepath.Join(t.TempDir(), "mirror.db")
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for _, run := range []string{"the first run", "the second run"} {
		cmd := exec.Command(program, "-server", p.Server.URL, "-unlimited", "-db", where)
		cmd.Env = append(os.Environ(), "EXAMPLETEST_MAIN=1")
		began := time.Now()
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		usage := cmd.ProcessState.SysUsage().(*syscall.Rusage)
		t.Logf("%s: %v, of that %v on a processor; %d MB", run, time.Since(began).Round(time.Second/10),
			(cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()).Round(time.Second/10), usage.Maxrss>>10)
	}
	s := show(t, p, where)
	for _, path := range paths {
		s.get(path) // so that what is read from the disk is in the memory
		began := time.Now()
		if status, _, _ := s.ask(http.MethodGet, path, nil); status != http.StatusOK {
			t.Errorf("%s: %d", path, status)
		}
		t.Logf("%s: %v", path, time.Since(began).Round(time.Millisecond))
	}
}
