package authn_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/mangadex-go/mangadex/authn"
)

// The tests below need other processes. The test binary plays them, as its environment says.
const (
	processEnv = "AUTHN_TEST_PROCESS" // what to play
	pathEnv    = "AUTHN_TEST_PATH"    // token file
	apiEnv     = "AUTHN_TEST_API"
)

func TestMain(m *testing.M) {
	switch os.Getenv(processEnv) {
	case "":
		os.Exit(m.Run())
	case "user":
		exit(userProcess())
	case "saver":
		exit(saverProcess())
	case "store":
		exit(storeProcess())
	}
}

func exit(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

// userProcess is a program that closes its session when it is told to end. It asks who it is for each
// line that it reads.
func userProcess() (err error) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	address := os.Getenv(apiEnv)
	s, err := authn.New(authn.WithAPIServer(address), authn.WithAuthServer(address+realm), authn.WithPersonalClient(clientID, clientSecret),
		authn.WithStore(authn.NewFileStore(os.Getenv(pathEnv))), authn.WithoutCheck())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	for in := bufio.NewScanner(os.Stdin); ctx.Err() == nil && in.Scan(); {
		user, err := s.User(ctx)
		if err != nil {
			fmt.Println("failed:", err)
			continue
		}
		fmt.Println(user.Attributes.Username)
	}
	return nil
}

// saverProcess saves tokens until it is killed.
func saverProcess() error {
	store := authn.NewFileStore(os.Getenv(pathEnv))
	ctx := context.Background()
	for n := 0; ; n++ {
		unlock, err := store.Lock(ctx)
		if err != nil {
			return err
		}
		if _, err := store.Load(ctx); err != nil {
			return err
		}
		// Tokens of different lengths, so that a mixture of two would show.
		if err := store.Save(ctx, testToken(strings.Repeat("x", 1+n%5000))); err != nil {
			return err
		}
		if err := unlock(); err != nil {
			return err
		}
		if n == 0 {
			fmt.Println("ready")
		}
	}
}

// storeProcess uses a store in every way, as another process that may be another user, or see other
// mounts. It prints what went wrong.
func storeProcess() error {
	ctx := context.Background()
	store := authn.NewFileStore(os.Getenv(pathEnv))
	if got, err := store.Load(ctx); err != nil && !errors.Is(err, authn.ErrDamaged) {
		return fmt.Errorf("the first Load: %v, %w", got, err)
	}
	for _, name := range []string{"a", "a-longer-" + strings.Repeat("x", 5000), "b"} {
		unlock, err := store.Lock(ctx)
		if err != nil {
			return fmt.Errorf("Lock: %w", err)
		}
		if err := store.Save(ctx, testToken(name)); err != nil {
			return fmt.Errorf("Save: %w", err)
		}
		if got, err := authn.NewFileStore(os.Getenv(pathEnv)).Load(ctx); err != nil || got != testToken(name) {
			return fmt.Errorf("Load: %v, %w", got, err)
		}
		if err := unlock(); err != nil {
			return fmt.Errorf("unlock: %w", err)
		}
	}
	if os.Getenv(apiEnv) == "delete" {
		if err := store.Delete(ctx); err != nil {
			return fmt.Errorf("Delete: %w", err)
		}
		if got, err := store.Load(ctx); err != nil || got != (authn.Token{}) {
			return fmt.Errorf("Load after Delete: %v, %w", got, err)
		}
		return store.Save(ctx, testToken("b"))
	}
	return nil
}

// A process is one of those above.
type process struct {
	*exec.Cmd
	in     io.WriteCloser
	out    *bufio.Reader
	stderr strings.Builder
}

func start(t *testing.T, what, path, address string) *process {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	p := &process{Cmd: exec.Command(self)}
	p.Env = append(os.Environ(), processEnv+"="+what, pathEnv+"="+path, apiEnv+"="+address)
	p.Stderr = &p.stderr
	if p.in, err = p.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	out, err := p.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	p.out = bufio.NewReader(out)
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Process.Kill() })
	return p
}

