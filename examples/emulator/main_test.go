package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"image/png"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/mangadex-go/mangadex/api/apitest"
	"github.com/mangadex-go/mangadex/examples/internal/exampletest"
)

func TestMain(m *testing.M) { exampletest.Main(m, main) }

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

// atOnce counts the answers to requests that are sent together, so that they come faster than the limits allow
// also to a machine that is slow.
func atOnce(t *testing.T, target string, n int) map[int]int {
	t.Helper()
	got := make(chan int)
	for range n {
		go func() {
			resp, err := http.Get(target)
			if err != nil {
				got <- 0
				return
			}
			resp.Body.Close()
			got <- resp.StatusCode
		}()
	}
	counts := map[int]int{}
	for range n {
		counts[<-got]++
	}
	return counts
}

func TestLimitsAndFaults(t *testing.T) {
	t.Parallel()
	printed := started(t, "-titles", "10", "-addr", "localhost:0", "-faults", "Ping:status=503,count=2;:delay=1ms")
	for n, want := range []int{503, 503, 200} {
		if status := statusOf(t, printed["API"]+"/ping"); status != want {
			t.Errorf("request %d gets %d, want %d", n+1, status, want)
		}
	}
	if n := atOnce(t, printed["API"]+"/manga/tag", 40)[429]; n == 0 {
		t.Error("there is no limit")
	}
}

// Who goes on after the limits is banned, and whoever runs the emulator is told why nothing works.
func TestBanIsTold(t *testing.T) {
	t.Parallel()
	p := exampletest.Embedded(t)
	run := p.Start("-titles", "10", "-addr", "localhost:0")
	banned := false
	run.Signal(syscall.SIGTERM, func() bool {
		if !strings.Contains(run.Stdout(), "client secret") {
			return false
		}
		printed := introduction(t, strings.NewReader(run.Stdout()))
		if want := "5 requests a second, 10 at once"; !strings.Contains(printed["limits"], want) {
			t.Errorf("the limits are said to be %q", printed["limits"])
		}
		for n := 0; !banned; n++ {
			if n == 100 {
				t.Fatal("there is no ban")
			}
			banned = atOnce(t, printed["API"]+"/ping", 40)[403] > 0
		}
		return strings.Contains(run.Stdout(), "is banned")
	})
	r := p.Succeeds(run.Wait())
	if !strings.Contains(r.Stdout, "address=127.0.0.1 until=") {
		t.Errorf("it printed %s", r.Stdout)
	}
}

// New chapters appear while it runs, of what accounts follow.
func TestPublish(t *testing.T) {
	t.Parallel()
	srv, err := apitest.NewServer(apitest.WithTitles(10), apitest.WithAccount(apitest.Account{Username: "watcher"}))
	if err != nil {
		t.Fatal(err)
	}
	defer srv.Close()
	manga := srv.State().Manga()[2].ID
	if err := srv.State().SetLibrary("watcher", apitest.Library{Manga: []uuid.UUID{manga}}); err != nil {
		t.Fatal(err)
	}
	before := srv.State().Chapters(manga)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		ended <- publish(ctx, srv, time.Millisecond, []string{"reader", "watcher"}, slog.New(slog.DiscardHandler))
	}()
	for len(srv.State().Chapters(manga)) < len(before)+2 {
		time.Sleep(time.Millisecond)
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	after := srv.State().Chapters(manga)
	last := before[len(before)-1].Number
	if got := after[len(before)].Number + " " + after[len(before)+1].Number; last != "24" || got != "25 26" {
		t.Errorf("after %s come %s", last, got)
	}
}

// Accounts of the flags can log in, and are what their roles say.
func TestAccounts(t *testing.T) {
	t.Parallel()
	var flags accountsFlag
	if err := errors.Join(flags.Set("one"), flags.Set("two:ROLE_MEMBER,ROLE_STAFF")); err != nil {
		t.Fatal(err)
	}
	want := accountsFlag{{Username: "one"}, {Username: "two", Roles: []string{"ROLE_MEMBER", "ROLE_STAFF"}}}
	if diff := cmp.Diff(want, flags); diff != "" {
		t.Error(diff)
	}
	p := exampletest.Embedded(t)
	run := p.Start("-titles", "10", "-account", "one", "-account", "two:ROLE_MEMBER,ROLE_STAFF", "-publish", "1h")
	run.Signal(syscall.SIGTERM, func() bool { return strings.Count(run.Stdout(), "client secret") == 3 })
	r := p.Succeeds(run.Wait())
	for _, want := range []string{"user name      two", "password-of-one", "secret-of-two"} {
		if !strings.Contains(r.Stdout, want) {
			t.Errorf("no %s in %s", want, r.Stdout)
		}
	}
}

func TestHelp(t *testing.T) {
	t.Parallel()
	exampletest.Embedded(t).Helps("usage: emulator", "-addr", "-seed", "-titles", "-limits", "-faults", "probability=0.1", "-hard", "-long", "-publish", "-account")
}

