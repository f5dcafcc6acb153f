package command

import (
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"
)

// A Bar shows on one line of a terminal how far something has come. A nil Bar shows nothing. It is
// safe for use by many goroutines.
type Bar struct {
	w     io.Writer
	begun time.Time

	mu    sync.Mutex
	shown time.Time // of what is on the line; zero when the line is empty
}

// Bar returns a bar on stderr, nil if that is not a terminal.
func (c *Command) Bar() *Bar {
	if f, ok := c.Stderr.(*os.File); ok && isTerminal(f) {
		return NewBar(f)
	}
	return nil
}

// NewBar returns a bar on a terminal.
func NewBar(w io.Writer) *Bar { return &Bar{w: w, begun: time.Now()} }

func isTerminal(f *os.File) bool {
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// Show shows that so many of all pages are done, and how much has come over the network. It draws
// ten times a second at most.
func (b *Bar) Show(pages, all int, bytes int64) {
	if b == nil {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	now := time.Now()
	if now.Sub(b.shown) < 100*time.Millisecond && pages < all {
		return
	}
	b.shown = now
	const width = 30
	full := 0
	if all > 0 {
		full = width * min(pages, all) / all
	}
	speed := float64(bytes) / max(now.Sub(b.begun).Seconds(), 0.1)
	fmt.Fprintf(b.w, "\r\x1b[K[%s%s] %d/%d pages  %s  %s/s",
		strings.Repeat("=", full), strings.Repeat(" ", width-full), pages, all, inUnits(float64(bytes)), inUnits(speed))
}

func inUnits(bytes float64) string {
	if bytes < 1e6 {
		return fmt.Sprintf("%.0f kB", bytes/1e3)
	}
	return fmt.Sprintf("%.1f MB", bytes/1e6)
}

// Print writes a line above the bar.
func (b *Bar) Print(w io.Writer, line string) {
	if b == nil {
		fmt.Fprintln(w, line)
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.clear()
	fmt.Fprintln(w, line)
}

// Close empties the line.
func (b *Bar) Close() {
	if b != nil {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.clear()
	}
}

func (b *Bar) clear() {
	if !b.shown.IsZero() {
		fmt.Fprint(b.w, "\r\x1b[K")
		b.shown = time.Time{}
	}
}
