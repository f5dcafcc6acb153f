//go:build !plan9

package cli

import (
	"errors"
	"syscall"
)

func isFull(err error) bool { return errors.Is(err, syscall.ENOSPC) }

// isUnwritable tells whether nothing can be written there, whoever writes.
func isUnwritable(err error) bool {
	return errors.Is(err, syscall.EROFS) || errors.Is(err, syscall.ENOTDIR)
}

func isUnread(err error) bool { return errors.Is(err, syscall.EPIPE) }
