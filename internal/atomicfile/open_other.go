//go:build !windows

package atomicfile

import "os"

func open(path string) (*os.File, error) { return os.Open(path) }

func rename(from, to string) error { return os.Rename(from, to) }

func remove(path string) error { return os.Remove(path) }

func patiently(do func() error) error { return do() }

func notDirectory(err error) error { return err }

// IsBusy tells that somebody else has a file open in a way that keeps this program from it for the moment.
// Only Windows has that.
func IsBusy(error) bool { return false }
