package athome

import (
	"fmt"
	"time"
)

// slowWindow is over how many seconds a speed is an average.
const slowWindow = 30

// A pace watches how fast a picture comes, over the time in which there was something to wait for.
type pace struct {
	slowest int64             // bytes in a second; 0 for any speed
	bytes   [slowWindow]int64 // in each of the last seconds
	sum     int64             // of them
	waited  time.Duration
}

// add takes note of bytes that were waited for, and reports whether they come too slowly.
func (p *pace) add(bytes int64, took time.Duration) bool {
	before := int64(p.waited / time.Second)
	p.waited += took
	now := int64(p.waited / time.Second)
	for second := max(before+1, now-slowWindow+1); second <= now; second++ {
		p.sum -= p.bytes[second%slowWindow]
		p.bytes[second%slowWindow] = 0
	}
	p.bytes[now%slowWindow] += bytes
	p.sum += bytes
	return now >= slowWindow && p.sum < p.slowest*slowWindow
}

// A slowError says that a host was slower than [WithSlowest] allows.
type slowError struct{ bytes int64 }

func (e slowError) Error() string {
	return fmt.Sprintf("it came too slowly: %d bytes in %d seconds", e.bytes, slowWindow)
}

// Timeout makes it an error of that kind for those who ask.
func (e slowError) Timeout() bool { return true }
