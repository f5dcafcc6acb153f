package fleet_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/redis/go-redis/v9"

	"github.com/mangadex-go/mangadex/api"
	"github.com/mangadex-go/mangadex/api/apitest"
	"github.com/mangadex-go/mangadex/api/fleet"
	"github.com/mangadex-go/mangadex/api/transport"
)

// A setting is what a process of a fleet is told.
type setting struct {
	Redis, Server   string
	Requests        int
	Period          time.Duration
	Share           int
	Manga, Chapters []uuid.UUID
}

const settingVariable = "FLEET_PROCESS"

// TestProcess is a process of the fleets below: it sends as much as it may, and writes down the places
// that it gets.
func TestProcess(t *testing.T) {
	text := os.Getenv(settingVariable)
	if text == "" {
		t.Skip("this is for the processes that other tests start")
	}
	var s setting
	if err := json.Unmarshal([]byte(text), &s); err != nil {
		t.Fatal(err)
	}
	server := redis.NewClient(&redis.Options{Addr: s.Redis, MaxRetries: -1, DialTimeout: 300 * time.Millisecond})
	server.AddHook(recorder{})
	options := []fleet.LimiterOption{fleet.WithRate(s.Requests, s.Period), fleet.WithTimeout(500 * time.Millisecond)}
	if s.Share > 0 {
		options = append(options, fleet.WithLocalShare(s.Share))
	}
	l, err := fleet.NewLimiter(server, options...)
	if err != nil {
		t.Fatal(err)
	}
	c, err := api.New(s.Server, api.WithTransport(transport.WithLimiter(spy{l}), transport.WithMaxWait(time.Hour), transport.WithoutRetry()),
		api.WithUserAgent(fmt.Sprintf("process/%d", os.Getpid())))
	if err != nil {
		t.Fatal(err)
	}
	wide := []func(context.Context) error{
		func(ctx context.Context) error { _, err := c.GetManga(ctx, s.Manga[0], nil); return err },
		func(ctx context.Context) error { _, err := c.SearchManga(ctx, nil); return err },
		func(ctx context.Context) error { _, err := c.ListChapters(ctx, nil); return err },
		func(ctx context.Context) error { _, err := c.GetMangaStatisticsByIDs(ctx, s.Manga); return err },
	}
	narrow := func(ctx context.Context) error { _, err := c.GetAtHomeServer(ctx, s.Chapters[0], nil); return err }
	var running sync.WaitGroup
	for _, pick := range []func() func(context.Context) error{
		func() func(context.Context) error { return wide[rand.IntN(len(wide))] },
		func() func(context.Context) error { return narrow },
	} {
		running.Go(func() {
			for {
				err := pick()(context.Background())
				var away *fleet.UnavailableError
				switch {
				case errors.As(err, &away):
					fmt.Println("away")
					time.Sleep(50 * time.Millisecond)
				case err != nil:
					fmt.Println("error", strings.ReplaceAll(err.Error(), "\n", " "))
					time.Sleep(50 * time.Millisecond)
				}
			}
		})
	}
	running.Wait()
}

// A recorder writes down the places that Redis gives.
type recorder struct{ passing }

func (recorder) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		err := next(ctx, cmd)
		if got, ok := cmd.(*redis.Cmd); ok && err == nil {
			if answer, err := got.Slice(); err == nil && len(answer) == 5 && answer[0] == "place" {
				clock, _ := strconv.ParseInt(answer[2].(string), 10, 64)
				fmt.Println("place", fmt.Sprint(cmd.Args()[2]) == "4", clock+answer[1].(int64))
			}
		}
		return err
	}
}

// A spy writes down which places are used. A process of these tests has one call at a time that is
// narrow, and one that is not.
type spy struct{ *fleet.Limiter }

func (s spy) Reserve(ctx context.Context, call transport.Call, maxWait time.Duration, waiting func(time.Time)) (func(), error) {
	giveBack, err := s.Limiter.Reserve(ctx, call, maxWait, waiting)
	if err == nil {
		fmt.Println("used", call.Limit.Requests > 0)
	}
	return giveBack, err
}

// A queue is one of a process, which gets places in turn.
type queue struct {
	number, run int
	own         bool
}

// A crew is a fleet of processes.
type crew struct {
	program string
	mu      sync.Mutex
	place   map[queue]time.Duration // that Redis gave last, by its clock
	all     []time.Duration         // those that were used
	narrow  []time.Duration
	pids    map[int]int // processes by their ids
	away    int
	failed  []string
}

func (c *crew) run(ctx context.Context, t *testing.T, number, run int, s setting) *exec.Cmd {
	t.Helper()
	text, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(ctx, c.program, "-test.run", "^TestProcess$")
	cmd.Env = append(os.Environ(), settingVariable+"="+string(text), offsetVariable+"="+strconv.Itoa(number*3600))
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	c.mu.Lock()
	c.pids[cmd.Process.Pid] = number
	c.mu.Unlock()
	go func() { // ends with the process
		lines := bufio.NewScanner(out)
		for lines.Scan() {
			c.read(number, run, strings.Fields(lines.Text()))
		}
	}()
	return cmd
}