// ask has a user process say who it is.
func (p *process) ask() (string, error) {
	if _, err := io.WriteString(p.in, "\n"); err != nil {
		return "", fmt.Errorf("%w: %s", err, p.stderr.String())
	}
	line, err := p.out.ReadString('\n')
	if err != nil {
		_ = p.Wait()
		return "", fmt.Errorf("%w: %s", err, p.stderr.String())
	}
	return strings.TrimSpace(line), nil
}

// Two processes with one store, and a realm where each refresh token works once: between them they
// renew once for each expiry, and never lose the session.
func TestTwoProcessesOneSession(t *testing.T) {
	t.Parallel()
	expiries := 200
	if testing.Short() {
		expiries = 20
	}
	f := newFake()
	w := f.serve(t)
	path := filepath.Join(t.TempDir(), "token")
	if err := authn.NewFileStore(path).Save(t.Context(), authn.Token{RefreshToken: f.seed()}); err != nil {
		t.Fatal(err)
	}
	processes := []*process{start(t, "user", path, w.api), start(t, "user", path, w.api)}
	for n := range expiries {
		w.revokeAccess()
		answers := make(chan error, len(processes))
		for _, p := range processes {
			go func() {
				name, err := p.ask()
				if err == nil && name != username {
					err = fmt.Errorf("the answer is %q", name)
				}
				answers <- err
			}()
		}
		for range processes {
			if err := <-answers; err != nil {
				t.Fatalf("expiry %d: %v", n, err)
			}
		}
	}
	if n := w.refreshes(); n != expiries {
		t.Errorf("%d renewals for %d expiries", n, expiries)
	}
	for _, p := range processes {
		_ = p.in.Close()
		if err := p.Wait(); err != nil {
			t.Errorf("%v: %s", err, p.stderr.String())
		}
	}
}

// A process that is killed at any moment leaves a token that can be loaded, and a lock that is free.
func TestKilledProcessLeavesAGoodFile(t *testing.T) {
	t.Parallel()
	kills := 20
	if testing.Short() {
		kills = 2
	}
	for n := range 5 {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "token")
			for range kills {
				killSaver(t, path)
			}
			mustSweep(t, path)
		})
	}
}

// killSaver starts a saver, kills it after a while and looks at what it left.
func killSaver(t *testing.T, path string) {
	t.Helper()
	p := start(t, "saver", path, "")
	if line, err := p.out.ReadString('\n'); err != nil || line != "ready\n" {
		t.Fatalf("%q, %v: %s", line, err, p.stderr.String())
	}
	time.Sleep(time.Duration(rand.IntN(5000)) * time.Microsecond)
	if err := p.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := p.Wait(); err == nil || p.stderr.Len() != 0 {
		t.Fatalf("the process was not killed: %v: %s", err, p.stderr.String())
	}
	store := authn.NewFileStore(path)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	unlock, err := store.Lock(ctx)
	if err != nil {
		t.Fatalf("the lock is not free: %v", err)
	}
	token, err := store.Load(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if name, ok := strings.CutPrefix(token.AccessToken, "access-"); !ok || token != testToken(name) {
		t.Fatalf("a mixture: %d and %d bytes", len(token.AccessToken), len(token.RefreshToken))
	}
	if err := unlock(); err != nil {
		t.Fatal(err)
	}
}

// mustSweep checks that what was written in part does not stay for ever.
func mustSweep(t *testing.T, path string) {
	t.Helper()
	leftovers, _ := filepath.Glob(filepath.Join(filepath.Dir(path), ".token.*.tmp"))
	t.Logf("%d temporary files", len(leftovers))
	long := time.Now().Add(-time.Hour)
	for _, name := range leftovers {
		if err := os.Chtimes(name, long, long); err != nil {
			t.Fatal(err)
		}
	}
	if err := authn.NewFileStore(path).Save(t.Context(), testToken("last")); err != nil {
		t.Fatal(err)
	}
	if leftovers, _ = filepath.Glob(filepath.Join(filepath.Dir(path), ".token.*.tmp")); len(leftovers) != 0 {
		t.Errorf("%d temporary files stay", len(leftovers))
	}
}
