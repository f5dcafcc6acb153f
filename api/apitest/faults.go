package apitest

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/mangadex-go/mangadex/internal/operation"
)

// A Fault is something that goes wrong.
type Fault struct {
	// Operation is what it strikes: the id of an operation of the API, such as GetManga; Page, Cover
	// or Report; Token, Revoke, EndSession, UserInfo, Discovery, Keys, Authorize or Authenticate of
	// the auth server. Empty is every operation of the API.
	Operation string

	// Node is the at-home node whose pages it strikes, 1 or 2, with the Operation Page. 0 is both.
	Node int

	// Skip is how many requests it lets pass before the first that it strikes. Count is how many it
	// strikes: 0 is one, [Always] is every one. With a Probability above 0, each request is struck
	// with that probability only.
	Skip        int
	Count       int
	Probability float64

	// After makes the four below happen after the operation has been carried out: it is done, and the
	// client is not told. Without it they happen before, and nothing is done.
	After  bool
	Delay  time.Duration // before the answer
	Drop   bool          // the connection ends without an answer
	Status int           // 200 to 599, in place of the answer, with an error body
	HTML   bool          // the answer is a page of some proxy; without a Status, the operation is carried out

	// Late is how long after the answer the operation is carried out. The answer is Status, or 504:
	// a proxy has given up, and the server behind it goes on.
	Late time.Duration

	Captcha bool // 403 until the client has solved a captcha

	// Header is set on the answer, whatever it is. A name without values leaves that header out.
	Header http.Header

	// RefusePages is how many files UploadPages refuses, the last ones. The answer is still a success
	// if it takes one, and has an error for each that it refuses.
	RefusePages int

	// Hold is how long the chapter that CommitUpload makes is held back, as if its pages were looked
	// at. Only its uploader sees it until then, and no list has it, not even for the uploader.
	Hold time.Duration

	ForgetToken   bool // the token of the request is no longer valid
	ExpireBaseURL bool // no base URL given out so far is valid any more

	// All below happen to the answer of an operation that has been carried out.

	Empty    bool          // the body is {}
	Corrupt  bool          // a byte of the body is wrong, and so is the checksum
	DropBody bool          // the connection ends after the header
	Truncate bool          // the connection ends in the middle of the body
	Reset    bool          // a connection that ends is reset, so that what is on its way may be lost, too
	Slow     time.Duration // the body takes that long
	Stall    time.Duration // nothing comes for so long after half of the body
	Skew     time.Duration // how far the Date of the answer is ahead of the time

	// Those of lists, which have no effect on anything else.

	Clamp   int  // a page has no more entries than this, whatever the request asks for; the limit of the answer says so
	Short   int  // a page lacks that many entries, the last ones; the limit of the answer does not say so
	Repeat  int  // a page after the first begins with that many of the page before, as if others had been added in front
	Delete  int  // that many entries of the page, the first ones, are deleted after the answer
	Shuffle bool // entries that are equal by the order of the request come in any order

	// The fields below change titles and chapters after the answer that shows them: the first ones of a
	// list, as many as the number says, or the one that the path names.
	Rename   int // titles get another name
	Renumber int // chapters get the next number
	Revolume int // chapters get the next volume
	Regroup  int // chapters become those of another group
	Replace  int // the first page of chapters gets another picture, and another name

	// Rewrite makes another body of the one that would be sent.
	Rewrite func(body []byte) []byte

	// Then is called when the answer is ready, before it is sent. It may change the state.
	Then func()
}

// Always is a [Fault.Count].
const Always = -1

