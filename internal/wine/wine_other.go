//go:build !windows

package wine

func isHere() bool { return false }
