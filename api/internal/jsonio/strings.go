package jsonio

import (
	"math/bits"
	"reflect"
	"strings"
)

const (
	nameSlots = 512
	maxName   = 32 // longest text, in bytes, that is looked up among the names

	// Short texts share chunks, so that a page of results takes a few hundred allocations
	// instead of thousands. A text that is kept keeps its chunk alive, not the whole body.
	maxChunk   = 4096
	maxChunked = 512
	slotChunk  = 16
	listChunk  = 16
)

// String reads a text. null is the empty one; of a number, its digits are returned.
func (r *Reader) String() string {
	if r.Null() {
		return ""
	}
	return r.cut(r.textBytes())
}

// Name reads a text that is likely to be one of few: an enum value, a language, a role.
func (r *Reader) Name() string {
	if d, i := r.data, r.pos; i+9 <= len(d) && d[i] == '"' {
		// Most are shorter than a word, and can be looked up as one.
		w := word(d, i+1)
		if found := specials(w); found != 0 {
			n := bits.TrailingZeros64(found) &^ 7
			w &= 1<<(n&63) - 1
			if s := &r.short[w*0x9e3779b97f4a7c15>>(64-8)]; s.word == w && w != 0 && d[i+1+n/8] == '"' {
				r.pos = i + n/8 + 2
				return s.text
			}
		}
	}
	if r.Null() {
		return ""
	}
	b := r.textBytes()
	text := r.intern(b)
	if n := len(b); 0 < n && n < 8 {
		var padded [8]byte
		copy(padded[:], b)
		w := word(padded[:], 0)
		if w&high == 0 {
			r.short[w*0x9e3779b97f4a7c15>>(64-8)] = short{w, text}
		}
	}
	return text
}

// short is a text of less than eight bytes, and the same as a word.
type short struct {
	word uint64
	text string
}

// KeyName is the current member name as a string.
func (r *Reader) KeyName() string {
	if p := r.order.at; p != 0 {
		return r.order.places[p%maxPlaces].text
	}
	return r.intern(r.key)
}

func (r *Reader) textBytes() []byte {
	if r.pos < len(r.data) && r.data[r.pos] == '"' {
		return r.quoted()
	}
	switch c := r.peek(); {
	case c == '"':
		return r.quoted()
	case c == '-' || '0' <= c && c <= '9':
		return r.number()
	}
	r.mismatch("a text")
	return nil
}

// StringPtr reads a text or null, which is nil.
func (r *Reader) StringPtr() *string {
	if r.Null() {
		return nil
	}
	b := r.textBytes()
	if b == nil {
		return nil
	}
	text := r.cut(b)
	if Alone(text) {
		own := text
		return &own
	}
	if len(r.slots) == 0 {
		if !r.Spend(slotChunk * SizeOf[string]()) {
			return nil
		}
		r.slots = make([]string, slotChunk)
	}
	p := &r.slots[0]
	r.slots = r.slots[1:]
	*p = text
	return p
}

// intern returns a string with the bytes of b, the same one as before where it can.
func (r *Reader) intern(b []byte) string {
	n := len(b)
	if n == 0 {
		return ""
	}
	if n > maxName {
		return r.cut(b)
	}
	slot := &r.names[hash(b)%nameSlots]
	if *slot != string(b) {
		if !r.Spend(n) {
			return ""
		}
		*slot = string(b)
	}
	return *slot
}

// hash tells short texts apart by their length and a few of their bytes. There must be one.
func hash(b []byte) uint32 {
	n := len(b)
	h := uint32(n)*0x9e3779b1 ^ uint32(b[0])<<16 ^ uint32(b[n/2])<<8 ^ uint32(b[n-1]) ^ uint32(b[n/4])<<20
	return h * 0x85ebca6b >> 20
}

// cut returns a string with the bytes of b, cut from a chunk if it is short.
func (r *Reader) cut(b []byte) string {
	n := len(b)
	start := r.text.Len()
	switch {
	case n == 0:
		return ""
	case n > maxChunked:
		if !r.Spend(n) {
			return ""
		}
		return string(b)
	case r.text.Cap()-start < n:
		size := max(n, min(maxChunk, len(r.data)-r.pos))
		if !r.Spend(size) {
			return ""
		}
		r.text = strings.Builder{}
		r.text.Grow(size)
		// What is cut from one chunk of pointers or lists leads to two chunks of texts at most.
		r.slots, r.lists = nil, nil
		start = 0
	}
	r.text.Write(b)
	return r.text.String()[start:]
}

// List returns a copy of a list. A short one is cut from a chunk that it shares with others, unless what
// its elements refer to has memory of its own: one list that is kept keeps all that its chunk refers to.
// It is for the one type of which a document has very many short lists.
func List[T any](r *Reader, s []T, alone bool) []T {
	n := len(s)
	if n == 0 {
		return []T{}
	}
	chunk, _ := r.lists.(*[listChunk]T)
	if alone || n > listChunk/4 {
		if !r.Spend(n * SizeOf[T]()) {
			return nil
		}
		list := make([]T, n)
		copy(list, s)
		return list
	}
	if chunk == nil || r.listed+n > listChunk {
		if !r.Spend(listChunk * SizeOf[T]()) {
			return nil
		}
		chunk = new([listChunk]T)
		r.lists, r.listed = chunk, 0
	}
	start := r.listed
	r.listed += n
	list := chunk[start:r.listed:r.listed] // an append by its owner does not reach the next one
	copy(list, s)
	return list
}

// SizeOf is how many bytes a value of a type takes.
func SizeOf[T any]() int { return int(reflect.TypeFor[T]().Size()) }

// Alone reports whether a text has memory of its own.
func Alone(text string) bool { return len(text) > maxChunked }
