package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/term"
)

// A Prompt asks whoever is at the terminal. [NewPrompt] makes one; use only one for the same input,
// because it may read ahead.
type Prompt struct {
	in    *os.File
	out   io.Writer
	lines *bufio.Reader
}

// NewPrompt returns a prompt that reads from in, such as [os.Stdin], and asks on out.
func NewPrompt(in *os.File, out io.Writer) *Prompt { return &Prompt{in, out, bufio.NewReader(in)} }

// Secret asks for a secret, such as "password", and reads a line. A terminal does not show what is typed.
// Where there is no terminal, as in a script, it reads without asking.
func (p *Prompt) Secret(ctx context.Context, what string) (string, error) {
	read := func() (string, error) {
		text, err := p.lines.ReadString('\n')
		if errors.Is(err, io.EOF) && text != "" {
			err = nil
		}
		return strings.TrimRight(text, "\r\n"), err
	}
	if fd := int(p.in.Fd()); term.IsTerminal(fd) {
		before, err := term.GetState(fd)
		if err != nil {
			return "", err
		}
		fmt.Fprintf(p.out, "%s: ", what)
		defer fmt.Fprintln(p.out)
		defer term.Restore(fd, before) //nolint:errcheck // it was possible a moment ago
		read = func() (string, error) {
			text, err := term.ReadPassword(fd)
			return string(text), err
		}
	}
	type line struct {
		text string
		err  error
	}
	// A read from a terminal cannot be ended. When the context ends first, the program does, too.
	answer := make(chan line, 1)
	go func() {
		text, err := read()
		answer <- line{text, err}
	}()
	select {
	case <-ctx.Done():
		return "", ctx.Err()
	case l := <-answer:
		if l.err == nil && l.text == "" || errors.Is(l.err, io.EOF) {
			return "", fmt.Errorf("there was no %s on the standard input", what)
		}
		return l.text, l.err
	}
}
