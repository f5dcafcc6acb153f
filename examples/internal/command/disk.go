//go:build !plan9

package command

import (
	"errors"
	"os"
	"os/signal"
	"syscall"
)

func isFull(err error) bool { return errors.Is(err, syscall.ENOSPC) }

// isUnwritable tells whether nothing can be written there, whoever writes.
func isUnwritable(err error) bool {
	return errors.Is(err, syscall.EROFS) || errors.Is(err, syscall.ENOTDIR)
}

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

func isUnread(err error) bool { return errors.Is(err, syscall.EPIPE) }
