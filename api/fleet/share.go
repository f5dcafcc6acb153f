package fleet

import (
	"slices"
	"sync"
	"time"

	"github.com/mangadex-go/mangadex/api/transport"
)

const (
	// probeEvery is how often Redis is asked while it is away.
	probeEvery = time.Second
	// hold is for how long nothing is sent when it is back, until all processes have noticed that and
	// reported what they have sent.
	hold = 3 * probeEvery / 2
)

// A share is the part of the allowance that a process has while Redis is away: turns in the time of
// its clock, which all processes know from its last answers. Between two turns of one process every
// other one has one, so that together they send no more than the allowance.
type share struct {
	requests int
	period   time.Duration
	turns    int

	mu     sync.Mutex
	turn   int       // of this process; -1: none
	clock  int64     // of Redis when the turn was lent, in microseconds
	agreed time.Time // the same by our own clock
	tail   time.Time // last place that is known and not lent
	used   map[string]time.Time
	sent   []sent
	given  map[string][]sent    // by name of the set: places of this process that still count, in case Redis loses them
	memory string               // of Redis
	last   int64                // place of this process in it, in microseconds of its clock; 0: none
	pauses map[string]time.Time // by bucket; "": everything
	limits map[string]int
}

// sent is a request as Redis has to know of it.
type sent struct {
	name   string // of its set: all, or that of the bucket
	period time.Duration
	at     time.Time
	member string // of the set
}

func newShare(requests int, period time.Duration, turns int) share {
	return share{requests: requests, period: period, turns: turns, turn: -1, used: map[string]time.Time{}, given: map[string][]sent{}, pauses: map[string]time.Time{}, limits: map[string]int{}}
}

func (s *share) held() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.turn
}

// agree notes what an answer of Redis says, and whether it is about a place that is lent. The monotonic
// clock goes on from there.
func (s *share) agree(got placed, lent bool, heard time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.turn, s.clock, s.agreed = got.turn, got.clock, heard
	if !lent {
		s.tail = later(s.tail, heard.Add(got.wait))
	}
	if s.last == 0 {
		s.memory = got.memory
	}
	if got.verdict == "place" && s.memory == got.memory {
		s.last = max(s.last, got.clock)
	}
	if until := heard.Add(got.pause); got.pause > 0 {
		s.pauses[""] = later(s.pauses[""], until)
	}
}

// learn notes a pause or a limit for when Redis is away.
func (s *share) learn(call transport.Call, feedback transport.Feedback, pause time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	name := call.Bucket()
	if feedback.All {
		name = ""
	}
	if pause > 0 {
		s.pauses[name] = later(s.pauses[name], time.Now().Add(pause))
	}
	if feedback.Requests > 0 && limited(call) {
		s.limits[call.Bucket()] = feedback.Requests
	}
}

func (s *share) paused(call transport.Call) time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return later(s.pauses[""], s.pauses[call.Bucket()])
}

// next is when this process may send a call for which Redis is away since a time. It reports false
// if the process has no part.
func (s *share) next(call transport.Call, away, now time.Time) (time.Time, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.turns == 0 || s.turn < 0 || away.Sub(s.agreed) > time.Minute-probeEvery {
		return time.Time{}, false
	}
	slot := s.period / time.Duration(s.requests)
	cycle := slot * time.Duration(s.turns)
	// What the others were given places for comes first: one each behind the last that we know, and
	// those that are lent.
	given := later(later(away, s.tail).Add(cycle), away.Add(loan))
	at := later(now, given.Add(s.period), s.pauses[""], s.pauses[call.Bucket()])
	if limited(call) {
		requests := call.Limit.Requests
		if learnt := s.limits[call.Bucket()]; learnt > 0 {
			requests = learnt
		}
		// Its turns are a cycle longer, because the turns of everything shift it by one at most.
		period := margin(call.Limit.Per) + cycle
		at = s.turnAt(later(at, away.Add(period)), period/time.Duration(requests), s.used[call.Bucket()])
	}
	return s.turnAt(at, slot, s.used[allName]), true
}

const allName = "all"

// turnAt is the first turn of this process at a time or later, and after the one that was used last.
func (s *share) turnAt(at time.Time, slot time.Duration, used time.Time) time.Time {
	cycle := slot * time.Duration(s.turns)
	if !used.IsZero() {
		at = later(at, used.Add(cycle/2))
	}
	clock := time.Duration(s.clock)*time.Microsecond + at.Sub(s.agreed) // of Redis
	into := (clock - slot*time.Duration(s.turn)) % cycle
	if into == 0 {
		return at
	}
	return at.Add(cycle - into)
}

// take notes that a call is sent at a time.
func (s *share) take(call transport.Call, at time.Time, member string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.used[allName] = at
	if limited(call) {
		s.used[call.Bucket()] = at
	}
	s.sent = append(s.sent, s.keep(call, at, member)...)
}

// note keeps a place that Redis gave.
func (s *share) note(call transport.Call, at time.Time, member string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.keep(call, at, member)
}

// keep keeps a place for as long as it counts. The share is locked.
func (s *share) keep(call transport.Call, at time.Time, member string) (kept []sent) {
	kept = []sent{{allName, s.period, at, member}}
	if limited(call) {
		kept = append(kept, sent{"bucket:" + call.Bucket(), margin(call.Limit.Per), at, member})
	}
	now := time.Now()
	for _, one := range kept {
		all := s.given[one.name]
		for len(all) > 0 && now.Sub(all[0].at) >= all[0].period {
			all = all[1:]
		}
		s.given[one.name] = append(all, one)
	}
	return kept
}

// forget takes a place out that was given back.
func (s *share) forget(member string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for name, all := range s.given {
		s.given[name] = slices.DeleteFunc(all, func(one sent) bool { return one.member == member })
	}
}

// known is the memory of Redis as this process knows it, and its last place in it.
func (s *share) known() (memory string, last int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.memory, s.last
}

// recall notes that the memory of Redis is a new one, and that everything has to be reported again.
func (s *share) recall(memory string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.memory, s.last, s.sent = memory, 0, nil
	for _, all := range s.given {
		s.sent = append(s.sent, all...)
	}
}

// report takes what has been sent and still counts.
func (s *share) report(now time.Time) []sent {
	s.mu.Lock()
	defer s.mu.Unlock()
	var counts []sent
	for _, one := range s.sent {
		if now.Sub(one.at) < one.period {
			counts = append(counts, one)
		}
	}
	s.sent = nil
	return counts
}

// unreported reports whether there is something to report.
func (s *share) unreported() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.sent) > 0
}

func later(first time.Time, others ...time.Time) time.Time {
	for _, t := range others {
		if t.After(first) {
			first = t
		}
	}
	return first
}
