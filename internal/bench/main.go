package main

import (
	"cmp"
	"flag"
	"fmt"
	"os"
	"runtime"
	"slices"
	"testing"
	"text/tabwriter"
	"time"

	"github.com/mangadex-go/mangadex/internal/sample"
)

func main() {
	rounds := flag.Int("rounds", 5, "how often each pair is measured; the median counts")
	node := flag.String("node", "", "folder of the npm package mangadex-full-api, to compare with")
	role := flag.String("role", "", "what to be when the command starts itself")
	server := flag.String("server", "", "for a role")
	calls := flag.Int("calls", 0, "for a role")
	testing.Init()
	flag.Parse()
	if *role != "" {
		if err := roles[*role](*server, *calls); err != nil {
			fmt.Fprintln(os.Stderr, "bench:", err)
			os.Exit(1)
		}
		return
	}
	// One core, so that the garbage collector's work counts too.
	runtime.GOMAXPROCS(1)
	if err := flag.Set("test.benchtime", "300ms"); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	row := func(what, target, measured string) { fmt.Fprintf(w, "%s\t%s\t%s\n", what, target, measured) }
	row("WHAT", "TARGET", "MEASURED")

	list := pair(*rounds, searchList, searchListPlain)
	row("CPU of SearchManga, a list of 100, over plain", "≤ 0.19", fmt.Sprintf("%.3f (%v against %v)", list.time(), list.ours.time, list.theirs.time))
	row("allocations of the same", "≤ 0.20", fmt.Sprintf("%.3f (%d against %d)", ratio(list.ours.allocs, list.theirs.allocs), list.ours.allocs, list.theirs.allocs))
	body := int64(len(sample.MangaList(100, 1)))
	row("bytes allocated over the body", "≤ 1.35", fmt.Sprintf("%.2f (%d over %d)", ratio(list.ours.bytes, body), list.ours.bytes, body))

	if err := wholeCalls(*rounds, *node, row); err != nil {
		row("whole calls", "", err.Error())
	}

	one := pair(*rounds, oneManga, oneMangaBare)
	row("one title over a bare http.Client", "≤ 15 µs more", fmt.Sprintf("%v more (%v against %v)", one.ours.time-one.theirs.time, one.ours.time, one.theirs.time))

	build := pair(*rounds, buildRequest, buildRequestPlain)
	row("building a request of 20 parameters", "< 3 µs, 25 allocations", fmt.Sprintf("%v, %d allocations (plain: %v, %d)", build.ours.time, build.ours.allocs, build.theirs.time, build.theirs.allocs))

	edit := pair(*rounds, encodeEdit, encodeEditPlain)
	row("encoding an edit over encoding/json", "≤ 1", fmt.Sprintf("%.2f (%v against %v)", edit.time(), edit.ours.time, edit.theirs.time))

	first, last, err := walkHeap()
	if err != nil {
		row("heap after page 10 and page 90 of a walk", "flat", err.Error())
	} else {
		row("heap after page 10 and page 90 of a walk", "flat", fmt.Sprintf("%.2f MB, %.2f MB", float64(first)/1e6, float64(last)/1e6))
	}

	programs, err := measurePrograms()
	if err != nil {
		row("program start and size", "", err.Error())
	} else {
		row("init of api, authn and what they import", "< 1 ms", programs.init.String())
		row("size over a net/http program", "≤ 2.5 MB", fmt.Sprintf("%.2f MB", float64(programs.size)/1e6))
	}
	w.Flush()
}

// figures are those of one benchmark.
type figures struct {
	time          time.Duration
	bytes, allocs int64
}

type comparison struct {
	ours, theirs figures
	ratios       []float64
}

// time is the median of the ratios of neighbouring runs, which noise that lasts does not change.
func (c comparison) time() float64 {
	slices.Sort(c.ratios)
	return c.ratios[len(c.ratios)/2]
}

// pair measures two benchmarks in turn.
func pair(rounds int, ours, theirs func(*testing.B)) comparison {
	var c comparison
	var all [2][]figures
	for range rounds {
		a, b := measure(ours), measure(theirs)
		all[0], all[1] = append(all[0], a), append(all[1], b)
		c.ratios = append(c.ratios, float64(a.time)/float64(b.time))
	}
	c.ours, c.theirs = median(all[0]), median(all[1])
	return c
}

func measure(f func(*testing.B)) figures {
	r := testing.Benchmark(f)
	return figures{time.Duration(r.NsPerOp()), r.AllocedBytesPerOp(), r.AllocsPerOp()}
}

func median(all []figures) figures {
	slices.SortFunc(all, func(a, b figures) int { return cmp.Compare(a.time, b.time) })
	return all[len(all)/2]
}

func ratio(a, b int64) float64 { return float64(a) / float64(b) }
