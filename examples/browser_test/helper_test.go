// Package browser tests the reader and the pages of the mirror in a headless Chromium, as a person would
// use them. It is a module of its own, so that the library does not depend on what drives the browser.
//
//	cd examples/browser_test && go test
//
// Without ./... nothing is taken from the cache of go test, which does not know that the programs have
// changed, and a missing Chromium is told of.
// With SCREENSHOTS set to a folder, pictures of what was seen are kept there.
package browser

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/input"
	cdplog "github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/google/uuid"

	"github.com/mangadex-go/mangadex/api/apitest"
)

// browser is shared by the tests: each has a profile of its own in it.
var (
	browser  context.Context
	programs string // the folder that reader and mirror are in
)

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	chromium := ""
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			chromium = path
			break
		}
	}
	if chromium == "" {
		fmt.Println("skipped: there is no Chromium here; apt-get install chromium")
		return 0
	}
	dir, err := os.MkdirTemp("", "browser")
	if err != nil {
		fmt.Println(err)
		return 1
	}
	defer os.RemoveAll(dir)
	programs = dir
	for _, name := range []string{"reader", "mirror"} {
		build := exec.Command("go", "build", "-buildvcs=false", "-o", filepath.Join(dir, name), ".")
		build.Dir = filepath.Join("..", name)
		if out, err := build.CombinedOutput(); err != nil {
			fmt.Printf("%s\n%s", err, out)
			return 1
		}
	}

	ctx, cancel := chromedp.NewExecAllocator(context.Background(),
		chromedp.ExecPath(chromium), chromedp.Headless, chromedp.NoSandbox, chromedp.DisableGPU, chromedp.NoFirstRun,
		chromedp.UserDataDir(filepath.Join(dir, "profile")),
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-background-networking", true),
		chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-sync", true),
	)
	defer cancel()
	browser, cancel = chromedp.NewContext(ctx)
	defer cancel()
	if err := chromedp.Do(browser); err != nil {
		fmt.Println(err)
		return 1
	}
	return m.Run()
}

// startReader starts the program on a fake MangaDex, logged in as its account or as nobody, and
// returns its address.
func startReader(t *testing.T, fake *apitest.Server, loggedIn bool, args ...string) string {
	t.Helper()
	args = append([]string{"-addr", "127.0.0.1:0", "-server", fake.URL, "-unlimited", "-token", filepath.Join(t.TempDir(), "token.json")}, args...)
	cmd := command("reader", args...)
	cmd.Env = append(cmd.Env, "MANGADEX_CLIENT_ID="+fake.Account.ClientID, "MANGADEX_CLIENT_SECRET="+fake.Account.ClientSecret)
	if loggedIn {
		cmd.Env = append(cmd.Env, "MANGADEX_USERNAME="+fake.Account.Username, "MANGADEX_PASSWORD="+fake.Account.Password)
	}
	return serve(t, cmd)
}

// command is one of the programs, with nothing of MangaDex in its environment.
func command(name string, args ...string) *exec.Cmd {
	cmd := exec.Command(filepath.Join(programs, name), args...)
	for _, pair := range os.Environ() {
		if !strings.HasPrefix(pair, "MANGADEX_") {
			cmd.Env = append(cmd.Env, pair)
		}
	}
	return cmd
}

// serve starts a program that prints the address at which it serves, and returns that. It is ended with
// the test.
func serve(t *testing.T, cmd *exec.Cmd) string {
	t.Helper()
	name := filepath.Base(cmd.Path)
	cmd.Stderr = t.Output()
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	if !lines.Scan() {
		t.Fatalf("the %s says nothing", name)
	}
	var rest sync.WaitGroup
	rest.Go(func() {
		for lines.Scan() {
			t.Logf("the %s says: %s", name, lines.Text())
		}
	})
	t.Cleanup(func() {
		cmd.Process.Signal(os.Interrupt)
		rest.Wait()
		if err := cmd.Wait(); err != nil && cmd.ProcessState.ExitCode() != 130 { // as for Ctrl-C
			t.Errorf("the %s ended with %v", name, err)
		}
	})
	address, _, _ := strings.Cut(lines.Text(), " ")
	return strings.TrimSuffix(address, "/")
}

// startFake starts a fake MangaDex with a title that has chapters of three pages, besides those of
// the catalogue.
func startFake(t *testing.T) (fake *apitest.Server, manga uuid.UUID, chapters []uuid.UUID) {
	t.Helper()
	fake = apitest.Start(t, apitest.WithAddr("127.0.0.1:0"))
	manga, err := fake.State().AddManga(apitest.Manga{Title: "The Lamplighter's Ledger"})
	if err != nil {
		t.Fatal(err)
	}
	for _, number := range []string{"1", "2"} {
		id, err := fake.State().AddChapter(apitest.Chapter{Manga: manga, Number: number, Title: "Wick and Flame", Pages: 3})
		if err != nil {
			t.Fatal(err)
		}
		chapters = append(chapters, id)
	}
	return fake, manga, chapters
}

// A tab is a window of the browser with a profile of its own.
type tab struct {
	context.Context
	t *testing.T

	mu       sync.Mutex
	exchange []exchange
	expected []string // parts of complaints that are no failure
}

// An exchange is what the browser has sent or got.
type exchange struct {
	URL     string            // empty where only the headers are told
	Headers string            // as they went over the wire
	ID      network.RequestID // of an answer
}

