package command

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"golang.org/x/term"
)

// AskSecret asks for a secret and reads a line of Stdin. A terminal does not show what is typed.
func (c *Command) AskSecret(ctx context.Context, what string) (string, error) {
	read := func() (string, error) {
		if c.lines == nil {
			c.lines = bufio.NewReader(c.Stdin) // which may read ahead
		}
		text, err := c.lines.ReadString('\n')
		if errors.Is(err, io.EOF) && text != "" {
			err = nil
		}
		return strings.TrimRight(text, "\r\n"), err
	}
	if fd := int(c.Stdin.Fd()); term.IsTerminal(fd) {
		before, err := term.GetState(fd)
		if err != nil {
			return "", err
		}
		fmt.Fprintf(c.Stderr, "%s: ", what)
		defer fmt.Fprintln(c.Stderr)
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
