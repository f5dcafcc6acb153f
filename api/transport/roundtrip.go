package transport

import (
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/mangadex-go/mangadex/internal/answer"
	"github.com/mangadex-go/mangadex/internal/operation"
)

// maxBuffer bounds what is read of a body before it is handed on.
const maxBuffer = 16 << 20

// RoundTrip implements [http.RoundTripper]. It waits for the limits, sends, learns from the answer
// and starts again if that is safe and may help. When it gives up it returns what the last attempt
// came to.
func (t *Transport) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.URL == nil || !t.toAPI(req.URL) {
		return t.base.RoundTrip(t.prepare(req, nil))
	}
	ctx, op := req.Context(), operation.Of(req)
	e := exchange{t: t, req: req, op: op, idempotent: idempotent(req.Method)}
	if op != nil {
		e.call = Call{Operation: op.ID, Limit: Limit(op.Limit)}
	}
	for {
		e.attempt++
		out := t.prepare(req, op)
		giveBack, refused := e.admit(ctx)
		if refused == nil && e.attempt > 1 && req.Body != nil && req.Body != http.NoBody {
			if out.Body, refused = req.GetBody(); refused != nil && giveBack != nil {
				giveBack()
			}
		}
		if refused != nil {
			return e.refuse(refused)
		}
		e.discard()
		e.send(out, giveBack)
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

	attempt int
	resp    *http.Response // of the last attempt
	err     error
	cut     bool          // the body of resp ended too early
	delay   time.Duration // before the next attempt
	why     string        // for that attempt
}

// prepare returns a copy of a request with the headers that MangaDex wants.
func (t *Transport) prepare(req *http.Request, op *operation.Operation) *http.Request {
	ctx := req.Context()
	if op != nil && operation.FromContext(ctx) == nil {
		ctx = operation.NewContext(ctx, op)
	}
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
func (e *exchange) send(out *http.Request, giveBack func()) {
	e.cut = false
	var start time.Time
	if e.t.logger != nil {
		start = time.Now()
	}
	e.t.stats.requests.Add(1)
	answer.AttemptsOf(e.req.Context()).Begin()
	e.resp, e.err = e.t.base.RoundTrip(out) //nolint:bodyclose // the caller closes it
	if e.err == nil && e.resp == nil {
		e.err = errors.New("transport: the transport below returned neither an answer nor an error")
	}
	if e.err == nil && e.resp.Body == nil {
		e.resp.Body = http.NoBody // as http.Client takes it
	}
	if e.err == nil && e.idempotent && e.req.Method != http.MethodHead {
		e.cut = answer.Hold(e.resp, maxBuffer)
		if gone := e.req.Context().Err(); e.cut && gone != nil {
			e.discard()
			e.err = gone
		}
	}
	e.log(start)
	switch {
	case e.err == nil:
		e.learn()
	case giveBack != nil && answer.OfError(e.err).Effect == answer.NotDone:
		giveBack()
	}
}
