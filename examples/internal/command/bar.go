package command

import (
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"

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
	What       string // is on its way now, in a few words
	Pages, All int    // done, and of how many
	Bytes      int64  // that have come or gone over the network
}

// Bar returns a bar on stderr, nil if that is not a terminal.
func (c *Command) Bar() *Bar {
	if f, ok := c.Stderr.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		return NewBar(f)
	}
	return nil
}

// NewBar returns a bar on a terminal.
func NewBar(w io.Writer) *Bar { return &Bar{w: w} }

// Show shows how things stand. It draws ten times a second at most.
func (b *Bar) Show(p Progress) {
	if b == nil || p.All <= 0 {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	// It is not the bar that leaves out what comes too fast: it would show new words with an old number.
	if p.Pages < p.All && time.Since(b.shown) < 100*time.Millisecond {
		return
	}
	b.shown = time.Now()
	if b.bar == nil {
		b.bar = progressbar.NewOptions(p.All,
			progressbar.OptionSetWriter(b.w),
			progressbar.OptionUseANSICodes(true),
			progressbar.OptionSetWidth(20),
			progressbar.OptionSetTheme(progressbar.ThemeASCII),
			progressbar.OptionShowCount(),
			progressbar.OptionOnCompletion(func() { fmt.Fprintln(b.w) }),
		)
	}
	if b.bar.GetMax() != p.All { // there is more to do than at first
		b.bar.ChangeMax(p.All)
	}
	b.bar.Describe(fmt.Sprintf("%s  %s", reading.Short(p.What, 32), inUnits(p.Bytes)))
	b.bar.Set(min(p.Pages, p.All)) //nolint:errcheck // it is only shown
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

// Close leaves on the screen how things stand in the end.
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
