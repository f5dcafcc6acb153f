package cli

import (
	"errors"
	"syscall"
)

// Plan 9 has no error of its own for these.
func isFull(error) bool { return false }

func isUnwritable(err error) bool { return errors.Is(err, syscall.ENOTDIR) }

func isUnread(error) bool { return false }
