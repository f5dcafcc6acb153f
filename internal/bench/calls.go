package main

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/mangadex-go/mangadex/api"
	"github.com/mangadex-go/mangadex/internal/bench/plain"
	"github.com/mangadex-go/mangadex/internal/sample"
)

// Whole calls are measured in processes of their own, as what these take of the CPU: the command starts
// itself as a server, and as a client of it that makes so many calls.

// roles are what the command is when it starts itself.
var roles = map[string]func(server string, calls int) error{
	"server": func(string, int) error { return serve() },
	"ours":   callOurs, "plain": callPlain, "gunzip": gunzip,
}

// serve serves a list of 100 titles until its input ends: below /length with its length, below /chunked
// without, below /gzip as gzip.
func serve() error {
	body := sample.MangaList(100, 1)
	zipped := compressed(body)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		switch way := strings.Split(r.URL.Path, "/")[1]; way {
		case "gzip":
			w.Header().Set("Content-Encoding", "gzip")
			w.Header().Set("Content-Length", strconv.Itoa(len(zipped)))
			w.Write(zipped)
		case "chunked":
			w.(http.Flusher).Flush()
			w.Write(body)
		default:
			w.Header().Set("Content-Length", strconv.Itoa(len(body)))
			w.Write(body)
		}
	}))
	defer server.Close()
	fmt.Println(server.URL)
	_, err := io.Copy(io.Discard, os.Stdin)
	return err
}

func compressed(body []byte) []byte {
	var b bytes.Buffer // which cannot fail
	w := gzip.NewWriter(&b)
	_, _ = w.Write(body)
	_ = w.Close()
	return b.Bytes()
}

// callOurs prints the bytes and the allocations of a call, too.
func callOurs(server string, calls int) error {
	client, err := api.New(server, api.WithoutRateLimit())
	if err != nil {
		return err
	}
	var before, after runtime.MemStats
	const warm = 5
	for i := range calls {
		if i == warm {
			runtime.ReadMemStats(&before)
		}
		list, err := client.SearchManga(context.Background(), searchParams)
		if err != nil || len(list.Data) != 100 {
			return fmt.Errorf("a call: %w", err)
		}
	}
	runtime.ReadMemStats(&after)
	if n := uint64(calls - warm); calls > warm {
		fmt.Println((after.TotalAlloc-before.TotalAlloc)/n, (after.Mallocs-before.Mallocs)/n)
	}
	return nil
}

func callPlain(server string, calls int) error {
	client, err := plain.NewClientWithResponses(server)
	if err != nil {
		return err
	}
	limit, includes := 100, plain.ReferenceExpansionManga{"author", "artist", "cover_art"}
	for range calls {
		list, err := client.GetSearchMangaWithResponse(context.Background(), &plain.GetSearchMangaParams{Limit: &limit, Includes: &includes})
		if err != nil || list.JSON200 == nil || len(*list.JSON200.Data) != 100 {
			return fmt.Errorf("a call of plain code: %w", err)
		}
	}
	return nil
}

// gunzip only decompresses the list, into a buffer that is large enough.
func gunzip(_ string, calls int) error {
	zipped, buffer := compressed(sample.MangaList(100, 1)), make([]byte, 1<<20)
	r := new(gzip.Reader)
	for range calls {
		if err := r.Reset(strings.NewReader(string(zipped))); err != nil {
			return err
		}
		if _, err := io.ReadFull(r, buffer); err != io.ErrUnexpectedEOF {
			return err
		}
	}
	return nil
}

// nodeScript makes calls with mangadex-full-api, whose folder is its first argument.
const nodeScript = `const md = require(process.argv[2]);
md.overrideApiOrigin(process.argv[3]);
(async () => {
  for (let i = 0; i < Number(process.argv[4]); i++) {
    const list = await md.Manga.search({ limit: 100, includes: ['author', 'artist', 'cover_art'] });
    if (list.length !== 100) throw new Error(list.length + ' titles');
  }
})();
`

