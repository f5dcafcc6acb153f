package transport

import (
	"net/http"
	"sync"
	"time"
)

// A clock is how far that of the server is ahead of ours, by the newest answers.
type clock struct {
	mu    sync.Mutex
	known bool
	ahead time.Duration
}

// fresh tells whether an answer was made for a request, or by a cache before it was sent. Of an
// answer that no cache can have made, the clock of the server is learned.
func (c *clock) fresh(h http.Header, sent time.Time, sure bool) bool {
	if age := h.Get("Age"); age != "" && age != "0" || h.Get("X-From-Cache") != "" {
		return false
	}
	date, err := http.ParseTime(h.Get("Date"))
	if err != nil {
		return true
	}
	const slack = 2 * time.Second // dates are of whole seconds
	ahead := date.Sub(sent)
	c.mu.Lock()
	defer c.mu.Unlock()
	fresh := sure || ahead >= c.ahead-slack
	if sure || ahead > c.ahead || !c.known {
		c.ahead, c.known = ahead, true
	}
	return fresh
}
