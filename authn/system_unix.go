//go:build unix

package authn

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
)

const locksHideContent = false

// hasNoLocks tells a file system that cannot lock.
func hasNoLocks(err error) bool {
	for _, target := range []error{syscall.ENOLCK, syscall.ENOSYS, syscall.EOPNOTSUPP, syscall.EINVAL} {
		if errors.Is(err, target) {
			return true
		}
	}
	return errors.Is(err, errors.ErrUnsupported)
}

// giveTo gives a lock that root has made to the owner of the token file, or of its folder: otherwise
// that user could not lock it any more.
func giveTo(path, lock string) {
	if os.Geteuid() != 0 {
		return
	}
	info, err := os.Stat(path)
	if err != nil {
		if info, err = os.Stat(filepath.Dir(path)); err != nil {
			return
		}
	}
	if owner, ok := info.Sys().(*syscall.Stat_t); ok {
		_ = os.Lchown(lock, int(owner.Uid), int(owner.Gid))
	}
}