func TestBadInput(t *testing.T) {
	t.Parallel()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	p := exampletest.Embedded(t)
	for i, test := range []struct {
		args   string
		status int
		want   string
	}{
		{"-titles 9", 2, "the catalogue can have 10 to 20000"},
		{"-titles many", 2, `"many" for flag -titles`},
		{"-seed -1", 2, `"-1" for flag -seed`},
		{"-limit", 2, "not defined: -limit"},
		{"-addr", 2, "flag needs an argument: -addr"},
		{"-addr nowhere:x", 1, "cannot listen on nowhere:x; choose another -addr: listen"},
		{"-addr " + taken.Addr().String(), 1, "choose another -addr"},
		{"-publish -1s", 2, "-publish is -1s; it cannot be negative"},
		{"-publish soon", 2, `"soon" for flag -publish: it is a time with its unit, such as 30s`},
		{"-account :ROLE_MEMBER", 2, "the account has no name"},
		{"-account keeper:staff", 2, "roles are names like ROLE_MEMBER"},
		{"-account reader", 2, `there is an account "reader" already`},
		{"-long 50001", 2, "it can have 1 to 50000"},
		{"more", 2, `no use for the argument "more"`},
		{"-account keeper:ROLE_MEMBRE", 2, "there is no role ROLE_MEMBRE"},
		{"-faults GetManga:rename", 2, `rename has the value "": a number from 1 on is needed`},
		{"-faults GetManga:stall=1", 2, `stall has the value "1": a time such as 2s`},
		{"-faults Ping:renumber=1", 2, "neither titles nor chapters"},
		{"-faults GetManga", 2, "no colon"},
		{"-faults GetMango:drop", 2, "GetMango"},
		{"-faults GetManga:explode", 2, `no "explode"; there are after, captcha, clamp, corrupt, count,`},
		{"-faults GetManga:stall=-1s", 2, "Stall of -1s"},
		{"-faults GetManga:clamp=none", 2, "clamp=none"},
		{"-faults GetManga:after", 2, "with After and nothing"},
		{"-faults GetManga:status=9", 2, "the Status 9; give one from 200 to 599"},
		{"-faults GetManga:delay=soon", 2, "delay=soon"},
		{"-faults GetManga:drop=1", 2, "drop takes no value"},
		{"-faults GetManga:count=0", 2, "count=0"},
		{"-faults GetManga:probability=2", 2, "probability=2"},
	} {
		if testing.Short() && i%5 > 0 {
			continue
		}
		r := p.Run(strings.Fields(test.args)...)
		p.Fails(r, "emulator", test.status, test.want)
		if r.Stdout != "" || test.status == 2 && !strings.HasSuffix(r.Stderr, "; see emulator -h\n") {
			t.Errorf("%s: stdout %q, stderr %q", test.args, r.Stdout, r.Stderr)
		}
	}
}

func TestFaultsFlag(t *testing.T) {
	t.Parallel()
	var got faultsFlag
	if err := got.Set("GetManga: status=503, html, count=always; Page:drop,probability=0.25;:delay=1s,slow=2s,skew=-3m;Token:forget-token;Page:expire-base-url,corrupt,truncate;:captcha;" +
		"CommitUpload:status=502,after,skip=1;Token:drop,reset,after;FollowManga:late=2s,empty;Page:node=2,drop-body,stall=1m;SearchManga:clamp=20,short=1,repeat=2,delete=3,shuffle;UploadPages:refuse-pages=2"); err != nil {
		t.Fatal(err)
	}
	want := faultsFlag{
		{Operation: "GetManga", Status: 503, HTML: true, Count: apitest.Always},
		{Operation: "Page", Drop: true, Probability: 0.25},
		{Delay: time.Second, Slow: 2 * time.Second, Skew: -3 * time.Minute},
		{Operation: "Token", ForgetToken: true},
		{Operation: "Page", ExpireBaseURL: true, Corrupt: true, Truncate: true},
		{Captcha: true},
		{Operation: "CommitUpload", Status: 502, After: true, Skip: 1},
		{Operation: "Token", Drop: true, Reset: true, After: true},
		{Operation: "FollowManga", Late: 2 * time.Second, Empty: true},
		{Operation: "Page", Node: 2, DropBody: true, Stall: time.Minute},
		{Operation: "SearchManga", Clamp: 20, Short: 1, Repeat: 2, Delete: 3, Shuffle: true},
		{Operation: "UploadPages", RefusePages: 2},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// The program ends cleanly on SIGTERM.
func TestSIGTERM(t *testing.T) {
	t.Parallel()
	p := exampletest.Embedded(t)
	run := p.Start("-titles", "10")
	var printed map[string]string
	run.Signal(syscall.SIGTERM, func() bool {
		if !strings.Contains(run.Stdout(), "client secret") {
			return false
		}
		printed = introduction(t, strings.NewReader(run.Stdout()))
		if status := statusOf(t, printed["API"]+"/ping"); status != 200 {
			t.Errorf("before the signal: %d", status)
		}
		return true
	})
	p.Succeeds(run.Wait())
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
			t.Skipf("there is no %s; install it", program)
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