type faultList struct {
	sync.Mutex
	faults  []*pendingFault
	choices []func(Request) *Fault
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
	case f.Node < 0 || f.Node > nodes || f.Node > 0 && f.Operation != "Page":
		return fmt.Errorf("apitest: a fault of %q with the Node %d; with the Operation Page give 1 to %d, or 0 for all", f.Operation, f.Node, nodes)
	case f.Count < Always || f.Skip < 0:
		return fmt.Errorf("apitest: a fault that strikes %d requests after %d; give numbers, a Count of 0 for one, or Always", f.Count, f.Skip)
	case !(0 <= f.Probability && f.Probability <= 1):
		return fmt.Errorf("apitest: a fault with the Probability %v; give one from 0 to 1", f.Probability)
	case f.Status != 0 && (f.Status < 200 || f.Status > 599):
		return fmt.Errorf("apitest: a fault with the Status %d; give one from 200 to 599", f.Status)
	case f.Delay < 0 || f.Slow < 0 || f.Stall < 0 || f.Late < 0:
		return fmt.Errorf("apitest: a fault with a Delay of %v, Slow by %v, a Stall of %v and Late by %v; none can be negative", f.Delay, f.Slow, f.Stall, f.Late)
	case f.Late > 0 && (f.After || f.Drop):
		return fmt.Errorf("apitest: a fault that is Late by %v; its answer comes before the operation is carried out, so leave After and Drop out", f.Late)
	case f.After && f.Delay == 0 && !f.Drop && f.Status == 0 && !f.HTML:
		return fmt.Errorf("apitest: a fault with After and nothing that happens then; give Delay, Drop, Status or HTML")
	case f.Reset && !f.Drop && !f.DropBody && !f.Truncate:
		return fmt.Errorf("apitest: a fault with Reset and no connection that ends; give Drop, DropBody or Truncate")
	case f.RefusePages < 0 || f.RefusePages > 0 && f.Operation != "" && f.Operation != "UploadPages":
		return fmt.Errorf("apitest: a fault of %q with RefusePages %d; it is a number of files of UploadPages", f.Operation, f.RefusePages)
	case f.Hold < 0 || f.Hold > 0 && f.Operation != "" && f.Operation != "CommitUpload":
		return fmt.Errorf("apitest: a fault of %q with a Hold of %v; it is a time for chapters of CommitUpload", f.Operation, f.Hold)
	case f.Clamp < 0 || f.Short < 0 || f.Repeat < 0 || f.Delete < 0:
		return fmt.Errorf("apitest: a fault with Clamp %d, Short %d, Repeat %d, Delete %d; they are numbers of entries", f.Clamp, f.Short, f.Repeat, f.Delete)
	case f.ofLists() && f.Operation != "" && !isList(f.Operation):
		return fmt.Errorf("apitest: a fault of %q with Clamp, Short, Repeat, Delete or Shuffle, which is no list with pages", f.Operation)
	}
	return f.checkAlterations()
}

func (f *Fault) ofLists() bool { return f.Clamp+f.Short+f.Repeat+f.Delete > 0 || f.Shuffle }

// isList tells whether an operation answers with pages of a list.
func isList(id string) bool {
	spec, err := loadSpecification()
	if err != nil {
		return false
	}
	n := slices.IndexFunc(operation.Table[:], func(op operation.Operation) bool { return op.ID == id })
	return n >= 0 && spec.route(&operation.Table[n]).query["offset"] != nil
}

// Fail adds faults. The first fault that fits a request strikes it. An impossible fault, such as one of
// an unknown operation, fails the test and is left out.
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

// FailFunc sets a function that chooses the fault of each request that no fault of [Server.Fail]
// strikes; nil is none. It is called before the operation is carried out, by many goroutines at once,
// and sees the Operation, but neither Username nor Status. In the fault that it returns, Operation,
// Skip, Count and Probability are ignored.
func (s *Server) FailFunc(choose func(Request) *Fault) {
	s.faults.Lock()
	defer s.faults.Unlock()
	s.faults.choices = append(s.faults.choices, choose)
}

// Heal removes all faults.
func (s *Server) Heal() {
	s.faults.Lock()
	defer s.faults.Unlock()
	s.faults.faults, s.faults.choices = nil, nil
}

// choose asks the functions of FailFunc for the fault of a request.
func (x *exchange) choose() *Fault {
	faults := &x.server.faults
	faults.Lock()
	choices := slices.Clone(faults.choices)
	faults.Unlock()
	for _, choice := range choices {
		f := choice(x.logged)
		if f == nil || f.Captcha && x.solved() {
			continue
		}
		chosen := *f
		chosen.Operation, chosen.Skip, chosen.Count = x.logged.Operation, 0, 0
		if err := chosen.check(); err != nil {
			x.server.options.report("%v", err)
			continue
		}
		return &chosen
	}
	return nil
}

// take finds the fault of a request, nil if it has luck.
// A captcha goes away when it is solved, not when it is seen.
func (l *faultList) take(operation string, ofAPI bool, node int, solved func() bool) *Fault {
	l.Lock()
	defer l.Unlock()
	for n, f := range l.faults {
		if f.Operation != operation && (f.Operation != "" || !ofAPI) || f.Node != 0 && f.Node != node {
			continue
		}
		if f.Skip > 0 {
			f.Skip--
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
		struck := f.Fault
		return &struck
	}
	return nil
}
