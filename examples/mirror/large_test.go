package main

import (
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/mangadex-go/mangadex/api/apitest"
	"github.com/mangadex-go/mangadex/examples/internal/exampletest"
)

// TestLarge copies 20,000 titles with 200,000 chapters and shows them. It prints how long that takes, for
// people to look at, and keeps within a memory.
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
		var out strings.Builder
		cmd.Stdout, cmd.Stderr = &out, &out
		began := time.Now()
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		ended := make(chan error, 1)
		go func() { ended <- cmd.Wait() }()
		most, err := watchMemory(cmd.Process.Pid, ended)
		if err != nil {
			t.Fatalf("%v: %s", err, &out)
		}
		t.Logf("%s: %v, of that %v on a processor; %d MB: %s", run, time.Since(began).Round(time.Second/10),
			(cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()).Round(time.Second/10), most, &out)
		if most >= 300 {
			t.Errorf("%s took %d MB, want less than 300", run, most)
		}
		if !strings.Contains(out.String(), "20000 titles, 200000 chapters") {
			t.Errorf("%s says %s", run, &out)
		}
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

// watchMemory returns how many MB a process had at most, as far as the system tells it, when it has ended.
func watchMemory(pid int, ended <-chan error) (most int, err error) {
	peak := regexp.MustCompile(`VmHWM:\s*(\d+) kB`)
	for {
		select {
		case err := <-ended:
			return most, err
		case <-time.After(50 * time.Millisecond):
		}
		status, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid)) // which Linux has
		if found := peak.FindSubmatch(status); found != nil {
			kB, _ := strconv.Atoi(string(found[1]))
			most = max(most, kB>>10)
		}
	}
}
