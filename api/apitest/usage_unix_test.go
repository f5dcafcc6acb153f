//go:build unix

package apitest_test

import (
	"syscall"
	"time"
)

// cpuTime is how long this process has computed. Unlike the time of day it does not depend on what
// else the machine does.
func cpuTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
