package chaos_test

import (
	"io"
	"net"
	"os"
	"sync"
	"time"
)

// A standing is how a server's end of a connection takes part.
type standing int32

const (
	well standing = iota
	lost          // what comes is lost, and what goes as well, like behind a router that has forgotten it
	deaf          // what comes is not even taken
)

// An end is a server's end of a connection, that can go silent without closing.
type end struct {
	net.Conn
	client *client       // nil on real sockets
	gone   chan struct{} // closed with this end
	ended  func()

	mu     sync.Mutex
	stands standing
	once   sync.Once
}

// stand changes how the end takes part, and wakes who reads.
func (e *end) stand(s standing) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.stands = s
	e.Conn.SetReadDeadline(time.Unix(1, 0))
}

func (e *end) standing() standing {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.stands
}

func (e *end) Read(p []byte) (int, error) {
	n, err := 0, error(nil)
	if e.standing() == well {
		n, err = e.Conn.Read(p)
	}
	switch e.standing() {
	case well:
		return n, err
	case lost:
		e.Conn.SetReadDeadline(time.Time{})
		io.Copy(io.Discard, e.Conn)
	case deaf:
		e.untilGone(nil)
	}
	return 0, io.EOF
}

// untilGone waits until one of the ends is closed, or something else.
func (e *end) untilGone(other <-chan struct{}) {
	var gone chan struct{}
	if e.client != nil {
		gone = e.client.gone
	}
	select {
	case <-gone:
	case <-e.gone:
	case <-other:
	}
}

func (e *end) Write(p []byte) (int, error) {
	if e.standing() != well {
		return len(p), nil
	}
	return e.Conn.Write(p)
}

func (e *end) SetReadDeadline(t time.Time) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.stands != well {
		return nil
	}
	return e.Conn.SetReadDeadline(t)
}

func (e *end) Close() error {
	e.once.Do(func() {
		close(e.gone)
		if e.ended != nil {
			e.ended()
		}
	})
	return e.Conn.Close()
}

// A client is a client's end of a pipe, with a buffer for what it writes, as a system has one for
// each socket. Of HTTP/2 it takes everything: net/http holds a mutex while it writes, and while
// somebody waits for that no fake time passes.
type client struct {
	net.Conn
	gone chan struct{} // closed with this end

	mu       sync.Mutex
	changed  *sync.Cond
	held     []byte
	room     int
	deadline time.Time
	broken   error
	timer    *time.Timer
}

func newClient(conn net.Conn) *client {
	c := &client{Conn: conn, gone: make(chan struct{}), room: 64 << 10}
	c.changed = sync.NewCond(&c.mu)
	return c
}

// pump writes what is held until the connection ends.
func (c *client) pump() {
	for {
		c.mu.Lock()
		for len(c.held) == 0 && c.broken == nil {
			c.changed.Wait()
		}
		next := c.held
		c.held = nil
		broken := c.broken
		c.mu.Unlock()
		if broken != nil {
			return
		}
		if _, err := c.Conn.Write(next); err != nil {
			c.end(err)
			return
		}
		c.changed.Broadcast()
	}
}

func (c *client) end(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.broken == nil {
		c.broken = err
		close(c.gone)
	}
	c.changed.Broadcast()
}

func (c *client) unbounded() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.room = 1 << 30
}

func (c *client) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for c.broken == nil && len(c.held) > 0 && len(c.held)+len(p) > c.room {
		if !c.deadline.IsZero() && !time.Now().Before(c.deadline) {
			return 0, os.ErrDeadlineExceeded
		}
		c.changed.Wait()
	}
	if c.broken != nil {
		return 0, c.broken
	}
	c.held = append(c.held, p...)
	c.changed.Broadcast()
	return len(p), nil
}

func (c *client) SetWriteDeadline(t time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.deadline = t
	if c.timer != nil {
		c.timer.Stop()
	}
	if !t.IsZero() {
		c.timer = time.AfterFunc(time.Until(t), c.changed.Broadcast)
	}
	return nil
}

func (c *client) SetDeadline(t time.Time) error {
	c.SetWriteDeadline(t)
	return c.Conn.SetReadDeadline(t)
}

func (c *client) Close() error {
	err := c.Conn.Close()
	c.end(net.ErrClosed)
	return err
}
