package main

import (
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/mangadex-go/mangadex/api/apitest"
	"github.com/mangadex-go/mangadex/examples/internal/exampletest"
)

// realWaits in the environment makes [TestOnceWhateverIsLost] one of minutes: it loses each answer in front
// of each command that may follow, and waits for as long as users do.
const realWaits = "UPLOAD_REAL_WAITS"

// A scale is how long things take.
type scale struct {
	soon, late time.Duration // how long the server goes on after it has answered 504
	wait       time.Duration // of the program
}

func scaled() scale {
	if os.Getenv(realWaits) != "" {
		return scale{2 * time.Second, time.Minute, 2 * time.Minute}
	}
	return scale{50 * time.Millisecond, 300 * time.Millisecond, 2 * time.Second}
}

// A loss is a way in which the answer to a commit is lost.
type loss struct {
	name   string
	fault  apitest.Fault
	signal os.Signal     // sent to the program while the server is at it
	gone   time.Duration // for so long there is no network, from the commit on
}

func losses(s scale) []loss {
	const long = time.Hour // the signal comes before
	return []loss{
		{name: "reset before the status line, done", fault: apitest.Fault{After: true, Drop: true, Reset: true}},
		{name: "reset before the status line, not done", fault: apitest.Fault{Drop: true, Reset: true}},
		{name: "reset after the status line", fault: apitest.Fault{DropBody: true, Reset: true}},
		{name: "502, done", fault: apitest.Fault{After: true, Status: 502}},
		{name: "502, not done", fault: apitest.Fault{Status: 502}},
		{name: "502 of a proxy, done", fault: apitest.Fault{After: true, Status: 502, HTML: true}},
		{name: "504, done soon after", fault: apitest.Fault{Late: s.soon}},
		{name: "504, done late", fault: apitest.Fault{Late: s.late}},
		{name: "half an answer", fault: apitest.Fault{Truncate: true}},
		{name: "{}", fault: apitest.Fault{Empty: true}},
		{name: "SIGINT, done", fault: apitest.Fault{After: true, Delay: long}, signal: os.Interrupt},
		{name: "SIGINT, not done", fault: apitest.Fault{Delay: long}, signal: os.Interrupt},
		{name: "SIGTERM, done", fault: apitest.Fault{After: true, Delay: long}, signal: syscall.SIGTERM},
		{name: "SIGKILL, done", fault: apitest.Fault{After: true, Delay: long}, signal: os.Kill},
		{name: "SIGKILL, not done", fault: apitest.Fault{Delay: long}, signal: os.Kill},
		{name: "network gone, done", fault: apitest.Fault{}, gone: s.late},
		{name: "network gone, not done", fault: apitest.Fault{Drop: true}, gone: s.late},
	}
}

// TestOnceWhateverIsLost loses the answer to the commit in each way, then does what users do: the same
// command, -resume, -replace, or what the program says. In the end there is one chapter.
func TestOnceWhateverIsLost(t *testing.T) {
	t.Parallel()
	s := scaled()
	var all sync.WaitGroup
	room := make(chan struct{}, 8) // they wait more than they work
	one := 4                       // of so many is tried
	switch {
	case os.Getenv(realWaits) != "":
		one = 1
	case testing.Short():
		one = 16
	}
	for i, l := range losses(s) {
		for j, then := range []string{"the same", "-resume", "-replace", "as it says"} {
			if (i+j)%one != 0 {
				continue
			}
			all.Go(func() {
				room <- struct{}{}
				defer func() { <-room }()
				t.Run(l.name+", then "+then, func(t *testing.T) { losesThen(t, l, then, s) })
			})
		}
	}
	all.Wait()
}

func losesThen(t *testing.T, l loss, then string, s scale) {
	a := newAuthor(t, 3)
	r := a.loses(l, s)
	a.trueTo(r)
	var flags []string
	switch then {
	case "the same":
	case "as it says":
		flags = advice(r)
	default:
		flags = []string{then}
	}
	a.endsWithOne(a.Run(a.wait(s, flags...)...), s)
}

// wait is a command that waits as the scale says.
func (a *author) wait(s scale, flags ...string) []string {
	return append(a.args(flags...), "-wait", s.wait.String(), "pages")
}