func (c *crew) read(number, run int, line []string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case len(line) == 3 && line[0] == "place":
		us, _ := strconv.ParseInt(line[2], 10, 64)
		c.place[queue{number, run, line[1] == "true"}] = time.Duration(us) * time.Microsecond
	case len(line) == 2 && line[0] == "used":
		q := queue{number, run, line[1] == "true"}
		at, ok := c.place[q]
		delete(c.place, q)
		if now := time.Duration(time.Now().UnixMicro()) * time.Microsecond; !ok || now < at || now > at+2*time.Second {
			return // it is one of the share without Redis, whose time only the server sees
		}
		if c.all = append(c.all, at); q.own {
			c.narrow = append(c.narrow, at)
		}
	case len(line) == 1 && line[0] == "away":
		c.away++
	case len(line) > 1 && line[0] == "error":
		c.failed = append(c.failed, strings.Join(line[1:], " "))
	}
}

// long says whether the tests of fleets take minutes instead of seconds.
func long() bool { return os.Getenv("FLEET_LONG") != "" }

// TestFleet has processes send all they may, while some are killed, while Redis is away for a time, and
// with clocks that are hours apart. No allowance is ever exceeded, by the places that Redis gave and by
// what arrives at the server, and nearly all of it is used.
func TestFleet(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	used := map[string]float64{}
	// On a busy machine every fleet misses places. Then the others are measured by the one that nothing
	// disturbs, of which 99 % are the most that there can be.
	t.Cleanup(func() {
		for name, percent := range used {
			if least := max(92, min(95, 95./99*used["undisturbed"])); long() && percent < least {
				t.Errorf("%s: %.1f%% of the allowance was used, want %.1f%%", name, percent, least)
			}
		}
	})
	for name, test := range map[string]struct {
		kill, restart, share, apart bool
	}{
		"undisturbed":            {},
		"killed":                 {kill: true},
		"without Redis":          {restart: true},
		"without Redis, a share": {restart: true, share: true},
		"clocks apart":           {apart: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			program, err := os.Executable()
			if err != nil {
				t.Fatal(err)
			}
			if test.apart {
				if !long() {
					t.Skip("set FLEET_LONG: the standard library is built anew for it")
				}
				program = withOffset(t)
			}
			redisServer := start(t)
			s := setting{Redis: redisServer.addr, Requests: 5, Period: 200 * time.Millisecond}
			processes, lasts, gone, step := 4, 6*time.Second, 2*time.Second, 300*time.Millisecond
			var options []apitest.Option
			if long() {
				s.Period, processes, lasts, gone, step = time.Second, 8, 5*time.Minute, 20*time.Second, 10*time.Second
				options = append(options, apitest.WithLimits())
			}
			fake := apitest.Start(t, append(options, apitest.WithAddr("127.0.0.1:0"))...)
			s.Server = fake.URL
			for _, manga := range fake.State().Manga() {
				s.Manga = append(s.Manga, manga.ID)
				for _, chapter := range fake.State().Chapters(manga.ID) {
					if chapter.ExternalURL == "" && !chapter.Unavailable {
						s.Chapters = append(s.Chapters, chapter.ID)
					}
				}
			}
			if test.share {
				s.Share = processes
			}
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			c := &crew{program: program, place: map[queue]time.Duration{}, pids: map[int]int{}}
			witness := watch(ctx)
			running, runs := make([]*exec.Cmd, processes), make([]int, processes)
			for i := range running {
				running[i] = c.run(ctx, t, i, 0, s)
			}
			for len(fake.Requests()) == 0 { // they take a while to start
				time.Sleep(time.Millisecond)
			}
			begin, restart := time.Now(), test.restart
			for next := begin; time.Since(begin) < lasts; next = next.Add(step) {
				time.Sleep(time.Until(next.Add(step)))
				if test.kill {
					i := rand.IntN(processes)
					_ = running[i].Process.Kill()
					_ = running[i].Wait()
					runs[i]++
					running[i] = c.run(ctx, t, i, runs[i], s)
				}
				if restart && time.Since(begin) > lasts/3 {
					redisServer.down(t)
					time.Sleep(gone)
					redisServer.up(t)
					restart = false
				}
			}
			// A machine with much to do may not have started all of them so soon.
			for end := time.Now().Add(time.Minute); slices.Min(c.sent(t, fake, processes)) == 0 && time.Now().Before(end); {
				time.Sleep(50 * time.Millisecond)
			}
			took := time.Since(begin)
			cancel()
			for _, cmd := range running {
				_ = cmd.Wait()
			}
			if !test.restart || test.share {
				gone = 0
			}
			percent := c.check(t, s, fake, processes, took, gone, <-witness)
			mu.Lock()
			defer mu.Unlock()
			used[name] = percent
		})
	}
}

