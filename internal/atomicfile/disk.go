//go:build !plan9 && !windows

package atomicfile

import (
	"errors"
	"syscall"
)

// IsFull tells that there is no room on a disk.
func IsFull(err error) bool { return errors.Is(err, syscall.ENOSPC) }

// IsReadOnly tells that nothing can be written on a disk, whoever writes.
func IsReadOnly(err error) bool { return errors.Is(err, syscall.EROFS) }
