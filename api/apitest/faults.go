package apitest

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"sync"
	"time"
)

// A Fault is something that goes wrong.
type Fault struct {
	// Operation is what it strikes: the id of an operation of the API, such as GetManga; Page, Cover
	// or Report; Token, Revoke, EndSession, UserInfo, Discovery, Keys, Authorize or Authenticate of
	// the auth server. Empty is every operation of the API.
	Operation string

	// Count is how many requests it strikes: 0 is one, [Always] is every one. With a Probability
	// above 0, each request is struck with that probability only.
	Count       int
	Probability float64

	Delay   time.Duration // before anything else happens
	Drop    bool          // the connection ends without an answer
	Status  int           // 200 to 599, in place of the answer, with an error body
	HTML    bool          // the answer is a page of some proxy
	Captcha bool          // 403 until the client has solved a captcha

	// RefusePages is how many of its files UploadPages does not take, the last ones. The answer is a
	// success all the same, as long as it takes one, and has an error for each that it does not take.
	RefusePages int

	ForgetToken   bool // the token of the request does not hold from now on
	ExpireBaseURL bool // no base URL given out so far holds from now on

	Corrupt  bool          // a byte of the body is wrong, and so is the checksum
	Truncate bool          // the connection ends in the middle of the body
	Slow     time.Duration // the body takes that long
	Skew     time.Duration // how far the Date of the answer is ahead of the time
}

// Always is a [Fault.Count].
const Always = -1

type faultList struct {
	sync.Mutex
	faults []*pendingFault
}

type pendingFault struct {
	Fault
	left int // Always or more than zero
}

// otherOperations are what a fault can strike besides the operations of the API.
var otherOperations = []string{"Page", "Cover", "Report", "Token", "Revoke", "EndSession", "UserInfo", "Discovery", "Keys", "Authorize", "Authenticate"}

// check finds faults that can never strike, or cannot be.
func (f *Fault) check() error {
	switch {
	case f.Operation != "" && !slices.Contains(otherOperations, f.Operation) && !isOperation(f.Operation):
		return fmt.Errorf("apitest: there is no operation %q that a fault could strike", f.Operation)
	case f.Count < Always:
		return fmt.Errorf("apitest: a fault that strikes %d requests; give a number, 0 for one, or Always", f.Count)
	case !(0 <= f.Probability && f.Probability <= 1):
		return fmt.Errorf("apitest: a fault with the Probability %v; give one from 0 to 1", f.Probability)
	case f.Status != 0 && (f.Status < 200 || f.Status > 599):
		return fmt.Errorf("apitest: a fault with the Status %d; give one from 200 to 599", f.Status)
	case f.Delay < 0 || f.Slow < 0:
		return fmt.Errorf("apitest: a fault with a Delay of %v and Slow by %v; neither can be negative", f.Delay, f.Slow)
	case f.RefusePages < 0 || f.RefusePages > 0 && f.Operation != "" && f.Operation != "UploadPages":
		return fmt.Errorf("apitest: a fault of %q with RefusePages %d; it is a number of files of UploadPages", f.Operation, f.RefusePages)
	}
	return nil
}

// Fail adds faults. A request is struck by the first one that it meets. A fault that cannot be,
// such as one of an operation that there is not, fails the test and is left out.
func (s *Server) Fail(faults ...Fault) {
	s.faults.Lock()
	defer s.faults.Unlock()
	for _, f := range faults {
		if err := f.check(); err != nil {
			s.options.report("%v", err)
			continue
		}
		left := f.Count
		if left == 0 {
			left = 1
			if f.Probability > 0 {
				left = Always
			}
		}
		s.faults.faults = append(s.faults.faults, &pendingFault{f, left})
	}
}

// Heal removes all faults.
func (s *Server) Heal() {
	s.faults.Lock()
	defer s.faults.Unlock()
	s.faults.faults = nil
}

// take finds the fault of a request, nil if it has luck.
// A captcha goes away when it is solved, not when it is seen.
func (l *faultList) take(operation string, ofAPI bool, solved func() bool) *Fault {
	l.Lock()
	defer l.Unlock()
	for n, f := range l.faults {
		if f.Operation != operation && (f.Operation != "" || !ofAPI) {
			continue
		}
		if f.Probability > 0 && rand.Float64() >= f.Probability {
			continue
		}
		passed := f.Captcha && solved()
		if f.left != Always && (!f.Captcha || passed) {
			if f.left--; f.left == 0 {
				l.faults = slices.Delete(l.faults, n, n+1)
			}
		}
		if passed {
			return nil
		}
		return &f.Fault
	}
	return nil
}

// strike names what a request is, and lets a fault happen that comes before the answer. It returns
// the status that the fault wants in place of the answer, 0 for none.
func (x *exchange) strike(operation string, ofAPI bool) int {
	x.logged.Operation = operation
	x.fault = x.server.faults.take(operation, ofAPI, x.solved)
	f := x.fault
	if f == nil {
		return 0
	}
	x.server.log.set(x.kept, x.logged)
	if !x.server.sleep(x.request.Context(), f.Delay) || f.Drop {
		x.abort()
	}
	if f.ForgetToken {
		x.forgetToken()
	}
	if f.ExpireBaseURL {
		x.server.generation.Add(1)
	}
	return f.Status
}

// abort ends the connection without an answer, or without the rest of it.
func (x *exchange) abort() {
	panic(http.ErrAbortHandler)
}

// spoil changes the answer as the fault wants it.
func (x *exchange) spoil(a answer) answer {
	f := x.fault
	if f == nil {
		return a
	}
	if f.HTML {
		if f.Status == 0 {
			a.status = http.StatusOK
		}
		a.contentType = contentHTML
		a.body = htmlError(a.status)
	}
	if f.Corrupt && len(a.body) > 0 {
		a.body = slices.Clone(a.body)
		a.body[len(a.body)/2] ^= 0xff
	}
	return a
}

// date is what the header of the answer says.
func (x *exchange) date() time.Time {
	if x.fault == nil {
		return x.now
	}
	return x.now.Add(x.fault.Skew)
}

// send writes the body in the way that the fault wants it.
func (x *exchange) send(w http.ResponseWriter, body []byte) {
	if x.fault != nil && x.fault.Slow > 0 {
		const pieces = 10
		flush := http.NewResponseController(w)
		for n := range pieces {
			piece := body[len(body)*n/pieces : len(body)*(n+1)/pieces]
			if _, err := w.Write(piece); err != nil {
				return
			}
			_ = flush.Flush() // a writer that cannot is fast, no more
			if !x.server.sleep(x.request.Context(), x.fault.Slow/pieces) {
				panic(http.ErrAbortHandler)
			}
		}
		return
	}
	if x.fault != nil && x.fault.Truncate {
		w.Write(body[:len(body)/2])
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	}
	w.Write(body)
}
