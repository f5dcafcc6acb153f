package apitest

import (
	"context"
	"net"
	"net/http"
	"slices"
	"time"
)

// What a fault does to an exchange: before the operation, between it and the answer, and to the
// answer on its way.

// strike names what a request is, and lets a fault happen that comes before the operation. It
// returns the status that the fault wants in place of the answer, 0 for none.
func (x *exchange) strike(operation string, ofAPI bool) int {
	x.logged.Operation = operation
	if x.late {
		return 0
	}
	x.fault = x.server.faults.take(operation, ofAPI, x.host.node, x.solved)
	if x.fault == nil {
		x.fault = x.choose()
	}
	f := x.fault
	if f == nil {
		return 0
	}
	x.server.log.set(x.kept, x.logged)
	if f.ForgetToken {
		x.forgetToken()
	}
	if f.ExpireBaseURL {
		x.server.generation.Add(1)
	}
	if f.After {
		return 0
	}
	x.interrupt()
	if f.Late > 0 && f.Status == 0 {
		return http.StatusGatewayTimeout
	}
	return f.Status
}

// interrupt waits and ends the connection, as far as the fault wants it.
func (x *exchange) interrupt() {
	if !x.server.sleep(x.request.Context(), x.fault.Delay) || x.fault.Drop {
		x.abort()
	}
}

// abort ends the connection without an answer, or without the rest of it.
func (x *exchange) abort() {
	if x.fault != nil && x.fault.Reset {
		x.reset()
	}
	panic(http.ErrAbortHandler)
}

// A resetter is a connection of [Server.Transport], which has no network.
type resetter interface{ reset() }

// reset ends the connection so that the client reads an error in place of the end.
func (x *exchange) reset() {
	if w, ok := x.writer.(resetter); ok {
		w.reset()
		return
	}
	conn, _, err := http.NewResponseController(x.writer).Hijack()
	if err != nil {
		return // it ends in the usual way
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	conn.Close()
}

// afterwards changes an answer as the fault wants it, and does what comes before it is sent.
func (x *exchange) afterwards(a answer) answer {
	f := x.fault
	if f == nil {
		return a
	}
	if f.After {
		x.interrupt()
		if f.Status != 0 {
			a = x.host.broken(f.Status)
		}
	}
	if f.Late > 0 {
		x.goOn()
	}
	if f.HTML {
		if f.Status == 0 && f.Late == 0 {
			a.status = http.StatusOK
		}
		a.contentType, a.body = contentHTML, htmlError(a.status)
	}
	if f.Empty {
		a.body = []byte("{}")
	}
	if f.Rewrite != nil {
		a.body = f.Rewrite(slices.Clone(a.body))
	}
	if f.Corrupt && len(a.body) > 0 {
		a.body = slices.Clone(a.body)
		a.body[len(a.body)/2] ^= 0xff
	}
	if f.Then != nil {
		f.Then()
	}
	return a
}

// goOn carries out the operation some time after its answer.
func (x *exchange) goOn() {
	later := &exchange{server: x.server, host: x.host, request: x.request, path: x.path, body: x.body, now: x.now.Add(x.fault.Late), late: true}
	wait := x.fault.Late
	x.server.serving.Go(func() {
		if x.server.sleep(context.Background(), wait) {
			later.host.serve(later)
		}
	})
}

// date is what the header of the answer says.
func (x *exchange) date() time.Time {
	if x.fault == nil {
		return x.now
	}
	return x.now.Add(x.fault.Skew)
}

// A pauser is a connection of [Server.Transport], whose reader waits in place of the server.
type pauser interface{ pause(time.Duration) }

// pause sends nothing for a while.
func (x *exchange) pause(d time.Duration) {
	if w, ok := x.writer.(pauser); ok {
		w.pause(d)
		return
	}
	_ = http.NewResponseController(x.writer).Flush()
	if !x.server.sleep(x.request.Context(), d) {
		panic(http.ErrAbortHandler)
	}
}

// send writes the body in the way that the fault wants it.
func (x *exchange) send(body []byte) {
	f := x.fault
	if f == nil {
		_, _ = x.writer.Write(body)
		return
	}
	if f.DropBody || f.Truncate {
		if f.DropBody {
			body = nil
		}
		_, _ = x.writer.Write(body[:len(body)/2])
		_ = http.NewResponseController(x.writer).Flush()
		x.abort()
	}
	const pieces = 10
	for n := range pieces {
		if _, err := x.writer.Write(body[len(body)*n/pieces : len(body)*(n+1)/pieces]); err != nil {
			return
		}
		if f.Slow > 0 {
			x.pause(f.Slow / pieces)
		}
		if f.Stall > 0 && n == pieces/2-1 {
			x.pause(f.Stall)
		}
	}
}
