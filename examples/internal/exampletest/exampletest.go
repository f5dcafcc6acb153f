// Package exampletest runs the examples in tests as their users do: as programs, with arguments, an
// environment, a standard input, and signals.
package exampletest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/mangadex-go/mangadex/api/apitest"
)

// asProgram in the environment makes a test binary the program that it tests.
const asProgram = "EXAMPLETEST_MAIN"

// Main is for TestMain. It calls main if the test binary is to be the program, and otherwise what is to
// be done after all tests.
func Main(m *testing.M, main func(), after ...func()) {
	if os.Getenv(asProgram) != "" {
		main()
		os.Exit(0)
	}
	status := m.Run()
	for _, end := range after {
		end()
	}
	os.Exit(status)
}

// A Program is the program under test, with a home of its own.
type Program struct {
	Server *apitest.Server // that it talks to; nil for the one in the program
	Home   string          // a folder of its own, which is the current one
	Stdin  string
	Stdout io.Writer // takes the output of the program; nil: its Result has it
	Env    map[string]string

	t testing.TB
}

// New returns a program that talks to a new server, and has the credentials of its account in the
// environment.
func New(t testing.TB, options ...apitest.Option) *Program {
	t.Helper()
	p := Embedded(t)
	p.Server = apitest.Start(t, append(options, apitest.WithAddr("127.0.0.1:0"))...)
	p.Env = map[string]string{
		"MANGADEX_CLIENT_ID":     p.Server.Account.ClientID,
		"MANGADEX_CLIENT_SECRET": p.Server.Account.ClientSecret,
		"MANGADEX_USERNAME":      p.Server.Account.Username,
		"MANGADEX_PASSWORD":      p.Server.Account.Password,
	}
	return p
}

// Embedded returns a program that talks to the server in itself. It runs in the strictest mode of the
// standard library's cryptography, in which what is not approved panics.
func Embedded(t testing.TB) *Program {
	return &Program{t: t, Home: t.TempDir(), Env: map[string]string{"GODEBUG": "fips140=only"}}
}

// Path is a path in the home of the program.
func (p *Program) Path(elements ...string) string {
	return filepath.Join(append([]string{p.Home}, elements...)...)
}

// Write writes a file in the home of the program, for the owner alone, and returns its path.
func (p *Program) Write(name, content string) string {
	p.t.Helper()
	path := p.Path(name)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		p.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		p.t.Fatal(err)
	}
	return path
}

// A Result is how a run ended.
type Result struct {
	Status         int
	Stdout, Stderr string
}

// Run runs the program. -server and -unlimited are put before the arguments, unless they have -server
// or -live.
func (p *Program) Run(args ...string) Result {
	p.t.Helper()
	return p.Start(args...).Wait()
}

// A Running is a program on its way.
type Running struct {
	t              testing.TB
	cmd            *exec.Cmd
	stdout, stderr output
}

// Start starts the program; Wait must follow.
func (p *Program) Start(args ...string) *Running {
	p.t.Helper()
	given := strings.Join(args, " ")
	if p.Server != nil && !strings.Contains(given, "-server") && !strings.Contains(given, "-live") {
		args = append([]string{"-server", p.Server.URL, "-unlimited"}, args...)
	}
	self, err := os.Executable()
	if err != nil {
		p.t.Fatal(err)
	}
	r := &Running{t: p.t, cmd: exec.Command(self, args...)}
	for _, pair := range os.Environ() {
		if !strings.HasPrefix(pair, "MANGADEX_") && !strings.Contains(strings.ToUpper(pair), "_PROXY=") {
			r.cmd.Env = append(r.cmd.Env, pair)
		}
	}
	r.cmd.Env = append(r.cmd.Env, asProgram+"=1", "GORACE="+os.Getenv("GORACE")+" atexit_sleep_ms=0", "HOME="+p.Home, "XDG_CONFIG_HOME="+p.Path("settings"), "AppData="+p.Path("settings"))
	for name, value := range p.Env {
		r.cmd.Env = append(r.cmd.Env, name+"="+value)
	}
	r.cmd.Dir, r.cmd.Stdout, r.cmd.Stderr = p.Home, &r.stdout, &r.stderr
	if p.Stdout != nil {
		r.cmd.Stdout = p.Stdout
	}
	r.cmd.Stdin = strings.NewReader(p.Stdin)
	if err := r.cmd.Start(); err != nil {
		p.t.Fatal(err)
	}
	return r
}

