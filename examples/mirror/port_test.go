package main

import (
	"errors"
	"math/rand/v2"
	"net"
	"strconv"
	"sync"
)

var givenPorts sync.Map

// freePort finds a port that nobody listens at, for a server that cannot choose one by itself. It is below those
// that systems give out, since a listener or a connection of another test could get one of these before the
// server has it, and is given out once.
func freePort() (port string, err error) {
	for range 1000 {
		port := strconv.Itoa(10_000 + rand.IntN(10_000))
		if _, given := givenPorts.LoadOrStore(port, true); given {
			continue
		}
		if listener, err := net.Listen("tcp", "127.0.0.1:"+port); err == nil {
			listener.Close()
			return port, nil
		}
	}
	return "", errors.New("there is no free port from 10000 to 20000")
}
