package wine

import "syscall"

// isHere looks for the function that Wine adds to ntdll for those who want to know.
func isHere() bool {
	return syscall.NewLazyDLL("ntdll.dll").NewProc("wine_get_version").Find() == nil
}
