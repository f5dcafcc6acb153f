package apitest

import "syscall"

// syscall.ECONNRESET is no error that Windows has.
const errReset = syscall.WSAECONNRESET
