package command

import (
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"
)

// A Bar shows on a terminal how far something has come: a line for each part that is on its way,
// and below them one for the whole. A nil Bar shows nothing. It is safe for use by many goroutines.
type Bar struct {
	w     io.Writer
	begun time.Time

	mu    sync.Mutex
	frame string // what is to be seen
	drawn string // what is on the screen
	when  time.Time
}

// A Progress is how far something has come.
type Progress struct {
	Name       string // in a few words; empty for the whole
	Pages, All int    // done, and of how many
	Bytes      int64  // that have come or gone over the network
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

// Show shows how things stand. It draws ten times a second at most.
func (b *Bar) Show(whole Progress, parts ...Progress) {
	if b == nil {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	now := time.Now()
	var frame strings.Builder
	for _, p := range parts {
		fmt.Fprintf(&frame, "%s  %s\n", p, shorten(p.Name, 40))
	}
	speed := float64(whole.Bytes) / max(now.Sub(b.begun).Seconds(), 0.1)
	fmt.Fprintf(&frame, "%s  %s  %s/s\n", whole, inUnits(float64(whole.Bytes)), inUnits(speed))
	b.frame = frame.String()
	if now.Sub(b.when) >= 100*time.Millisecond {
		b.when = now
		b.draw()
	}
}

// String is the progress as a bar.
func (p Progress) String() string {
	const width = 20
	full := 0
	if p.All > 0 {
		full = width * min(p.Pages, p.All) / p.All
	}
	return fmt.Sprintf("[%-*s] %-11s", width, strings.Repeat("=", full), fmt.Sprintf("%d/%d pages", p.Pages, p.All))
}

func shorten(text string, longest int) string {
	if runes := []rune(text); len(runes) > longest {
		return string(runes[:longest-1]) + "…"
	}
	return text
}

func inUnits(bytes float64) string {
	if bytes < 1e6 {
		return fmt.Sprintf("%.0f kB", bytes/1e3)
	}
	return fmt.Sprintf("%.1f MB", bytes/1e6)
}

// What a terminal does on these is in ECMA-48. Lines are overwritten, not cleared before, so that
// nothing flickers, and cut at the edge, because a line that wraps would be two lines to go up.
const (
	up           = "\r\x1b[%dA"
	clearLine    = "\x1b[K" // from the cursor on
	clearBelow   = "\x1b[J"
	withoutWraps = "\x1b[?7l"
	withWraps    = "\x1b[?7h"
)

// draw replaces what is on the screen. The cursor stays below it: there, ^C and the line of an
// error do no harm.
func (b *Bar) draw() {
	if b.frame == b.drawn {
		return
	}
	io.WriteString(b.w, b.back()+withoutWraps+strings.ReplaceAll(b.frame, "\n", clearLine+"\n")+clearBelow+withWraps) //nolint:errcheck // it is only shown
	b.drawn = b.frame
}

// back moves the cursor to the first line of what is on the screen.
func (b *Bar) back() string {
	if lines := strings.Count(b.drawn, "\n"); lines > 0 {
		return fmt.Sprintf(up, lines)
	}
	return ""
}

// Print writes a line above the bar.
func (b *Bar) Print(w io.Writer, line string) {
	if b == nil {
		fmt.Fprintln(w, line)
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.drawn != "" {
		io.WriteString(b.w, b.back()+clearBelow) //nolint:errcheck // it is only shown
		b.drawn = ""
	}
	fmt.Fprintln(w, line)
	b.draw()
}

// Close leaves on the screen how things stand in the end.
func (b *Bar) Close() {
	if b != nil {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.draw()
	}
}
