package command

import (
	"os"
	"syscall"
)

func endings() []os.Signal { return []os.Signal{os.Interrupt, syscall.SIGTERM, syscall.SIGHUP} }

func keepAliveWithoutReader() {}