// Wait waits for the end of the program.
func (r *Running) Wait() Result {
	r.t.Helper()
	timer := time.AfterFunc(5*time.Minute, func() { r.cmd.Process.Kill() }) //nolint:errcheck // it may be over
	defer timer.Stop()
	var exit *exec.ExitError
	if err := r.cmd.Wait(); err != nil && !errors.As(err, &exit) {
		r.t.Fatal(err)
	}
	return Result{r.cmd.ProcessState.ExitCode(), r.stdout.String(), r.stderr.String()}
}

// Stdout returns what the program has printed so far.
func (r *Running) Stdout() string { return r.stdout.String() }

// Stderr returns what the program has said so far.
func (r *Running) Stderr() string { return r.stderr.String() }

// Kill ends the program at once, as soon as a condition holds, unless it has ended before.
func (r *Running) Kill(when func() bool) Result {
	r.t.Helper()
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		r.cmd.Wait() //nolint:errcheck // it is killed
	}()
	for deadline := time.Now().Add(5 * time.Minute); !when() && time.Now().Before(deadline); {
		select {
		case <-ended:
		case <-time.After(time.Millisecond):
			continue
		}
		break
	}
	r.cmd.Process.Kill() //nolint:errcheck // it may have ended
	<-ended
	return Result{r.cmd.ProcessState.ExitCode(), r.stdout.String(), r.stderr.String()}
}

// Interrupt sends what Ctrl-C sends, as soon as a condition holds.
func (r *Running) Interrupt(when func() bool) {
	r.t.Helper()
	r.Signal(os.Interrupt, when)
}

// Signal sends a signal, as soon as a condition holds.
func (r *Running) Signal(signal os.Signal, when func() bool) {
	r.t.Helper()
	if runtime.GOOS == "windows" {
		r.cmd.Process.Kill() //nolint:errcheck // the test is over
		r.cmd.Wait()         //nolint:errcheck // likewise
		r.t.Skip("there is no way to interrupt another program on Windows")
	}
	for deadline := time.Now().Add(5 * time.Minute); !when(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			r.t.Errorf("it is too late for an interruption; stderr: %s", r.stderr.String())
			break
		}
	}
	if err := r.cmd.Process.Signal(signal); err != nil {
		r.t.Error(err)
	}
}

// An output is a buffer that is read while the program runs.
type output struct {
	mu     sync.Mutex
	buffer bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buffer.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buffer.String()
}

var _ io.Writer = (*output)(nil)

// Fails checks that the program ended with a status and that the last line on stderr is the only
// one that begins with the name of the program, has all of the texts in it, and no secret.
func (p *Program) Fails(r Result, name string, status int, texts ...string) {
	p.t.Helper()
	if r.Status != status {
		p.t.Errorf("status %d, want %d; stderr: %s", r.Status, status, r.Stderr)
	}
	lines := strings.Split(strings.TrimSuffix(r.Stderr, "\n"), "\n")
	last := lines[len(lines)-1]
	if !strings.HasPrefix(last, name+": ") || strings.Contains("\n"+strings.Join(lines[:len(lines)-1], "\n"), "\n"+name+": ") {
		p.t.Errorf("there is no single line of %s on stderr: %q", name, r.Stderr)
	}
	for _, text := range texts {
		if !strings.Contains(last, text) {
			p.t.Errorf("the line %q does not have %q", last, text)
		}
	}
	p.t.Logf("%s", last)
	p.NoSecrets(r)
}