// wholeCalls measures calls against a server process. folder is where mangadex-full-api is, empty if it
// is not there.
func wholeCalls(rounds int, folder string, row func(what, target, measured string)) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	server := exec.Command(self, "-role", "server")
	in, err := server.StdinPipe()
	if err != nil {
		return err
	}
	out, err := server.StdoutPipe()
	if err != nil {
		return err
	}
	if err := server.Start(); err != nil {
		return err
	}
	defer func() { _, _ = in.Close(), server.Wait() }()
	url, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		return err
	}
	url = strings.TrimSpace(url)
	role := func(name, way string, cores int) program {
		return func(calls int) *exec.Cmd {
			cmd := exec.Command(self, "-role", name, "-server", url+way, "-calls", strconv.Itoa(calls))
			cmd.Env = append(os.Environ(), "GOMAXPROCS="+strconv.Itoa(cores))
			return cmd
		}
	}
	body := float64(len(sample.MangaList(100, 1)))
	for _, cores := range []int{1, 2} {
		for _, way := range []string{"/length", "/chunked"} {
			took, said, err := inTurn(rounds, 300, role("ours", way, cores), role("plain", way, cores))
			if err != nil {
				return err
			}
			what := fmt.Sprintf("%s, %d cores", strings.TrimPrefix(way, "/"), cores)
			row("CPU of a whole call over plain, "+what, "≤ 0.19", fmt.Sprintf("%.3f (%v against %v)", took[0].Seconds()/took[1].Seconds(), took[0], took[1]))
			var bytes, allocs float64
			if _, err := fmt.Sscan(said[0], &bytes, &allocs); err != nil {
				return err
			}
			row("bytes allocated over the body, "+what, "≤ 1.35", fmt.Sprintf("%.2f, in %.0f allocations (≤ 2,000)", bytes/body, allocs))
		}
	}
	took, _, err := inTurn(rounds, 300, role("ours", "/gzip", 1), role("ours", "/length", 1), role("gunzip", "", 1))
	if err != nil {
		return err
	}
	row("CPU of a gzip'd answer over gunzip and a plain one", "≤ 1.15", fmt.Sprintf("%.2f (%v against %v and %v)", took[0].Seconds()/(took[1]+took[2]).Seconds(), took[0], took[2], took[1]))

	node, err := exec.LookPath("node")
	if err != nil || folder == "" {
		row("CPU of a whole call over mangadex-full-api", "≤ 0.32", "not measured: it takes node, and -node with the folder of the package")
		return nil
	}
	dir, err := os.MkdirTemp("", "bench-*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	script := filepath.Join(dir, "calls.cjs")
	if err := os.WriteFile(script, []byte(nodeScript), 0o644); err != nil {
		return err
	}
	took, _, err = inTurn(rounds, 40, role("ours", "/length", 2), func(calls int) *exec.Cmd {
		return exec.Command(node, script, folder, url, strconv.Itoa(calls))
	})
	if err != nil {
		return err
	}
	row("CPU of a whole call over mangadex-full-api", "≤ 0.32", fmt.Sprintf("%.3f (%v against %v)", took[0].Seconds()/took[1].Seconds(), took[0], took[1]))
	return nil
}

// A program is one that makes so many calls.
type program func(calls int) *exec.Cmd

// inTurn measures what a call of each program takes of the CPU, user and system: the median of what more
// calls take than few, so that the start of the program does not count. It returns what each said last,
// too.
func inTurn(rounds, calls int, programs ...program) (took []time.Duration, said []string, err error) {
	const few = 10
	all := make([][]time.Duration, len(programs))
	said = make([]string, len(programs))
	for range rounds {
		for i, program := range programs {
			var used [2]time.Duration
			for j, n := range []int{few, few + calls} {
				cmd := program(n)
				cmd.Stderr = os.Stderr
				text, err := cmd.Output()
				if err != nil {
					return nil, nil, fmt.Errorf("%v: %w", cmd.Args, err)
				}
				used[j], said[i] = cmd.ProcessState.UserTime()+cmd.ProcessState.SystemTime(), string(text)
			}
			all[i] = append(all[i], (used[1]-used[0])/time.Duration(calls))
		}
	}
	for _, times := range all {
		slices.Sort(times)
		took = append(took, times[len(times)/2].Round(time.Microsecond))
	}
	return took, said, nil
}
