package cli

import (
	"errors"
	"syscall"
)

// isUnread tells that nobody reads a pipe any more.
func isUnread(err error) bool {
	const noData = syscall.Errno(232) // ERROR_NO_DATA: the pipe is being closed
	return errors.Is(err, syscall.ERROR_BROKEN_PIPE) || errors.Is(err, noData)
}
