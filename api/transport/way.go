package transport

import (
	"context"
	"net/http/httptrace"
	"sync/atomic"

	"github.com/mangadex-go/mangadex/internal/answer"
)

// A way is how far an attempt has come. An error of the context does not say: a deadline may have ended
// while the name was looked up, or long after the server had everything.
type way struct{ asked, connected atomic.Bool }

// traced returns a context in which net/http tells how far it gets.
func traced(ctx context.Context) (context.Context, *way) {
	w := new(way)
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GetConn: func(string) { w.asked.Store(true) },
		GotConn: func(httptrace.GotConnInfo) { w.connected.Store(true) },
	}), w
}

// mend says of an error that the request was not sent, where that is known: a transport that tells
// that it looks for a connection, and never that it has one, has sent nothing.
func (w *way) mend(err error) error {
	if w == nil || !w.asked.Load() || w.connected.Load() || answer.OfError(err).Effect == answer.NotDone {
		return err
	}
	return &answer.UnsentError{Err: err}
}
