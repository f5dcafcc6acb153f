package api

import (
	"testing"
	"time"
)

// TestPlace walks the transitions of a place, without a server.
func TestPlace(t *testing.T) {
	t.Parallel()
	full := func(n, total int) yield { return yield{items: n, pass: n, list: n, total: total} }
	old := func(n, total int) yield { return yield{items: n, pass: n, total: total} }
	type leg struct {
		yield  yield
		offset int // of the next page
		pass   int
		step   step
	}
	tests := []struct {
		name string
		from place
		legs []leg
	}{
		{"a short list", place{}, []leg{{full(40, 40), 0, 1, whole}}},
		{"nothing", place{}, []leg{{full(0, 0), 0, 1, whole}}},
		{"page by page", place{}, []leg{{full(100, 250), 100, 1, more}, {full(100, 250), 200, 1, more}, {full(50, 250), 0, 1, whole}}},
		{"by what comes", place{}, []leg{{full(20, 250), 20, 1, more}, {full(100, 250), 120, 1, more}}},
		{"from an offset", place{first: 200}, []leg{{full(50, 250), 0, 1, whole}}},
		{"from an offset behind the end", place{first: 400}, []leg{{full(0, 250), 0, 1, whole}}},
		{"an empty page", place{}, []leg{{full(100, 250), 100, 1, more}, {full(0, 250), 100, 1, more}, {full(0, 250), 100, 1, more}, {full(0, 250), 100, 1, more}, {full(0, 250), 0, 1, incomplete}}},
		{"a total that cannot be true", place{}, []leg{{full(100, 150), 100, 1, more}, {full(100, 150), 200, 1, more}, {full(50, 150), 250, 1, more},
			{full(0, 150), 250, 1, more}, {full(0, 150), 250, 1, more}, {full(0, 150), 250, 1, more}, {full(0, 150), 0, 2, more},
			{old(100, 150), 100, 2, more}, {old(100, 150), 200, 2, more}, {old(50, 150), 250, 2, more},
			{full(0, 150), 250, 2, more}, {full(0, 150), 250, 2, more}, {full(0, 150), 250, 2, more}, {full(0, 150), 0, 2, whole}}},
		{"an item that went", place{}, []leg{{full(100, 250), 100, 1, more}, {full(100, 249), 99, 1, more}, {yield{items: 100, pass: 1, list: 1, total: 249}, 199, 1, more},
			{yield{items: 50, pass: 49, list: 49, total: 249}, 0, 1, whole}}},
		{"an item that went and had not come", place{}, []leg{{full(100, 250), 100, 1, more}, {full(100, 249), 99, 1, more}, {yield{items: 100, total: 249}, 199, 1, more},
			{yield{items: 50, pass: 49, list: 49, total: 249}, 0, 2, more}, {old(100, 249), 100, 2, more}, {old(100, 249), 200, 2, more}, {old(49, 249), 0, 2, whole}}},
		{"an item that moved ahead", place{}, []leg{{full(100, 200), 100, 1, more}, {yield{items: 100, pass: 99, list: 99, total: 200}, 0, 2, more},
			{yield{items: 100, pass: 100, list: 1, total: 200}, 0, 2, whole}}},
		{"an item that stays away", place{}, []leg{{full(100, 200), 100, 1, more}, {yield{items: 100, pass: 99, list: 99, total: 200}, 0, 2, more},
			{old(100, 200), 100, 2, more}, {yield{items: 100, pass: 99, total: 200}, 0, 2, incomplete}}},
		{"items that cannot be told apart", place{once: true}, []leg{{full(100, 200), 100, 1, more}, {full(60, 180), 160, 1, more}, {full(20, 180), 0, 1, incomplete}}},
		{"the ceiling", place{first: 9900}, []leg{{full(100, 20000), 0, 1, ceiling}}},
		{"the end at the ceiling", place{first: 9900}, []leg{{full(100, 10000), 0, 1, whole}}},
		{"the ceiling of a list that changed", place{first: 9900}, []leg{{yield{items: 100, pass: 90, list: 90, total: 20000}, 0, 1, ceiling}}},
		{"the ceiling of a slice that changed", place{first: 9900, sliced: true}, []leg{{yield{items: 100, pass: 90, list: 90, total: 20000}, 9900, 2, more}, {full(100, 20000), 0, 2, ceiling}}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			test.from.limit, test.from.total = 100, unknown
			at := test.from.begun()
			for i, leg := range test.legs {
				next, step := at.next(leg.yield)
				if step != leg.step || next.pass != leg.pass || step == more && next.offset != leg.offset {
					t.Fatalf("leg %d: step %d to %d of pass %d, want step %d to %d of pass %d", i, step, next.offset, next.pass, leg.step, leg.offset, leg.pass)
				}
				at = next
			}
		})
	}
}

func TestSlice(t *testing.T) {
	t.Parallel()
	at := func(second int) time.Time { return time.Date(2021, 5, 6, 7, 8, second, 0, time.UTC) }
	tests := []struct {
		name  string
		from  slice
		items []time.Time // first and last of each page
		since int         // second; -1: none
	}{
		{"the first", slice{}, []time.Time{at(1), at(5), at(5), at(9)}, 8},
		{"one that begins with what is known", slice{since: Since(at(8))}, []time.Time{at(8), at(9)}, 9},
		{"one that begins behind it", slice{since: Since(at(8))}, []time.Time{at(9), at(11)}, 10},
		{"one that begins behind it, of a server that is known", slice{since: Since(at(8)), inclusive: true}, []time.Time{at(9), at(11)}, 11},
		{"one of a second", slice{since: Since(at(8))}, []time.Time{at(9), at(9)}, -1},
		{"one of a second, of a server that is known", slice{since: Since(at(8))}, []time.Time{at(8), at(8)}, -1},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := test.from
			for i := 0; i < len(test.items); i += 2 {
				s = s.see(test.items[i], test.items[i+1].Add(time.Second/2))
			}
			next, ok := s.next()
			if ok != (test.since >= 0) || ok && !next.since.Time.Equal(at(test.since)) {
				t.Errorf("next %v %v, want %d", next.since, ok, test.since)
			}
		})
	}
}