// openTab opens a window. The test fails when a page complains, as of a broken Content-Security-Policy.
func openTab(t *testing.T, width, height int64, options ...chromedp.EmulateViewportOption) *tab {
	t.Helper()
	ctx, cancel := chromedp.NewContext(browser, chromedp.WithNewBrowserContext())
	t.Cleanup(cancel)
	ctx, cancel = context.WithTimeout(ctx, 10*time.Minute)
	t.Cleanup(cancel)
	b := &tab{Context: ctx, t: t}
	b.do(chromedp.EmulateViewport(width, height, options...))
	err := chromedp.Listen(ctx, func(event any) {
		switch e := event.(type) {
		case *runtime.EventExceptionThrown:
			b.complain(e.ExceptionDetails.Text)
		case *cdplog.EventEntryAdded:
			if e.Entry.Level == cdplog.EntryLevelError {
				b.complain(e.Entry.Text + " " + e.Entry.URL)
			}
		case *network.EventRequestWillBeSent:
			b.record(exchange{URL: e.Request.URL, Headers: fmt.Sprint(e.Request.Headers)})
		case *network.EventRequestWillBeSentExtraInfo:
			b.record(exchange{Headers: fmt.Sprint(e.Headers)})
		case *network.EventResponseReceived:
			b.record(exchange{URL: e.Response.URL, Headers: fmt.Sprint(e.Response.Headers), ID: e.RequestID})
		case *network.EventResponseReceivedExtraInfo:
			b.record(exchange{Headers: fmt.Sprint(e.Headers)})
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	buffer := int64(100 << 20)
	call(b, network.Enable, network.EnableParams{})
	call(b, network.ConfigureDurableMessages, network.ConfigureDurableMessagesParams{MaxTotalBufferSize: &buffer})
	return b
}

// call sends a command to the browser.
func call[P, R any](b *tab, command cdp.Command[P, R], params P) R {
	b.t.Helper()
	result, err := chromedp.Call(b, command, params)
	if err != nil {
		b.t.Fatal(err)
	}
	return result
}

func (b *tab) expect(parts ...string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.expected = append(b.expected, parts...)
}

func (b *tab) complain(text string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, part := range b.expected {
		if strings.Contains(text, part) {
			return
		}
	}
	b.t.Error("the browser complains: " + text)
}

func (b *tab) record(e exchange) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.exchange = append(b.exchange, e)
}

func (b *tab) exchanges() []exchange {
	b.mu.Lock()
	defer b.mu.Unlock()
	return append([]exchange(nil), b.exchange...)
}

func (b *tab) do(steps ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	if err := chromedp.Do(b, steps...); err != nil {
		b.t.Fatal(err)
	}
}

func (b *tab) open(url string) {
	b.t.Helper()
	b.do(chromedp.Navigate(url))
}

// eval is the value of an expression.
func eval[T any](b *tab, expression string) T {
	b.t.Helper()
	value, err := chromedp.Run(b, chromedp.Evaluate[T](expression))
	if err != nil {
		b.t.Fatalf("%s: %v", expression, err)
	}
	return value
}

// wait waits until an expression is true, also over the change from one page to another.
func (b *tab) wait(expression string) {
	b.t.Helper()
	end := time.Now().Add(time.Minute)
	for {
		is, err := chromedp.Run(b, chromedp.Evaluate[bool]("!!("+expression+")"))
		if is && err == nil {
			return
		}
		if time.Now().After(end) {
			page, _ := chromedp.Run(b, chromedp.Evaluate[string]("location.href + document.body.innerText"))
			b.t.Fatalf("never true: %s (%v)\n%s", expression, err, page)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// press presses keys, one after the other. A page that takes a key for itself keeps it from being
// typed, as with a real keyboard.
func (b *tab) press(keys ...string) {
	b.t.Helper()
	for _, key := range keys {
		for _, r := range key {
			events := kb.Encode(r)
			if len(events) == 3 { // down, typed, up
				events[0].Text, events[0].UnmodifiedText = events[1].Text, events[1].UnmodifiedText
				events = slices.Delete(events, 1, 2)
			}
			for _, event := range events {
				call(b, input.DispatchKeyEvent, *event)
			}
		}
	}
}

// tabTo presses the tabulator until the focus is on what the selector finds.
func (b *tab) tabTo(selector string) {
	b.t.Helper()
	for range 60 {
		if eval[bool](b, "document.activeElement.matches("+quote(selector)+")") {
			return
		}
		b.press(tabulator)
	}
	b.t.Fatalf("the tabulator does not lead to %s", selector)
}

func quote(s string) string { return fmt.Sprintf("%q", s) }

// arrow and other keys that have no letter.
const (
	tabulator = kb.Tab
	enter     = kb.Enter
	escape    = kb.Escape
	left      = kb.ArrowLeft
	right     = kb.ArrowRight
	down      = kb.ArrowDown
	home      = kb.Home
	end       = kb.End
)

// shoot keeps a picture of the window where SCREENSHOTS says.
func (b *tab) shoot(name string) {
	b.t.Helper()
	dir := os.Getenv("SCREENSHOTS")
	if dir == "" {
		return
	}
	picture, err := chromedp.Run(b, chromedp.CaptureScreenshot())
	if err != nil {
		b.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, name+".png"), picture, 0o666); err != nil {
		b.t.Fatal(err)
	}
}

// arrived tells whether all pictures that are in the window are there.
const arrived = `[...document.images].every(i => i.closest("[hidden]") || i.getBoundingClientRect().top > innerHeight || i.complete && i.naturalWidth > 0)`