// loses runs the program once, and loses the answer to its commit.
func (a *author) loses(l loss, s scale) exampletest.Result {
	a.t.Helper()
	args := a.wait(s)
	if l.gone > 0 {
		wire := newWire(a.t, strings.TrimPrefix(a.Server.URL, "http://"))
		cut := func() { wire.cut(l.gone) }
		if l.fault.Drop { // nothing comes back from what is not done
			l.fault = apitest.Fault{Delay: time.Hour}
			ended := make(chan struct{})
			defer close(ended)
			go a.once(ended, func() bool { return len(a.Requests("CommitUpload")) > 0 }, cut)
		} else {
			l.fault.Then = cut
		}
		args = append([]string{"-server", "http://" + wire.address}, args...)
	}
	l.fault.Operation = "CommitUpload"
	a.Server.Fail(l.fault)
	run := a.Start(args...)
	if l.signal != nil {
		run.Signal(l.signal, func() bool {
			return len(a.Requests("CommitUpload")) > 0 && (!l.fault.After || len(a.chapters()) > 0)
		})
	}
	return run.Wait()
}

// once waits for a condition, then does something, unless what it waits for ends before.
func (a *author) once(ended <-chan struct{}, condition func() bool, do func()) {
	for !condition() {
		select {
		case <-ended:
			return
		case <-time.After(5 * time.Millisecond):
		}
	}
	do()
}

// trueTo checks that the program said what is true.
func (a *author) trueTo(r exampletest.Result) {
	a.t.Helper()
	a.NoSecrets(r)
	chapters := a.chapters()
	switch {
	case len(chapters) > 1:
		a.t.Fatalf("%d chapters; stderr: %s", len(chapters), r.Stderr)
	case r.Status == 0:
		a.published(r)
	case r.Status > 0 && strings.TrimSpace(r.Stdout) != "":
		a.t.Errorf("it failed, and printed %s", r.Stdout)
	}
	a.t.Logf("status %d: %s%s", r.Status, r.Stdout, r.Stderr)
}

// advice is what the program says to do.
func advice(r exampletest.Result) []string {
	switch {
	case strings.Contains(r.Stderr, "-resume goes on"), strings.Contains(r.Stderr, "by -resume"):
		return []string{"-resume"}
	case strings.Contains(r.Stderr, "by -replace"):
		return []string{"-replace"}
	}
	return nil // the same command
}

// endsWithOne does what the program says, until there is nothing left to do.
func (a *author) endsWithOne(r exampletest.Result, s scale) {
	a.t.Helper()
	for range 6 {
		a.trueTo(r)
		if r.Status == 0 || strings.Contains(r.Stderr, "has published this chapter already") {
			break
		}
		r = a.Run(a.wait(s, advice(r)...)...)
	}
	time.Sleep(2 * s.late) // what is late
	chapters := a.chapters()
	if len(chapters) != 1 {
		a.t.Fatalf("%d chapters; stderr: %s", len(chapters), r.Stderr)
	}
	if r.Status != 0 && !strings.Contains(r.Stderr, chapters[0].ID.String()) {
		a.t.Errorf("it does not name the chapter: %s", r.Stderr)
	}
	r.Stdout = fmt.Sprintln("https://mangadex.org/chapter/" + chapters[0].ID.String())
	a.published(r)
}

// A wire connects the program with its server until it is cut.
type wire struct {
	address string
	server  string
	mu      sync.Mutex
	until   time.Time // for which it is cut
	open    map[net.Conn]bool
}

func newWire(t testing.TB, server string) *wire {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w := &wire{address: listener.Addr().String(), server: server, open: map[net.Conn]bool{}}
	var both sync.WaitGroup
	both.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			both.Go(func() { w.carry(conn) })
		}
	})
	t.Cleanup(func() {
		listener.Close()
		w.cut(0)
		both.Wait()
	})
	return w
}

// carry passes on what comes, both ways.
func (w *wire) carry(conn net.Conn) {
	defer conn.Close()
	server, err := net.Dial("tcp", w.server)
	if err != nil || !w.add(conn, server) {
		return
	}
	defer server.Close()
	var back sync.WaitGroup
	back.Go(func() {
		_, _ = io.Copy(conn, server)
		conn.Close()
	})
	_, _ = io.Copy(server, conn)
	server.Close()
	back.Wait()
}

func (w *wire) add(conns ...net.Conn) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if time.Now().Before(w.until) {
		return false
	}
	for _, conn := range conns {
		w.open[conn] = true
	}
	return true
}

// cut ends all connections, and lets none through for a while.
func (w *wire) cut(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.until = time.Now().Add(d)
	for conn := range w.open {
		conn.Close()
	}
	clear(w.open)
}
