package fleet_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/mangadex-go/mangadex/api"
	"github.com/mangadex-go/mangadex/api/apitest"
	"github.com/mangadex-go/mangadex/api/fleet"
	"github.com/mangadex-go/mangadex/authn"
)

// A login is what a process of the tests below needs to know.
type login struct {
	Redis, API, Auth, ID, Secret string
	Lease                        time.Duration
}

const loginVariable = "FLEET_LOGIN"

func (l login) session(client redis.UniversalClient, options ...authn.Option) (*authn.Session, error) {
	store, err := fleet.NewStore(client, "login", fleet.WithLease(l.Lease))
	if err != nil {
		return nil, err
	}
	return authn.New(append([]authn.Option{
		authn.WithAPIServer(l.API), authn.WithAuthServer(l.Auth), authn.WithPersonalClient(l.ID, l.Secret), authn.WithStore(store), authn.WithoutCheck(),
	}, options...)...)
}

// TestLoginProcess is a process that shares a login: it asks who it is for each line that it reads.
func TestLoginProcess(t *testing.T) {
	text := os.Getenv(loginVariable)
	if text == "" {
		t.Skip("this is for the processes that other tests start")
	}
	var l login
	if err := json.Unmarshal([]byte(text), &l); err != nil {
		t.Fatal(err)
	}
	client := redis.NewClient(&redis.Options{Addr: l.Redis})
	session, err := l.session(client)
	if err != nil {
		t.Fatal(err)
	}
	c, err := api.New(l.API, authn.Use(session), api.WithoutRateLimit())
	if err != nil {
		t.Fatal(err)
	}
	fmt.Println("ready")
	for in := bufio.NewScanner(os.Stdin); in.Scan(); {
		if _, err := c.GetCurrentUser(t.Context()); err != nil {
			fmt.Println("failed", strings.ReplaceAll(err.Error(), "\n", " "))
			continue
		}
		fmt.Println("ok")
	}
}

// A member is a process that shares a login.
type member struct {
	cmd *exec.Cmd
	in  io.Writer
	out *bufio.Reader
}

func (l login) member(t *testing.T) *member {
	t.Helper()
	text, err := json.Marshal(l)
	if err != nil {
		t.Fatal(err)
	}
	m := &member{cmd: exec.Command(os.Args[0], "-test.run", "^TestLoginProcess$")}
	m.cmd.Env = append(os.Environ(), loginVariable+"="+string(text))
	if m.in, err = m.cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	out, err := m.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	m.out = bufio.NewReader(out)
	if err := m.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.kill() })
	if got := m.answer(); got != "ready" {
		t.Fatal(got)
	}
	return m
}

func (m *member) kill() {
	if m.cmd.ProcessState == nil {
		_ = m.cmd.Process.Kill()
		_ = m.cmd.Wait()
	}
}

func (m *member) ask(t *testing.T) {
	t.Helper()
	if _, err := io.WriteString(m.in, "\n"); err != nil {
		t.Fatal(err)
	}
}

func (m *member) answer() string {
	line, err := m.out.ReadString('\n')
	if err != nil {
		return err.Error()
	}
	return strings.TrimSpace(line)
}

// shared starts a realm that ends a login when a refresh token is used twice, and logs in.
func shared(t *testing.T, lease time.Duration) (*apitest.Server, login) {
	t.Helper()
	fake, err := apitest.NewServer(apitest.WithRefresh(apitest.RefreshRotate))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(fake.Close)
	redisServer := start(t)
	l := login{Redis: redisServer.addr, API: fake.URL, Auth: fake.AuthURL, ID: fake.Account.ClientID, Secret: fake.Account.ClientSecret, Lease: lease}
	first, err := l.session(redisServer.client(t), authn.WithPassword(fake.Account.Username, fake.Account.Password))
	if err != nil {
		t.Fatal(err)
	}
	if err := first.Login(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	return fake, l
}

// Several processes renew a login once between them each time that its tokens expire.
func TestOneRenewalForAll(t *testing.T) {
	t.Parallel()
	processes, expiries := 4, 20
	if long() {
		processes, expiries = 8, 200
	}
	fake, l := shared(t, 10*time.Second)
	members := make([]*member, processes)
	for i := range members {
		members[i] = l.member(t)
	}
	for n := range expiries {
		fake.Tokens().ExpireAccess()
		for _, m := range members {
			m.ask(t)
		}
		for i, m := range members {
			if got := m.answer(); got != "ok" {
				t.Fatalf("process %d after %d expiries: %s", i, n+1, got)
			}
		}
		if got := fake.Tokens().Grants("refresh_token"); got != n+1 {
			t.Fatalf("%d renewals after %d expiries", got, n+1)
		}
	}
}

// The process that renews is killed or stopped at any moment. The others go on when its lease is
// over, and the login is lost only if it was hit between sending and saving: then the others say so,
// and the realm was never asked with a token that was spent.
func TestHolderIsHit(t *testing.T) {
	t.Parallel()
	rounds := 4
	if long() {
		rounds = 40
	}
	for name, signal := range map[string]syscall.Signal{"killed": syscall.SIGKILL, "stopped": syscall.SIGSTOP} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			fake, l := shared(t, time.Second)
			fake.Fail(apitest.Fault{Operation: "Token", Count: apitest.Always, After: true, Delay: 30 * time.Millisecond})
			lost := 0
			for range rounds {
				holder, other := l.member(t), l.member(t)
				fake.Tokens().ExpireAccess()
				holder.ask(t)
				time.Sleep(time.Duration(rand.IntN(200)) * time.Millisecond)
				_ = holder.cmd.Process.Signal(signal)
				other.ask(t)
				got := other.answer()
				_ = holder.cmd.Process.Signal(syscall.SIGCONT)
				switch {
				case got == "ok":
				case strings.Contains(got, "needs a login"), strings.Contains(got, "401"):
					lost++
					if signal == syscall.SIGSTOP { // it goes on, and saves what it has got
						got := holder.answer()
						for n := 0; strings.Contains(got, "token not saved") && n < 5; n++ { // it tells, and saves a second later
							time.Sleep(time.Second)
							holder.ask(t)
							got = holder.answer()
						}
						if got != "ok" {
							t.Errorf("the process that was stopped: %s", got)
						}
						for n := 0; ; n++ { // it saves behind its calls, within seconds, and the other one looks again
							other.ask(t)
							if got = other.answer(); got == "ok" {
								break
							}
							if n == 20 {
								t.Errorf("after the one that was stopped went on: %s", got)
								break
							}
							time.Sleep(500 * time.Millisecond)
						}
					} else if err := relogin(t, fake, l); err != nil {
						t.Fatal(err)
					}
				default:
					t.Errorf("the other process: %s", got)
				}
				holder.kill()
				other.kill()
			}
			for _, r := range fake.Requests() {
				if r.Operation == "Token" && r.Status == 400 {
					t.Errorf("the realm refused: a token was spent twice")
				}
			}
			t.Logf("%d of %d were hit between sending and saving", lost, rounds)
		})
	}
}

func relogin(t *testing.T, fake *apitest.Server, l login) error {
	client := redis.NewClient(&redis.Options{Addr: l.Redis})
	defer client.Close()
	s, err := l.session(client, authn.WithPassword(fake.Account.Username, fake.Account.Password))
	if err != nil {
		return err
	}
	defer s.Close()
	return s.LoginWith(t.Context(), fake.Account.Username, fake.Account.Password)
}
