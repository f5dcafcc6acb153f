package fleet_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/mangadex-go/mangadex/api/fleet"
	"github.com/mangadex-go/mangadex/api/transport"
)

// A setting is what a process of a fleet is told.
type setting struct {
	Addr     string
	Requests int
	Period   time.Duration
	Callers  int
	Share    int
	Narrow   transport.Limit
}

const settingVariable = "FLEET_PROCESS"

// TestProcess is a process of the fleets below: it sends as much as it may and writes down when. A
// line is the operation, and the place by the clock of Redis or, where Redis was away, the time.
func TestProcess(t *testing.T) {
	text := os.Getenv(settingVariable)
	if text == "" {
		t.Skip("this is for the processes that other tests start")
	}
	var s setting
	if err := json.Unmarshal([]byte(text), &s); err != nil {
		t.Fatal(err)
	}
	client := redis.NewClient(&redis.Options{Addr: s.Addr, MaxRetries: -1, DialTimeout: 300 * time.Millisecond})
	recorder := &recorder{}
	client.AddHook(recorder)
	options := []fleet.LimiterOption{fleet.WithRate(s.Requests, s.Period), fleet.WithTimeout(500 * time.Millisecond)}
	if s.Share > 0 {
		options = append(options, fleet.WithLocalShare(s.Share))
	}
	l, err := fleet.NewLimiter(client, options...)
	if err != nil {
		t.Fatal(err)
	}
	var running sync.WaitGroup
	for caller := range s.Callers {
		running.Go(func() {
			call := transport.Call{Operation: "GetManga"}
			if caller == 0 && s.Narrow.Requests > 0 {
				call = transport.Call{Operation: "GetAtHomeServer", Limit: s.Narrow}
			}
			for {
				err := l.Wait(context.Background(), call, time.Hour)
				var away *fleet.UnavailableError
				switch {
				case errors.As(err, &away):
					fmt.Println("away")
					time.Sleep(50 * time.Millisecond)
				case err != nil:
					fmt.Println("error", err)
					time.Sleep(50 * time.Millisecond)
				default:
					fmt.Println("sent", call.Operation, time.Now().UnixMicro())
				}
			}
		})
	}
	running.Wait()
}

// A recorder writes down the places that Redis gives.
type recorder struct{}

func (*recorder) DialHook(next redis.DialHook) redis.DialHook { return next }
func (*recorder) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return next
}

func (*recorder) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		err := next(ctx, cmd)
		if got, ok := cmd.(*redis.Cmd); ok && err == nil {
			if answer, err := got.Slice(); err == nil && len(answer) == 5 && answer[0] == "place" {
				clock, _ := strconv.ParseInt(answer[2].(string), 10, 64)
				own := strings.Contains(fmt.Sprint(cmd.Args()...), "bucket:")
				fmt.Println("place", own, clock+answer[1].(int64), memberOf(cmd))
			}
			if _, err := got.Int64(); err == nil && len(cmd.Args()) == 4+keysOf(cmd) {
				fmt.Println("back", memberOf(cmd))
			}
		}
		return err
	}
}

// keysOf is how many keys a script gets, and memberOf the name of the request that it is about.
func keysOf(cmd redis.Cmder) int {
	n, _ := strconv.Atoi(fmt.Sprint(cmd.Args()[2]))
	return n
}

func memberOf(cmd redis.Cmder) string { return fmt.Sprint(cmd.Args()[3+keysOf(cmd)]) }

// A crew is a fleet of processes.
type crew struct {
	mu     sync.Mutex
	places map[string]time.Duration // that were not given back, by the clock of Redis
	narrow map[string]time.Duration
	sent   map[int][]time.Duration // by process, by our clock
	away   int
	failed []string
}

func (c *crew) run(ctx context.Context, t *testing.T, number int, s setting) *exec.Cmd {
	t.Helper()
	text, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(ctx, os.Args[0], "-test.run", "^TestProcess$")
	cmd.Env = append(os.Environ(), settingVariable+"="+string(text))
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { // ends with the process
		lines := bufio.NewScanner(out)
		for lines.Scan() {
			c.read(number, strings.Fields(lines.Text()))
		}
	}()
	return cmd
}

