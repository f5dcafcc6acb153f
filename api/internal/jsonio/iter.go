package jsonio

import (
	"bytes"
	"encoding/json"
)

// An Iter walks over the members of an object or the elements of a list. It belongs to its reader, and
// is good until the walk is over.
//
// It is handed out by its address: a loop variable that is a struct is copied for every turn, in wide
// steps that wait for the narrow ones in which it was written. That took a third of the time.
type Iter struct {
	r     *Reader
	close byte  // 0 when there is nothing to walk over
	named bool  // the entries have names
	first bool  // Next has not been called
	in    place // whose value is walked over
	last  place // the member that Next went to last, 0 if it has none
	key   int   // where the name of the member begins
}

// Object begins to read an object. null and [] are empty ones.
func (r *Reader) Object() *Iter {
	if r.pos < len(r.data) && r.data[r.pos] == '{' { // as a rule
		return r.open('}', true)
	}
	if r.err != nil {
		return &r.nothing
	}
	switch r.peek() {
	case '{':
		return r.open('}', true)
	case '[':
		at := r.pos
		it := r.open(']', false)
		if r.err == nil && r.peek() != ']' {
			r.depth--
			r.Mismatch(at, "an object")
			return &r.nothing
		}
		return it
	case 'n':
		r.literal("null")
	default:
		r.mismatch("an object")
	}
	return &r.nothing
}

// Array begins to read a list. null is an empty one; of an object, its values are read in order.
func (r *Reader) Array() *Iter {
	if r.err != nil {
		return &r.nothing
	}
	switch r.peek() {
	case '[':
		return r.open(']', false)
	case '{':
		return r.open('}', true)
	case 'n':
		r.literal("null")
	default:
		r.mismatch("a list")
	}
	return &r.nothing
}

// Entries begins to read an object or a list. Named tells which; in a list, Key has no meaning.
func (r *Reader) Entries() *Iter { return r.Array() }

// Named reports whether the entries have names, as members of an object do.
func (it *Iter) Named() bool { return it.named }

func (r *Reader) open(closing byte, named bool) *Iter {
	r.pos++
	if r.depth++; r.depth > maxDepth {
		r.fail("less nesting")
		return &r.nothing
	}
	it := r.iter()
	it.close, it.named, it.first, it.in, it.last = closing, named, true, r.order.at, 0
	return it
}

// iter returns what walks at the current depth.
func (r *Reader) iter() *Iter {
	n := r.depth - 1
	if n < len(r.iters) {
		it := &r.iters[n]
		it.r = r
		return it
	}
	if n -= len(r.iters); n == len(r.deep) {
		r.deep = append(r.deep, &Iter{r: r})
	}
	return r.deep[n]
}

// Next goes to the next member or element, which the caller then reads or skips. It is false at
// the end and after an error.
func (it *Iter) Next() bool {
	r := it.r
	if it.close == 0 {
		return false
	}
	// The common case first: what followed last time follows again, and there is no white space.
	// After an error nothing is left to read.
	d, i := r.data, r.pos
	if i >= len(d) {
		return it.next()
	}
	switch c := d[i]; {
	case c == ',' && !it.first:
		i++
	case c == it.close:
		return it.end()
	case !it.first:
		return it.next()
	}
	if !it.named {
		if i < len(d) && d[i] > ' ' {
			it.first, r.pos = false, i
			return true
		}
		return it.next()
	}
	if p := r.order.guess(it); p != 0 {
		k := &r.order.places[p%maxPlaces]
		if end := i + int(k.size); end+8 <= len(d) && k.stands(d, i) {
			it.first, it.key, it.last = false, i, p
			r.order.at, r.pos = p, end
			return true
		}
	}
	return it.next()
}

// next is Next for what was not expected.
func (it *Iter) next() bool {
	r := it.r
	if r.err != nil {
		return false
	}
	c := r.peek()
	if c == it.close {
		return it.end()
	}
	first := it.first
	if first {
		it.first = false
	} else {
		if c != ',' {
			r.fail("a comma or the end")
			return false
		}
		r.pos++
		c = r.peek()
	}
	if !it.named {
		return r.err == nil
	}
	if c != '"' {
		r.fail("a member name")
		return false
	}
	it.key = r.pos
	r.key = r.quoted()
	if r.peek() != ':' {
		r.fail("a colon")
		return false
	}
	r.pos++
	it.last = r.order.learn(it, first, r.key, r.data[it.key:r.pos])
	r.order.at = it.last
	return r.err == nil
}

// end ends the walk behind its last entry.
func (it *Iter) end() bool {
	r := it.r
	r.pos++
	r.depth--
	r.order.at = it.in
	it.close = 0
	return false
}

// TakeOdd returns the name and the bytes of the member that was read last, which was, or held, a
// value that is [Reader.Odd].
func (it *Iter) TakeOdd() (name string, value json.RawMessage) {
	r := it.r
	r.odd = false
	if r.err != nil || !it.named {
		return "", nil
	}
	end := r.pos
	r.pos = it.key
	name = r.intern(r.quoted())
	r.peek()
	r.pos++
	r.peek()
	if r.Spend(end - r.pos) {
		value = bytes.Clone(r.data[r.pos:end])
	}
	r.pos = end
	return name, value
}

// Key is the name of the member that Next went to. It is valid until the next call of a method, and
// must not be changed. In a list it has no meaning.
func (r *Reader) Key() []byte {
	if p := r.order.at; p != 0 {
		return r.order.places[p%maxPlaces].name
	}
	return r.key
}

// Skip reads a value of any kind and forgets it.
func (r *Reader) Skip() {
	if r.err != nil {
		return
	}
	switch c := r.peek(); {
	case c == '"':
		r.quoted()
	case c == '{' || c == '[':
		r.skipNested()
	case c == 't':
		r.literal("true")
	case c == 'f':
		r.literal("false")
	case c == 'n':
		r.literal("null")
	case c == '-' || '0' <= c && c <= '9':
		r.number()
	default:
		r.fail("a JSON value")
	}
}

// skipNested skips an object or a list. It checks the grammar, and does not recurse.
func (r *Reader) skipNested() {
	open := r.skipped[:0]
	for {
		switch r.peek() {
		case '{':
			open = append(open, r.open('}', true))
		case '[':
			open = append(open, r.open(']', false))
		default:
			r.Skip()
		}
		for len(open) > 0 && !open[len(open)-1].Next() {
			open = open[:len(open)-1]
		}
		if len(open) == 0 {
			r.skipped = open
			return
		}
	}
}

// Raw reads a value of any kind and returns a copy of its bytes.
func (r *Reader) Raw() json.RawMessage {
	if r.err != nil {
		return nil
	}
	r.peek()
	start := r.pos
	r.Skip()
	if r.err != nil || !r.Spend(r.pos-start) {
		return nil
	}
	return bytes.Clone(r.data[start:r.pos])
}
