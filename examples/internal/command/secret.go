package command

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strings"
)

// AskSecret asks for a secret and reads a line of Stdin. On a terminal it does not show what is
// typed, as far as the system has stty; where it has not, it says so.
func (c *Command) AskSecret(ctx context.Context, what string) (string, error) {
	if isTerminal(c.Stdin) {
		hint := ""
		if err := c.echo(false); err != nil {
			hint = " (it will be seen)"
		} else {
			defer fmt.Fprintln(c.Stderr)
			defer c.echo(true) //nolint:errcheck // it was possible a moment ago
		}
		fmt.Fprintf(c.Stderr, "%s%s: ", what, hint)
	}
	type line struct {
		text string
		err  error
	}
	// A read from a terminal cannot be ended. When the context ends first, the program does, too.
	read := make(chan line, 1)
	go func() {
		text, err := bufio.NewReader(c.Stdin).ReadString('\n')
		if errors.Is(err, io.EOF) && text != "" {
			err = nil
		}
		read <- line{strings.TrimRight(text, "\r\n"), err}
	}()
	select {
	case <-ctx.Done():
		return "", ctx.Err()
	case l := <-read:
		if l.err == nil && l.text == "" || errors.Is(l.err, io.EOF) {
			return "", fmt.Errorf("there was no %s on the standard input", what)
		}
		return l.text, l.err
	}
}

// echo has the terminal show what is typed, or not.
func (c *Command) echo(on bool) error {
	argument := "-echo"
	if on {
		argument = "echo"
	}
	stty := exec.Command("stty", argument)
	stty.Stdin = c.Stdin
	return stty.Run()
}
