package transport

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/mangadex-go/mangadex/internal/answer"
	"github.com/mangadex-go/mangadex/internal/operation"
)

// maxBuffer bounds what is read of a body before it is handed on.
const maxBuffer = 16 << 20

// RoundTrip implements [http.RoundTripper]. It waits for the limits, sends, learns from the answer and
// starts again if that is safe and may help. When it gives up it returns the result of the last
// attempt.
func (t *Transport) RoundTrip(req *http.Request) (*http.Response, error) {
	ctx := req.Context()
	if req.URL == nil || !t.toAPI(req.URL) { // such as the target of a redirect
		e := exchange{t: t, req: req, foreign: true}
		return e.roundTrip(ctx, req.Body)
	}
	op := operation.Of(req)
	e := exchange{t: t, req: req, op: op, idempotent: idempotent(req.Method)}
	if op != nil {
		e.call = Call{Operation: op.ID, Limit: Limit(op.Limit)}
	}
	for {
		e.attempt++
		refused := e.admit(ctx, false)
		body := req.Body
		if refused == nil && e.attempt > 1 && body != nil && body != http.NoBody {
			if body, refused = req.GetBody(); refused != nil {
				e.permits.giveBack()
			}
		}
		if refused != nil {
			return e.refuse(refused)
		}
		e.discard()
		e.send(ctx, body)
		if !e.again() {
			return e.resp, e.failure()
		}
		if err := e.pauseBefore(ctx); err != nil {
			e.discard()
			return nil, err
		}
	}
}

// An exchange is a request with its attempts.
type exchange struct {
	t          *Transport
	req        *http.Request
	op         *operation.Operation // nil for a path without one
	call       Call
	idempotent bool
	foreign    bool // for another server: neither limited nor repeated

	attempt int
	permits leave          // of the limiter for the last attempt
	onConn  bool           // there has been a connection for it
	sent    time.Time      // when the last attempt began
	resp    *http.Response // of the last attempt
	err     error
	cut     bool          // the body of resp ended too early
	delay   time.Duration // before the next attempt
	why     string        // for that attempt
	watch   watch         // over the first attempt
	held    answer.Body   // of the first attempt
}

// prepare returns a copy of a request with the headers that MangaDex wants.
func (t *Transport) prepare(ctx context.Context, req *http.Request) *http.Request {
	out := req.WithContext(ctx)
	out.Header = make(http.Header, len(req.Header)+1)
	for name, values := range req.Header {
		if len(name) != len("Via") || http.CanonicalHeaderKey(name) != "Via" {
			out.Header[name] = values
		}
	}
	if out.Header.Get("User-Agent") == "" {
		out.Header["User-Agent"] = t.agent
	}
	return out
}

// refuse ends an exchange whose next attempt is not to be. What the last one came to says more
// than that there is no time for another, but not more than that the caller has gone.
func (e *exchange) refuse(err error) (*http.Response, error) {
	if e.attempt == 1 {
		e.t.stats.refused.Add(1)
		if e.req.Body != nil {
			e.req.Body.Close()
		}
		return nil, err
	}
	if gone := e.req.Context().Err(); gone != nil {
		e.discard()
		return nil, gone
	}
	e.attempt--
	return e.resp, e.failure()
}

// discard drops the answer of the last attempt.
func (e *exchange) discard() {
	if e.resp != nil {
		e.resp.Body.Close()
		e.resp = nil
	}
}

// failure is the error of the last attempt.
func (e *exchange) failure() error {
	if e.err != nil && e.attempt > 1 {
		return fmt.Errorf("transport: %d attempts: %w", e.attempt, e.err)
	}
	return e.err
}

// send makes one attempt.
func (e *exchange) send(ctx context.Context, body io.ReadCloser) {
	e.cut, e.onConn = false, false
	e.sent = time.Now()
	e.t.stats.requests.Add(1)
	answer.AttemptsOf(ctx).Begin()
	e.resp, e.err = e.roundTrip(ctx, body) //nolint:bodyclose // the caller closes it
	if e.err == nil && e.idempotent && e.req.Method != http.MethodHead {
		held := &e.held
		if e.attempt > 1 { // that of the first may still be read by somebody
			held = new(answer.Body)
		}
		e.cut = held.Hold(e.resp, maxBuffer)
		if gone := ctx.Err(); e.cut && gone != nil {
			e.discard()
			e.err = gone
		}
	}
	e.log()
	if e.err == nil {
		e.learn()
		return
	}
	switch verdict := answer.OfError(e.err); {
	case verdict.Effect == answer.NotDone && !e.onConn:
		e.permits.giveBack()
	case verdict.Temporary:
		e.t.CloseIdleConnections() // which may be as dead as this one
	}
}

// roundTrip hands the request to the transport below, and watches that something moves.
func (e *exchange) roundTrip(ctx context.Context, body io.ReadCloser) (*http.Response, error) {
	w := &e.watch
	if e.attempt > 1 { // that of the first may still be looked at by what reads its body
		w = new(watch)
	}
	var way *way
	if answer.AttemptsOf(ctx) != nil {
		ctx, way = traced(ctx)
	}
	w.begin(ctx, e)
	out := e.t.prepare(w, e.req)
	if out.Body = body; body != nil && body != http.NoBody {
		out.Body = &sentBody{body, w}
	}
	resp, err := e.t.base.RoundTrip(out)
	switch {
	case err == nil && resp == nil:
		err = errors.New("transport: the transport below returned neither an answer nor an error")
	case err != nil:
		err = way.mend(w.mend(answer.NamedProxy(err, e.t.base, out)))
	case answer.Switched(resp.StatusCode) && e.foreign && e.req.Header.Get("Upgrade") != "":
		w.rests()
		return resp, nil
	case answer.Switched(resp.StatusCode):
		resp.Body.Close()
		err = errors.New("transport: the server answers 101, but no request asked for another protocol; check its address, and the proxies on the way")
	}
	if err != nil {
		w.end()
		return nil, err
	}
	if resp.Body == nil || resp.Body == http.NoBody {
		resp.Body = http.NoBody // as http.Client takes it
		w.end()
		return resp, nil
	}
	w.rests()
	w.body = receivedBody{resp.Body, w}
	resp.Body = &w.body
	return resp, nil
}