func (c *crew) read(number int, line []string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	at := func(text string) time.Duration {
		us, _ := strconv.ParseInt(text, 10, 64)
		return time.Duration(us) * time.Microsecond
	}
	switch {
	case len(line) == 4 && line[0] == "place":
		c.places[line[3]] = at(line[2])
		if line[1] == "true" {
			c.narrow[line[3]] = at(line[2])
		}
	case len(line) == 2 && line[0] == "back":
		delete(c.places, line[1])
		delete(c.narrow, line[1])
	case len(line) == 3 && line[0] == "sent":
		c.sent[number] = append(c.sent[number], at(line[2]))
	case len(line) == 1 && line[0] == "away":
		c.away++
	case len(line) > 1 && line[0] == "error":
		c.failed = append(c.failed, strings.Join(line[1:], " "))
	}
}

// scale is how long the tests of fleets take: seconds, or minutes where FLEET_LONG is set.
func long() bool { return os.Getenv("FLEET_LONG") != "" }

// TestFleet has processes send all they may, while some are killed, and while Redis is away for a
// time. No allowance is ever exceeded, by the places that Redis gave, and nearly all of it is used.
func TestFleet(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		kill, restart bool
		share         bool
	}{
		"undisturbed":            {},
		"killed":                 {kill: true},
		"without Redis":          {restart: true},
		"without Redis, a share": {restart: true, share: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			redisServer := start(t)
			s := setting{Addr: redisServer.addr, Requests: 5, Period: 200 * time.Millisecond, Callers: 2, Narrow: transport.Limit{Requests: 8, Per: 2 * time.Second}}
			processes, lasts, gone, step := 4, 6*time.Second, 2*time.Second, 300*time.Millisecond
			if long() {
				s.Period, processes, lasts, gone, step = time.Second, 8, 5*time.Minute, 20*time.Second, 10*time.Second
				s.Narrow = transport.Limit{Requests: 40, Per: time.Minute}
			}
			if test.share {
				s.Share = processes
			}
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			c := &crew{places: map[string]time.Duration{}, narrow: map[string]time.Duration{}, sent: map[int][]time.Duration{}}
			running := make([]*exec.Cmd, processes)
			for i := range running {
				running[i] = c.run(ctx, t, i, s)
			}
			begin, restart := time.Now(), test.restart
			for next := begin; time.Since(begin) < lasts; next = next.Add(step) {
				time.Sleep(time.Until(next.Add(step)))
				if test.kill {
					i := rand.IntN(processes)
					_ = running[i].Process.Kill()
					_ = running[i].Wait()
					running[i] = c.run(ctx, t, i, s)
				}
				if restart && redisServer.cmd != nil && time.Since(begin) > lasts/3 && time.Since(begin) < lasts/2 {
					redisServer.down(t)
					time.Sleep(gone)
					redisServer.up(t)
					restart = false
				}
			}
			cancel()
			for _, cmd := range running {
				_ = cmd.Wait()
			}
			least := 0.0 // of the allowance; in seconds, and without Redis, there is none to promise
			switch {
			case !long() || test.restart:
			case test.kill: // whose places are lost
				least = 0.9
			default:
				least = 0.95
			}
			c.check(t, s, processes, time.Since(begin), least)
		})
	}
}

func (c *crew) check(t *testing.T, s setting, processes int, took time.Duration, least float64) {
	t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	if n := mostIn(slices.Collect(maps.Values(c.places)), s.Period); n > s.Requests {
		t.Errorf("%d places in %v, %d are allowed", n, s.Period, s.Requests)
	}
	if n := mostIn(slices.Collect(maps.Values(c.narrow)), s.Narrow.Per); n > s.Narrow.Requests {
		t.Errorf("%d narrow places in %v, %d are allowed", n, s.Narrow.Per, s.Narrow.Requests)
	}
	var all []time.Duration
	fewest := len(c.places)
	for i := range processes {
		all = append(all, c.sent[i]...)
		fewest = min(fewest, len(c.sent[i]))
	}
	slices.Sort(all)
	if len(c.failed) > 0 {
		t.Errorf("%d errors, such as %s", len(c.failed), c.failed[0])
	}
	if len(all) == 0 || fewest == 0 {
		t.Fatal("a process has sent nothing")
	}
	used := float64(len(all)) / (float64(s.Requests) * took.Seconds() / s.Period.Seconds())
	if used < least {
		t.Errorf("%.1f%% of the allowance was used, want %.0f%%", 100*used, 100*least)
	}
	if least > 0 && fewest < len(all)/processes/2 {
		t.Errorf("a process sent %d, a fair share is %d", fewest, len(all)/processes)
	}
	t.Logf("%d sent, %.0f%% of the allowance, fewest %d by one process (a fair share is %d), without Redis %d times; most in a period by our clock less 25 ms: %d",
		len(all), 100*used, fewest, len(all)/processes, c.away, mostIn(all, s.Period-25*time.Millisecond))
}
