//go:build !plan9 && !windows

package apitest

import "syscall"

const errReset = syscall.ECONNRESET
