//go:build !plan9

package apitest

import "syscall"

const errReset = syscall.ECONNRESET
