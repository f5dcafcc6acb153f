package api

import (
	"encoding/json"
	"slices"
	"sync"

	"github.com/mangadex-go/mangadex/api/internal/jsonio"
)

// Extra holds members that the server sent and this package does not know, by name. They are written
// again when the value is encoded. Extra also has a member that was null although its type has no null,
// and a member that is or holds a value that cannot be read, such as a year that is a word. The field
// of such a member is zero.
type Extra map[string]json.RawMessage

// keep reads the value of the current member into extra, which it makes if it has to.
func (e Extra) keep(r *jsonio.Reader) Extra {
	name := r.KeyName()
	return e.with(r, name, r.Raw())
}

// says reports whether there is anything but what stands around an answer.
func (e Extra) says() bool {
	for name := range e {
		if !slices.Contains([]string{"result", "response", "data", "limit", "offset", "total"}, name) {
			return true
		}
	}
	return false
}

// keepOdd keeps the member that was read last, because a value in it could not be read.
func (e Extra) keepOdd(r *jsonio.Reader, it *jsonio.Iter) Extra {
	name, value := it.TakeOdd()
	return e.with(r, name, value)
}

// value decodes a member into what a pointer leads to, which stays as it is if there is none that fits.
//
//nolint:unused // for members that the document does not have yet
func (e Extra) value(name string, pointer any) {
	if value, ok := e[name]; ok {
		_ = json.Unmarshal(value, pointer)
	}
}

func (e Extra) with(r *jsonio.Reader, name string, value json.RawMessage) Extra {
	const newMap = 512 // bytes of a map with room for a few members
	if value == nil || e == nil && !r.Spend(newMap) || !spendEntry[string, json.RawMessage](r) {
		return e
	}
	if e == nil {
		e = Extra{}
	}
	e[name] = value
	return e
}

// isList reports whether an answer has a list as its data. An object that PHP made of a list has
// numbers for names; one entity is no list.
func isList(body []byte) bool {
	r := readers.Get().(*jsonio.Reader)
	defer release(r)
	r.Reset(body)
	for it := r.Object(); it.Next(); {
		if string(r.Key()) != "data" {
			r.Skip()
			continue
		}
		switch r.Kind() {
		case '[':
			return true
		case '{':
			entries := r.Object()
			if !entries.Next() {
				return r.Err() == nil
			}
			name := r.Key()
			return len(name) > 0 && '0' <= name[0] && name[0] <= '9'
		}
		return false
	}
	return false
}

// spendEntry counts an entry of a map, of which growing copies a few.
func spendEntry[K, V any](r *jsonio.Reader) bool {
	return r.Spend(4 * (jsonio.SizeOf[K]() + jsonio.SizeOf[V]() + 1))
}

// newCounted makes a value that a pointer is to point to, or nil if there is no room for it.
func newCounted[T any](r *jsonio.Reader) *T {
	if !r.Spend(jsonio.SizeOf[T]()) {
		return nil
	}
	return new(T)
}

// longer returns a list with one more element. What it grows by is counted.
func longer[T any](r *jsonio.Reader, s []T) []T {
	var v T
	if len(s) == cap(s) && !r.Spend(2*cap(s)*jsonio.SizeOf[T]()) {
		return s
	}
	return append(s, v)
}

type decoder interface{ decode(*jsonio.Reader) }

var readers = sync.Pool{New: func() any { return new(jsonio.Reader) }}

// release drops what the reader refers to and gives it back.
func release(r *jsonio.Reader) {
	r.Reset(nil)
	readers.Put(r)
}

// unmarshal decodes a whole document into v. A value in it that cannot be read does no harm.
func unmarshal(data []byte, v decoder) error { return decodeWhole(data, v, false) }

// decodeWhole is unmarshal, and can be strict: then such a value is an error.
func decodeWhole(data []byte, v decoder, strict bool) error {
	r := readers.Get().(*jsonio.Reader)
	defer release(r)
	r.Reset(data)
	if strict {
		r.Strict()
	}
	v.decode(r)
	r.End()
	return r.Err()
}

// rawValue reads a value of any kind as it stands; null is none.
func rawValue(r *jsonio.Reader) json.RawMessage {
	if r.Null() {
		return nil
	}
	return r.Raw()
}

// decodeAny reads a value whose type has no decoder of ours.
//
//nolint:unused // for types that the document does not have yet
func decodeAny(r *jsonio.Reader, v any) {
	const most = 16 // bytes of memory for a byte of JSON
	at := r.Offset()
	if data := r.Raw(); data != nil && r.Spend(most*len(data)) {
		if err := json.Unmarshal(data, v); err != nil {
			r.Mismatch(at, "a value that fits: "+err.Error())
		}
	}
}

// room makes place for one more element. From the second one on it guesses from the size of those
// before how many are to come.
func room[T any](r *jsonio.Reader, start int, s []T) []T {
	const most = 1024
	if n := len(s); n == cap(s) {
		more := 1
		if n > 0 {
			each := (r.Offset()-start)/n + 1
			more = min(r.Remaining()/each+1, most)
		}
		if !r.Spend((n + max(more, n)) * jsonio.SizeOf[T]()) { // a list grows by a half or more
			return append(s[:n:n], *new(T))
		}
		s = slices.Grow(s, more)
	}
	return s[:len(s)+1]
}

// exact returns a copy of a list that was collected in a buffer.
func exact[T any](r *jsonio.Reader, s []T) []T {
	if !r.Spend(len(s) * jsonio.SizeOf[T]()) {
		return nil
	}
	list := make([]T, len(s))
	copy(list, s)
	return list
}
