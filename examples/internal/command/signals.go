//go:build !plan9

package command

import (
	"os"
	"os/signal"
	"syscall"
)

// endings are the signals that end a program. What nohup has set is left so.
func endings() []os.Signal {
	signals := []os.Signal{os.Interrupt, syscall.SIGTERM}
	if !signal.Ignored(syscall.SIGHUP) {
		signals = append(signals, syscall.SIGHUP)
	}
	return signals
}

// keepAliveWithoutReader makes an error of writing to a pipe that nobody reads any more, in place of
// a signal that ends the program where it stands.
func keepAliveWithoutReader() { signal.Ignore(syscall.SIGPIPE) }