// NoSecrets checks that no secret of the account and no token is in what the program has printed.
func (p *Program) NoSecrets(r Result) {
	p.t.Helper()
	if p.Server == nil {
		return
	}
	secrets := append(p.Server.Tokens().Access(), p.Server.Tokens().Refresh()...)
	secrets = append(secrets, p.Server.Account.Password, p.Server.Account.ClientSecret)
	for _, secret := range secrets {
		if strings.Contains(r.Stdout+r.Stderr, secret) {
			p.t.Errorf("a secret was printed: stdout %q, stderr %q", r.Stdout, r.Stderr)
		}
	}
}

// Succeeds checks that the program ended well.
func (p *Program) Succeeds(r Result) Result {
	p.t.Helper()
	if r.Status != 0 {
		p.t.Fatalf("status %d; stderr: %s", r.Status, r.Stderr)
	}
	p.NoSecrets(r)
	return r
}

// Helps checks that -h prints a help with all of the texts in it, and nothing else.
func (p *Program) Helps(texts ...string) {
	p.t.Helper()
	r := p.Succeeds(p.Run("-h"))
	for _, text := range texts {
		if !strings.Contains(r.Stdout, text) {
			p.t.Errorf("the help lacks %q: %s", text, r.Stdout)
		}
	}
	if r.Stderr != "" {
		p.t.Errorf("stderr: %s", r.Stderr)
	}
}

// Requests returns the requests of some operations that the server has got.
func (p *Program) Requests(operations ...string) []apitest.Request {
	return slices.DeleteFunc(p.Server.Requests(), func(r apitest.Request) bool { return !slices.Contains(operations, r.Operation) })
}

// Silent starts a server that never answers. Asked reports whether it has got a request.
func Silent(t testing.TB) (url string, asked func() bool) {
	var got atomic.Bool
	end := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got.Store(true)
		select {
		case <-r.Context().Done():
		case <-end:
		}
	}))
	t.Cleanup(func() {
		close(end)
		server.Close()
	})
	return server.URL, got.Load
}

// Busy starts a server that answers every request with 429, and wants to be left alone for a day.
func Busy(t testing.TB) (url string) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", "86400")
		w.WriteHeader(http.StatusTooManyRequests)
	}))
	t.Cleanup(server.Close)
	return server.URL
}

// FullDisk returns a folder on a disk that has room for so many KiB.
func (p *Program) FullDisk(kib int) string {
	p.t.Helper()
	const filler = 4 // a disk of memory without any size is one without an end
	dir := p.Path("full")
	if !p.mount(dir, fmt.Sprintf("size=%dk", kib+filler)) {
		p.t.Skip("no small disk can be mounted here; on Linux, root can")
	}
	if err := os.WriteFile(filepath.Join(dir, "filler"), make([]byte, filler<<10), 0o600); err != nil {
		p.t.Fatal(err)
	}
	return dir
}

// FullOutput makes the standard output of the program that of a full disk.
func (p *Program) FullOutput() {
	p.t.Helper()
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		p.t.Skip(err)
	}
	p.t.Cleanup(func() { full.Close() })
	p.Stdout = full
}

// Endless returns a file that has no end.
func (p *Program) Endless() string {
	p.t.Helper()
	const zeros = "/dev/zero"
	if _, err := os.Stat(zeros); err != nil {
		p.t.Skip(err)
	}
	return zeros
}

// ReadOnly returns a folder in which nothing can be written.
func (p *Program) ReadOnly() string {
	p.t.Helper()
	dir := p.Path("readonly")
	switch {
	case p.mount(dir, "ro"):
	case os.Geteuid() <= 0 || os.Chmod(dir, 0o500) != nil: //nolint:gosec // a folder needs x
		p.t.Skip("no read-only disk can be mounted here, and everything can be written")
	}
	return dir
}

// mount makes a folder and mounts a disk of memory there, if it can.
func (p *Program) mount(dir, options string) bool {
	if err := os.Mkdir(dir, 0o700); err != nil {
		p.t.Fatal(err)
	}
	if exec.Command("mount", "-t", "tmpfs", "-o", options, "tmpfs", dir).Run() != nil {
		return false
	}
	p.t.Cleanup(func() {
		if out, err := exec.Command("umount", dir).CombinedOutput(); err != nil {
			p.t.Errorf("umount %s: %v: %s", dir, err, out)
		}
	})
	return true
}
