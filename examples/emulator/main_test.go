package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"image/png"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mangadex-go/mangadex/api/apitest"
)

// TestMain lets the test program be the emulator itself.
func TestMain(m *testing.M) {
	if os.Getenv("EMULATOR_TEST_MAIN") != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

// started runs the emulator until the test ends, and returns what it has printed by then.
func started(t *testing.T, args ...string) map[string]string {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	reader, writer, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() {
		err := run(ctx, args, writer)
		writer.Close()
		ended <- err
	}()
	t.Cleanup(func() {
		cancel()
		reader.Close()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return introduction(t, reader)
}

// introduction reads what the emulator prints.
func introduction(t *testing.T, r io.Reader) map[string]string {
	t.Helper()
	lines := bufio.NewScanner(r)
	printed := map[string]string{}
	for lines.Scan() {
		name, value, _ := strings.Cut(lines.Text(), "  ")
		printed[name] = strings.TrimSpace(value)
		if name == "client secret" {
			return printed
		}
	}
	t.Fatalf("the emulator ends: %v, after %v", lines.Err(), printed)
	return nil
}

func TestHostsOfTheirOwn(t *testing.T) {
	t.Parallel()
	printed := started(t, "-titles", "10", "-limits=false")
	origins := map[string]bool{}
	for _, name := range []string{"API", "realm", "covers", "page reports"} {
		origins[strings.Join(strings.Split(printed[name], "/")[:3], "/")] = true
	}
	if len(origins) != 4 {
		t.Errorf("the hosts are %v", printed)
	}
	for range 30 {
		if status := statusOf(t, printed["API"]+"/manga?limit=1"); status != 200 {
			t.Fatalf("without limits: %d", status)
		}
	}
}

func statusOf(t *testing.T, target string) int {
	t.Helper()
	resp, err := http.Get(target)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	return resp.StatusCode
}

func TestLimitsAndFaults(t *testing.T) {
	t.Parallel()
	printed := started(t, "-titles", "10", "-addr", "localhost:0", "-faults", "Ping:status=503,count=2;:delay=1ms")
	for n, want := range []int{503, 503, 200} {
		if status := statusOf(t, printed["API"]+"/ping"); status != want {
			t.Errorf("request %d gets %d, want %d", n+1, status, want)
		}
	}
	limited := false
	for range 20 {
		limited = limited || statusOf(t, printed["API"]+"/manga/tag") == 429
	}
	if !limited {
		t.Error("there is no limit")
	}
}

func TestWrongArguments(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ args, want string }{
		{"-titles 9", "the catalogue can have 10 to 20000"},
		{"-addr nowhere:x", "listen"},
		{"more", `no use for "more"`},
		{"-faults GetManga", "no colon"},
		{"-faults GetMango:drop", "GetMango"},
		{"-faults GetManga:explode", `no "explode"; there are captcha, corrupt,`},
		{"-faults GetManga:status=9", "status=9"},
		{"-faults GetManga:delay=soon", "delay=soon"},
		{"-faults GetManga:drop=1", "drop takes no value"},
		{"-faults GetManga:count=0", "count=0"},
		{"-faults GetManga:probability=2", "probability=2"},
	} {
		err := run(t.Context(), strings.Fields(test.args), io.Discard)
		if err == nil || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v, want %q", test.args, err, test.want)
		}
	}
	var help strings.Builder
	if err := run(t.Context(), []string{"-help"}, &help); !errors.Is(err, flag.ErrHelp) || !strings.Contains(help.String(), "probability=0.1") {
		t.Errorf("-help: %v\n%s", err, help.String())
	}
}

func TestFaultsFlag(t *testing.T) {
	t.Parallel()
	var got faultsFlag
	if err := got.Set("GetManga: status=503, html, count=always; Page:drop,probability=0.25;:delay=1s,slow=2s,skew=-3m;Token:forget-token;Page:expire-base-url,corrupt,truncate;:captcha"); err != nil {
		t.Fatal(err)
	}
	want := faultsFlag{
		{Operation: "GetManga", Status: 503, HTML: true, Count: apitest.Always},
		{Operation: "Page", Drop: true, Probability: 0.25},
		{Delay: time.Second, Slow: 2 * time.Second, Skew: -3 * time.Minute},
		{Operation: "Token", ForgetToken: true},
		{Operation: "Page", ExpireBaseURL: true, Corrupt: true, Truncate: true},
		{Captcha: true},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// The program ends cleanly on SIGTERM.
func TestSIGTERM(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("there is no SIGTERM")
	}
	cmd := exec.Command(os.Args[0], "-titles", "10")
	cmd.Env = append(os.Environ(), "EMULATOR_TEST_MAIN=1")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	printed := introduction(t, out)
	if status := statusOf(t, printed["API"]+"/ping"); status != 200 {
		t.Errorf("before the signal: %d", status)
	}
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("it ends with %v: %s", err, stderr.String())
	}
	if _, err := http.Get(printed["API"] + "/ping"); err == nil {
		t.Error("it still answers")
	}
}

// A transcript is a command of the documentation and what it prints.
type transcript struct{ command, output string }

// transcripts reads those of the package documentation.
func transcripts(t *testing.T) []transcript {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "api", "apitest", "doc.go"))
	if err != nil {
		t.Fatal(err)
	}
	var list []transcript
	continued := false
	for line := range strings.Lines(string(text)) {
		line, code := strings.CutPrefix(strings.TrimSuffix(line, "\n"), "//\t")
		command, begins := strings.CutPrefix(line, "$ ")
		switch {
		case !code:
		case begins:
			list = append(list, transcript{command: command})
		case len(list) == 0:
		case continued:
			list[len(list)-1].command += "\n" + line
		default:
			list[len(list)-1].output += line + "\n"
		}
		continued = code && strings.HasSuffix(line, `\`)
	}
	return list
}

// What the documentation shows is what happens: its commands are run in one shell.
func TestTranscripts(t *testing.T) {
	t.Parallel()
	for _, program := range []string{"sh", "curl", "sed"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skipf("there is no %s", program)
		}
	}
	printed := started(t, "-addr", "localhost:0")
	list := transcripts(t)
	if len(list) < 9 {
		t.Fatalf("the documentation has %d commands", len(list))
	}
	const marker = "=== end of a command ==="
	var script strings.Builder
	for _, tr := range list {
		fmt.Fprintf(&script, "%s\necho '\n%s'\n", strings.ReplaceAll(tr.command, "http://localhost:8931", printed["API"]), marker)
	}
	dir := t.TempDir()
	cmd := exec.Command("sh", "-e")
	cmd.Dir, cmd.Stdin = dir, strings.NewReader(script.String())
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	outputs := strings.Split(string(out), marker)
	for n, tr := range list {
		got := strings.TrimSpace(outputs[n])
		pattern := strings.ReplaceAll(regexp.QuoteMeta(strings.TrimSpace(tr.output)), "…", ".*")
		if !regexp.MustCompile(`^(?s:` + pattern + `)$`).MatchString(got) {
			t.Errorf("$ %s\n%s\nthe documentation says\n%s", tr.command, got, tr.output)
		}
	}
	page, err := os.ReadFile(filepath.Join(dir, "1.png"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := png.Decode(bytes.NewReader(page)); err != nil {
		t.Errorf("the page is no picture: %v", err)
	}
}
