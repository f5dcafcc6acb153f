package command

import (
	"errors"
	"os"
	"syscall"
)

// Plan 9 has no error of its own for these.
func isFull(error) bool { return false }

func isUnwritable(err error) bool { return errors.Is(err, syscall.ENOTDIR) }

func endings() []os.Signal { return []os.Signal{os.Interrupt, syscall.SIGTERM, syscall.SIGHUP} }

func keepAliveWithoutReader() {}

func isUnread(error) bool { return false }
