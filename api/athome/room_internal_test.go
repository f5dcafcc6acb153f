package athome

import "testing"

// TestAllotment goes through every change of an allotment, without a server or a clock.
func TestAllotment(t *testing.T) {
	t.Parallel()
	type step struct {
		do   func(a allotment) (allotment, bool)
		ok   bool
		held int64
	}
	enter := func(page int, need int64) func(allotment) (allotment, bool) {
		return func(a allotment) (allotment, bool) {
			a, _, ok := a.enter(page, need)
			return a, ok
		}
	}
	grow := func(page int, from, to int64) func(allotment) (allotment, bool) {
		return func(a allotment) (allotment, bool) { return a.grow(page, from, to) }
	}
	give := func(size int64) func(allotment) (allotment, bool) {
		return func(a allotment) (allotment, bool) { return a.give(size), true }
	}
	pass := func(size int64) func(allotment) (allotment, bool) {
		return func(a allotment) (allotment, bool) { return a.pass(size), true }
	}
	for name, test := range map[string]struct {
		parallel int
		memory   int64
		steps    []step
	}{
		"as many as are near":        {2, 1000, []step{{enter(0, 10), true, 10}, {enter(1, 10), true, 20}, {enter(2, 10), true, 30}, {enter(3, 10), true, 40}, {enter(4, 10), false, 40}, {pass(10), true, 30}, {enter(4, 10), true, 40}}},
		"in their order":             {4, 1000, []step{{enter(1, 10), false, 0}, {enter(0, 10), true, 10}, {enter(2, 10), false, 10}, {enter(1, 10), true, 20}}},
		"as many bytes as fit":       {4, 25, []step{{enter(0, 10), true, 10}, {enter(1, 10), true, 20}, {enter(2, 10), false, 20}, {give(10), true, 10}, {enter(2, 10), true, 20}}},
		"the next one always":        {4, 5, []step{{enter(0, 10), true, 10}, {grow(0, 10, 100), true, 100}, {enter(1, 10), false, 100}, {pass(100), true, 0}, {enter(1, 10), true, 10}}},
		"no more than there is":      {4, 25, []step{{enter(0, 10), true, 10}, {enter(1, 10), true, 20}, {grow(1, 10, 20), false, 20}, {pass(10), true, 10}, {grow(1, 10, 20), true, 20}}},
		"as the largest so far":      {4, 100, []step{{enter(0, 0), true, 0}, {grow(0, 0, 40), true, 40}, {enter(1, 0), true, 80}, {enter(2, 0), false, 80}}},
		"again, with what it needs":  {4, 100, []step{{enter(0, 0), true, 0}, {enter(1, 0), true, 0}, {grow(0, 0, 60), true, 60}, {grow(1, 0, 60), false, 60}, {give(0), true, 60}, {pass(60), true, 0}, {enter(1, 60), true, 60}}},
		"by default for usual pages": {6, 0, []step{{enter(0, 1<<20), true, 1 << 20}, {enter(1, 6<<20), true, 7 << 20}, {enter(2, 2<<20), false, 7 << 20}}},
		"by default for large pages": {6, 0, []step{{enter(0, 0), true, 0}, {grow(0, 0, 30<<20), true, 30 << 20}, {enter(1, 0), true, 60 << 20}, {enter(2, 0), false, 60 << 20}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := allotment{parallel: test.parallel, memory: test.memory}
			for i, s := range test.steps {
				var ok bool
				if a, ok = s.do(a); ok != s.ok || a.held != s.held {
					t.Fatalf("step %d: %v with %d bytes held, want %v with %d", i, ok, a.held, s.ok, s.held)
				}
			}
		})
	}
}

// TestPace goes through speeds, without a clock.
func TestPace(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		slowest int64
		bytes   func(second int) int64
		slow    int // second at which it is too slow; -1: never
	}{
		"steady":               {100, func(int) int64 { return 100 }, -1},
		"too slow at once":     {100, func(int) int64 { return 10 }, 30},
		"any speed":            {0, func(int) int64 { return 0 }, -1},
		"slow to begin with":   {100, func(s int) int64 { return int64(s * 10) }, -1},
		"in pieces":            {100, func(s int) int64 { return map[bool]int64{true: 1500}[s%15 == 0] }, -1},
		"fast, and then stuck": {100, func(s int) int64 { return map[bool]int64{true: 1000}[s <= 60] }, 88},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p, slow := pace{slowest: test.slowest}, -1
			for second := 1; second <= 200 && slow < 0; second++ {
				if p.add(test.bytes(second), 1e9) {
					slow = second
				}
			}
			if slow != test.slow {
				t.Errorf("too slow after %d seconds, want %d", slow, test.slow)
			}
		})
	}
}