// watch tells after the end of a context how late a timer of this machine has been at most.
func watch(ctx context.Context) <-chan time.Duration {
	worst := make(chan time.Duration, 1)
	go func() {
		late := time.Duration(0)
		for ctx.Err() == nil {
			const pause = 5 * time.Millisecond
			began := time.Now()
			time.Sleep(pause)
			late = max(late, time.Since(began)-pause)
		}
		worst <- late
	}()
	return worst
}

// sent returns how many requests have come from each process.
func (c *crew) sent(t *testing.T, fake *apitest.Server, processes int) []int {
	t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	n := make([]int, processes)
	for _, r := range fake.Requests() {
		_, id, _ := strings.Cut(r.Header.Get("User-Agent"), "process/")
		pid, _ := strconv.Atoi(id)
		number, ok := c.pids[pid]
		if !ok {
			t.Fatalf("who is %q?", r.Header.Get("User-Agent"))
		}
		n[number]++
	}
	return n
}

// check compares what was sent with what is allowed. Of the time that Redis is gone nothing can be used
// without a local share. It returns how much of the rest was used, in percent.
func (c *crew) check(t *testing.T, s setting, fake *apitest.Server, processes int, took, gone, late time.Duration) float64 {
	t.Helper()
	byProcess := c.sent(t, fake, processes)
	c.mu.Lock()
	defer c.mu.Unlock()
	if n := mostIn(c.all, s.Period); n > s.Requests {
		t.Errorf("%d places in %v, %d are allowed", n, s.Period, s.Requests)
	}
	if n := mostIn(c.narrow, time.Minute); n > 40 {
		t.Errorf("%d narrow places in a minute, 40 are allowed", n)
	}
	if len(c.failed) > 0 {
		t.Errorf("%d errors, such as %s", len(c.failed), c.failed[0])
	}
	var arrived []time.Duration
	for _, r := range fake.Requests() {
		if r.Status == 429 || r.Status == 403 {
			t.Errorf("%s was answered with %d", r.Operation, r.Status)
		}
		arrived = append(arrived, time.Duration(r.Time.UnixNano()))
	}
	slices.Sort(arrived)
	fewest, fair := slices.Min(byProcess), len(arrived)/processes
	if fewest == 0 {
		t.Errorf("a process has sent nothing: %v", byProcess)
	}
	// What the way makes of the times: how much closer than allowed some have come.
	way := time.Duration(0)
	for i := s.Requests; i < len(arrived); i++ {
		way = max(way, s.Period-(arrived[i]-arrived[i-s.Requests]))
	}
	used := func(time time.Duration) float64 {
		return 100 * float64(len(arrived)) / (float64(s.Requests) * time.Seconds() / s.Period.Seconds())
	}
	t.Logf("%d sent, %.1f%% of the allowance, %.1f%% of that of the time when it could be had; fewest %d by one process (a fair share is %d); %d refusals without Redis; up to %v closer than allowed, as the server sees it, where timers are up to %v late",
		len(arrived), used(took), used(took-gone), fewest, fair, c.away, way.Round(time.Millisecond), late.Round(time.Millisecond))
	if !long() { // in seconds there is nothing to promise
		return 0
	}
	if fewest < fair/2 {
		t.Errorf("a process sent %d, a fair share is %d", fewest, fair)
	}
	if way > 25*time.Millisecond+late {
		t.Errorf("requests came %v closer than allowed, on a machine whose timers are up to %v late", way, late)
	}
	return used(took - gone)
}

const offsetVariable = "FLEET_CLOCK"

// withOffset builds this program with a time.Now that is so many seconds ahead as the environment says.
func withOffset(t *testing.T) string {
	t.Helper()
	dir, source := t.TempDir(), filepath.Join(runtime.GOROOT(), "src", "time")
	clock, err := os.ReadFile(filepath.Join(source, "time.go"))
	if err != nil {
		t.Skipf("the source of package time is not here: %v", err)
	}
	const now = "func Now() Time {\n\tsec, nsec, mono := runtimeNow()\n"
	if !strings.Contains(string(clock), now) {
		t.Skip("time.Now of this Go looks different")
	}
	files := map[string]string{
		"time.go": strings.Replace(string(clock), now, now+"\tsec += offset\n", 1),
		"offset.go": `package time

import "syscall"

var offset = func() (seconds int64) {
	text, _ := syscall.Getenv("` + offsetVariable + `")
	for _, digit := range []byte(text) {
		seconds = 10*seconds + int64(digit-'0')
	}
	return seconds
}()
`,
	}
	replace := map[string]string{}
	for name, text := range files {
		replace[filepath.Join(source, name)] = filepath.Join(dir, name)
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	overlay, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "overlay.json"), overlay, 0o600); err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(dir, "fleet.test")
	if out, err := exec.Command("go", "test", "-buildvcs=false", "-c", "-overlay", filepath.Join(dir, "overlay.json"), "-o", program, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return program
}
