//go:build !plan9 && !windows

package cli

import (
	"errors"
	"syscall"
)

// isUnread tells that nobody reads a pipe any more.
func isUnread(err error) bool { return errors.Is(err, syscall.EPIPE) }
