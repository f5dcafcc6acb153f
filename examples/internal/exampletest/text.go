//go:build !plan9

package exampletest

import (
	"runtime"
	"strings"
	"syscall"
)

// What the system says.
var (
	FullDiskText  = systemText(syscall.ENOSPC, 112)         // ERROR_DISK_FULL
	NoFileText    = systemText(syscall.ENOENT, 2)           // ERROR_FILE_NOT_FOUND
	RefusedText   = systemText(syscall.ECONNREFUSED, 10061) // WSAECONNREFUSED
	PortInUseText = systemText(syscall.EADDRINUSE, 10048)   // WSAEADDRINUSE
)

func systemText(err error, windows syscall.Errno) string {
	if runtime.GOOS == "windows" {
		err = windows
	}
	return strings.TrimSuffix(err.Error(), ".") // the texts of Windows are sentences
}
