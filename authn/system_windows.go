package authn

import (
	"errors"
	"syscall"
)

// A lock keeps everybody else from reading the file, and its owner's other handles, too.
const locksHideContent = true

// hasNoLocks tells a file system that cannot lock.
func hasNoLocks(err error) bool {
	const invalidFunction = syscall.Errno(1) // ERROR_INVALID_FUNCTION: the driver does not know the request
	return errors.Is(err, invalidFunction) || errors.Is(err, errors.ErrUnsupported)
}

func giveTo(_, _ string) {}
