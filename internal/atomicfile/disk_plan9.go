package atomicfile

// Plan 9 has no error of its own for these.

// IsFull tells that there is no room on a disk.
func IsFull(error) bool { return false }

// IsReadOnly tells that nothing can be written on a disk, whoever writes.
func IsReadOnly(error) bool { return false }
