package athome_test

import (
	"bufio"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/mangadex-go/mangadex/api"
	"github.com/mangadex-go/mangadex/api/apitest"
	"github.com/mangadex-go/mangadex/api/athome"
)

// What the program to kill gets in its environment.
const (
	killServer = "ATHOME_TEST_SERVER"
	killFolder = "ATHOME_TEST_FOLDER"
)

// TestKillChild is the program that TestKill kills.
func TestKillChild(t *testing.T) {
	server, dir := os.Getenv(killServer), os.Getenv(killFolder)
	if server == "" {
		t.Skip("this is a part of TestKill")
	}
	client, err := api.New(server)
	must(t, err)
	chapter, err := athome.Open(t.Context(), client, chapterID, athome.WithParallel(4))
	must(t, err)
	defer chapter.Close()
	os.Stdout.WriteString("begin\n")
	must(t, chapter.Save(t.Context(), dir))
}

// TestKill kills Save fifteen times at random points. After each, every page in the folder is whole,
// and is not asked for again by the next one; the last one ends with the whole chapter.
func TestKill(t *testing.T) {
	if testing.Short() {
		t.Skip("it starts 16 programs; leave out -short")
	}
	t.Parallel()
	const kills = 15
	w := newWorld(t, 300, 3000, apitest.WithTitles(10))
	w.base = nil
	w.publish(t)
	w.delay = 4 * time.Millisecond
	var answered atomic.Int64 // requests for pages, of which later ones stand still: so Save never comes to its end
	w.fault = func(q query) fault {
		if int64(q.Nth) > answered.Load() {
			return silent
		}
		if q.Nth%17 == 0 {
			return []fault{cut, garble, {Status: 500}}[q.Nth/17%3]
		}
		return none
	}
	dir := filepath.Join(t.TempDir(), "chapter")

	start := func() (*exec.Cmd, *bufio.Reader) {
		cmd := exec.Command(os.Args[0], "-test.run=^TestKillChild$", "-test.count=1")
		cmd.Env = append(os.Environ(), killServer+"="+w.srv.URL, killFolder+"="+dir)
		out, err := cmd.StdoutPipe()
		must(t, err)
		must(t, cmd.Start())
		return cmd, bufio.NewReader(out)
	}
	// kept checks the folder, and returns how often each page in it has been asked for.
	kept := func() map[int]int {
		tries := w.tally().tries
		there := map[int]int{}
		for i, page := range w.pages {
			data, err := os.ReadFile(filepath.Join(dir, pageName(i)))
			switch {
			case os.IsNotExist(err):
			case err != nil || sum(data) != sum(page):
				t.Fatalf("page %d is in the folder and not whole (%v)", i, err)
			default:
				there[i] = tries[i]
			}
		}
		return there
	}

	before := map[int]int{}
	for n := range kills {
		answered.Store(int64(w.tally().queries + rand.IntN(len(w.pages)/kills)))
		cmd, out := start()
		if line, err := out.ReadString('\n'); err != nil || line != "begin\n" {
			t.Fatalf("the program did not begin: %q, %v", line, err)
		}
		for n%2 == 0 && int64(w.tally().queries) <= answered.Load() { // however slow it is
			time.Sleep(time.Millisecond)
		}
		time.Sleep(rand.N(50 * time.Millisecond))
		must(t, cmd.Process.Kill())
		var rest strings.Builder
		out.WriteTo(&rest)
		if err := cmd.Wait(); err == nil || rest.Len() > 0 {
			t.Errorf("the program ended by itself: %v\n%s", err, &rest)
		}
		after := kept()
		tries := w.tally().tries
		for page, times := range before {
			if tries[page] != times {
				t.Errorf("page %d was whole and was asked for again", page)
			}
			if _, ok := after[page]; !ok {
				t.Errorf("page %d was there and is gone", page)
			}
		}
		before = after
	}
	if len(before) == 0 {
		t.Error("no page has arrived: the test shows too little")
	}
	t.Logf("%d of %d pages kept", len(before), len(w.pages))

	answered.Store(math.MaxInt64)
	cmd, out := start()
	var rest strings.Builder
	out.WriteTo(&rest)
	if err := cmd.Wait(); err != nil {
		t.Fatalf("%v\n%s", err, rest.String())
	}
	for page, times := range before {
		if got := w.tally().tries[page]; got != times {
			t.Errorf("page %d was whole and was asked for again", page)
		}
	}
	checkFolder(t, dir, w.pages, ".png")
}
