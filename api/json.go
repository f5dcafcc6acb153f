package api

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"sync"

	"github.com/google/uuid"

	"github.com/mangadex-go/mangadex/api/internal/jsonio"
)

// Extra holds members that the server sent and this package does not know, by name. They are
// written again when the value is encoded. A member that was null although its type has no place
// for null is here, too, and its field is zero.
type Extra map[string]json.RawMessage

// keep reads the value of the current member into extra, which it makes if it has to.
func (e Extra) keep(r *jsonio.Reader) Extra {
	name := r.KeyName()
	value := r.Raw()
	if value == nil {
		return e
	}
	if e == nil {
		e = Extra{}
	}
	e[name] = value
	return e
}

type decoder interface{ decode(*jsonio.Reader) }

type encoder interface{ append([]byte) []byte }

var readers = sync.Pool{New: func() any { return new(jsonio.Reader) }}

// release drops what the reader refers to and gives it back.
func release(r *jsonio.Reader) {
	r.Reset(nil)
	readers.Put(r)
}

// unmarshal decodes a whole document into v.
func unmarshal(data []byte, v decoder) error {
	r := readers.Get().(*jsonio.Reader)
	defer release(r)
	r.Reset(data)
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
	at := r.Offset()
	if data := r.Raw(); data != nil {
		if err := json.Unmarshal(data, v); err != nil {
			r.Fail(at, "a value that fits: "+err.Error())
		}
	}
}

// appendAny appends a value whose type has no encoder of ours.
//
//nolint:unused // for types that the document does not have yet
func appendAny(b []byte, v any) []byte {
	data, err := json.Marshal(v)
	if err != nil {
		return append(b, "null"...)
	}
	return append(b, data...)
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
		s = slices.Grow(s, more)
	}
	return s[:len(s)+1]
}

// exact returns a copy of a list that was collected in a buffer.
func exact[T any](s []T) []T {
	list := make([]T, len(s))
	copy(list, s)
	return list
}

//nolint:unused // for types that the document does not have yet
func sortedNames[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

func sortedIDs[V any](m map[uuid.UUID]V) []uuid.UUID {
	return slices.SortedFunc(maps.Keys(m), func(a, b uuid.UUID) int { return bytes.Compare(a[:], b[:]) })
}
