//go:build !unix

package apitest_test

import "time"

var begun = time.Now()

// cpuTime is how long this process has run, where it cannot be told how long it has computed.
func cpuTime() time.Duration { return time.Since(begun) }
