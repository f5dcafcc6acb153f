//go:build !unix && !windows

package atomicfile

import (
	"io/fs"
	"os"
)

func keepOwner(*os.File, fs.FileInfo) {}

func syncDir(string) error { return nil }

func isMounted(error) bool { return false }

func cannotSync(error) bool { return false }
