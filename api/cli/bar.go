package cli

import (
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/schollz/progressbar/v3"

	"github.com/mangadex-go/mangadex/api/reading"
)

// A Bar shows on a terminal how far something has come. A nil Bar shows nothing. It is safe for use
// by many goroutines.
type Bar struct {
	w io.Writer

	mu    sync.Mutex
	bar   *progressbar.ProgressBar // nil until there is something to show
	shown time.Time
}

// A Progress is how far something has come.
type Progress struct {
	What       string // what is on its way now, in a few words
	Pages      int    // that are done
	TotalPages int
	Bytes      int64 // that have come or gone over the network
}

// NewBar returns a bar on w, which is taken for a terminal.
func NewBar(w io.Writer) *Bar { return &Bar{w: w} }

// Show shows the progress. It draws ten times a second at most.
func (b *Bar) Show(p Progress) {
	if b == nil || p.TotalPages <= 0 {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	// It is not the bar that leaves out what comes too fast: it would show new words with an old number.
	if p.Pages < p.TotalPages && time.Since(b.shown) < 100*time.Millisecond {
		return
	}
	b.shown = time.Now()
	if b.bar == nil {
		b.bar = progressbar.NewOptions(p.TotalPages,
			progressbar.OptionSetWriter(b.w),
			progressbar.OptionUseANSICodes(true),
			progressbar.OptionSetWidth(20),
			progressbar.OptionSetTheme(progressbar.ThemeASCII),
			progressbar.OptionShowCount(),
			progressbar.OptionOnCompletion(func() { fmt.Fprintln(b.w) }),
		)
	}
	if b.bar.GetMax() != p.TotalPages { // there is more to do than at first
		b.bar.ChangeMax(p.TotalPages)
	}
	b.bar.Describe(fmt.Sprintf("%s  %s", reading.Short(p.What, 32), inUnits(p.Bytes)))
	b.bar.Set(min(p.Pages, p.TotalPages)) //nolint:errcheck // it is only shown
}

func inUnits(bytes int64) string {
	if bytes < 1e6 {
		return fmt.Sprintf("%.0f kB", float64(bytes)/1e3)
	}
	return fmt.Sprintf("%.1f MB", float64(bytes)/1e6)
}

// Print writes a line above the bar.
func (b *Bar) Print(w io.Writer, line string) {
	if b != nil {
		b.mu.Lock()
		defer b.mu.Unlock()
		if b.running() {
			b.bar.Clear()             //nolint:errcheck // it is only shown
			defer b.bar.RenderBlank() //nolint:errcheck // likewise
		}
	}
	fmt.Fprintln(w, line)
}

// Close ends the bar, and leaves its last state on the screen.
func (b *Bar) Close() {
	if b != nil {
		b.mu.Lock()
		defer b.mu.Unlock()
		if b.running() {
			b.bar.Exit() //nolint:errcheck // it is only shown
		}
	}
}

func (b *Bar) running() bool { return b.bar != nil && !b.bar.IsFinished() }
