package jsonio

import (
	"strings"
)

// maxDepth bounds nesting like encoding/json does.
const maxDepth = 10000

// A Reader decodes one JSON document. The zero value is ready for [Reader.Reset].
// It may be used again for another document, which it reads the faster the more it is like those
// before, and must not be copied while in use.
type Reader struct {
	data  []byte
	pos   int
	key   []byte // the member name that Next has just read, if it has no place
	depth int
	err   error

	strict bool
	odd    bool // a value was not what was wanted, and skipped
	budget int  // bytes that may still be allocated

	text   strings.Builder // chunk that short texts are cut from
	slots  []string        // chunk that pointers to texts are cut from
	lists  any             // chunk that short lists are cut from; see List
	listed int             // how many elements of it are in use

	order   order             // in which the members of objects came
	names   [nameSlots]string // texts seen before: enum values, languages, map keys
	short   [256]short        // of these, those that are shorter than a word
	scratch []byte            // for texts with escapes
	iters   [64]Iter          // by depth
	deep    []*Iter           // those behind them, maxDepth at most
	nothing Iter              // walks over nothing
	skipped []*Iter           // what is open in a value that is skipped
}

// Bounds of what is allocated for a document: so many times its size, and so many bytes more.
const (
	maxFactor = 8
	maxExtra  = 16 << 20
)

// Reset starts on data, which must not change until reading is done. Nothing that was read keeps
// a reference to it.
func (r *Reader) Reset(data []byte) {
	r.data, r.pos, r.key, r.depth, r.err = data, 0, nil, 0, nil
	r.text, r.slots, r.lists = strings.Builder{}, nil, nil
	r.strict, r.odd, r.deep = false, false, nil
	r.budget = maxFactor*len(data) + maxExtra
	r.order.begin()
}

// Strict makes a value of another kind than the one that is wanted an error, until the next Reset.
func (r *Reader) Strict() { r.strict = true }

// Odd reports whether a value was of another kind than the one that was wanted. It was skipped, and
// what was read is a zero value. [Iter.TakeOdd] clears it.
func (r *Reader) Odd() bool { return r.odd }

// Spend counts bytes that the caller is about to allocate for what it reads, and reports whether it
// may. A document whose values would take more than 8 times its size and 16 MB is an error.
func (r *Reader) Spend(bytes int) bool {
	r.budget -= bytes
	return r.budget >= 0 || r.spent()
}

func (r *Reader) spent() bool {
	r.fail("fewer values: they take more than 8 times the memory of the document")
	return false
}

// Err is the first error, nil if there was none.
func (r *Reader) Err() error { return r.err }

// End demands that nothing but white space follows.
func (r *Reader) End() {
	if r.err == nil && r.peek() != 0 {
		r.fail("nothing")
	}
}

// Remaining is the number of bytes that have not been read.
func (r *Reader) Remaining() int { return len(r.data) - r.pos }

// fail records that what stands at the current position is not what was wanted there.
func (r *Reader) fail(want string) {
	if r.err == nil {
		r.err = newError(r.data, r.pos, want)
	}
	r.pos = len(r.data)
}

// Mismatch says that the value which began at offset is not what is wanted there. It is skipped,
// unless it is the whole document or the reader is strict.
func (r *Reader) Mismatch(offset int, want string) {
	if r.err != nil {
		return
	}
	r.pos = offset
	if r.strict || r.depth == 0 || r.peek() == 0 {
		r.fail(want)
		return
	}
	if r.Skip(); r.err == nil {
		r.odd = true
	}
}

func (r *Reader) mismatch(want string) { r.Mismatch(r.pos, want) }

// Seek goes to an offset where a value begins, or behind one that ended.
func (r *Reader) Seek(offset int) {
	if r.err == nil {
		r.pos = offset
	}
}

// Offset is the position of the next value.
func (r *Reader) Offset() int {
	r.peek()
	return r.pos
}

// peek skips white space and returns the next byte, 0 at the end of the document and after an error.
func (r *Reader) peek() byte {
	if r.pos < len(r.data) {
		if c := r.data[r.pos]; c > ' ' { // as a rule there is no white space
			return c
		}
	}
	return r.peekSpace()
}

func (r *Reader) peekSpace() byte {
	for r.pos < len(r.data) {
		switch c := r.data[r.pos]; c {
		case ' ', '\n', '\t', '\r':
			r.pos++
		default:
			if c > ' ' {
				return c
			}
			r.fail("a JSON value") // a control character
			return 0
		}
	}
	return 0
}

// Kind tells what the next value is by its first byte: '{', '[', '"', 't', 'f', 'n', '-', a digit,
// or 0 after an error or at the end.
func (r *Reader) Kind() byte { return r.peek() }

// Null consumes a null and reports whether there was one.
func (r *Reader) Null() bool {
	if r.pos < len(r.data) && r.data[r.pos] == '"' { // most values are texts
		return false
	}
	return r.null()
}

func (r *Reader) null() bool {
	if r.pos < len(r.data) && r.data[r.pos] > ' ' { // as a rule
		return r.data[r.pos] == 'n' && r.literal("null")
	}
	if r.err != nil {
		return true
	}
	if r.peek() != 'n' {
		return false
	}
	return r.literal("null")
}

func (r *Reader) literal(word string) bool {
	end := r.pos + len(word)
	if end > len(r.data) || string(r.data[r.pos:end]) != word {
		r.fail("a JSON value")
		return false
	}
	r.pos = end
	return true
}
