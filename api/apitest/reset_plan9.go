package apitest

import "syscall"

const errReset = syscall.ErrorString("connection reset by peer")
