package api

import (
	"errors"
	"net/http"

	"github.com/mangadex-go/mangadex/internal/answer"
)

// MayBeDone reports whether a call that failed may have been carried out all the same: because no clear
// answer to it, or to one of its earlier attempts, arrived. Look at what the server has before you do
// it again. It is false for calls that read, and for errors of calls that were never sent or that the
// server refused.
func MayBeDone(err error) bool {
	var call interface{ effect() answer.Effect }
	return errors.As(err, &call) && call.effect() == answer.MayBeDone
}

// effect says what the call did.
func (e *Error) effect() answer.Effect {
	if reads(e.Method) {
		return answer.NotDone
	}
	var no *refused
	if !e.doubt && errors.As(e.Err, &no) {
		return answer.NotDone
	}
	last := answer.Of(e.StatusCode, answer.KindOf(e.Header.Get("Content-Type"), e.Body)).Effect
	if e.doubt || last == answer.Done { // an answer that is no answer
		return answer.MayBeDone
	}
	return last
}

// A callError is a call that got no answer.
type callError struct {
	operation string
	err       error
	did       answer.Effect
}

// Error is one line: a proxy can put anything into the error of the network.
func (e *callError) Error() string {
	return answer.OneLine("api: " + e.operation + ": " + e.err.Error())
}

func (e *callError) Unwrap() error         { return e.err }
func (e *callError) effect() answer.Effect { return e.did }

// unanswered makes the error of a call without an answer.
func unanswered(operation, method string, attempts *answer.Attempts, err error) error {
	did := answer.NotDone
	if !reads(method) {
		last := answer.OfError(err)
		if errors.Is(err, ErrUnauthorized) { // of a login that failed in place of an attempt
			last.Effect = answer.NotDone
		}
		if away := (*RedirectError)(nil); errors.As(err, &away) {
			last = answer.Of(away.StatusCode, answer.Empty) // by some a server says that another one is to do it
		}
		did = attempts.Effect(last)
	}
	return &callError{operation, err, did}
}

// reads reports whether requests of a method change nothing.
func reads(method string) bool {
	switch method {
	case "", http.MethodGet, http.MethodHead, http.MethodOptions, http.MethodTrace:
		return true
	}
	return false
}
