package athome_test

import (
	"bufio"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
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
	w.fault = func(q query) fault {
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
	early := 0 // kills that came before the end of Save
	for range kills {
		cmd, out := start()
		if line, err := out.ReadString('\n'); err != nil || line != "begin\n" {
			t.Fatalf("the program did not begin: %q, %v", line, err)
		}
		time.Sleep(rand.N(50 * time.Millisecond))
		must(t, cmd.Process.Kill())
		if err := cmd.Wait(); err != nil && strings.Contains(err.Error(), "killed") {
			early++
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
	if early < kills*9/10 || len(before) == 0 {
		t.Errorf("only %d of %d kills came in time, and %d pages arrived: the test shows too little", early, kills, len(before))
	}
	t.Logf("%d kills in time, %d of %d pages kept", early, len(before), len(w.pages))

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
