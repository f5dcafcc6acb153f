package jsonio

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"math"
	"math/bits"
	"strconv"
	"strings"
	"time"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/google/uuid"
)

// maxDepth bounds nesting like encoding/json does.
const maxDepth = 10000

// A Reader decodes one JSON document. The zero value is ready for [Reader.Reset].
// It may be used again for another document, and must not be copied while in use.
type Reader struct {
	data  []byte
	pos   int
	key   []byte // the member name that Next has just read
	depth int
	err   error

	strict bool
	odd    bool // a value was not what was wanted, and skipped
	budget int  // bytes that may still be allocated

	text  strings.Builder // chunk that short texts are cut from
	slots []string        // chunk that pointers to texts are cut from

	names   [nameSlots]string // texts seen before: enum values, languages, map keys
	scratch []byte            // for texts with escapes
	skipped []Iter            // what is open in a value that is skipped
}

const (
	nameSlots = 512
	maxName   = 32 // longest text, in bytes, that is looked up among the names

	// Short texts share chunks, so that a page of results takes a few hundred allocations
	// instead of thousands. A text that is kept keeps its chunk alive, not the whole body.
	maxChunk   = 4096
	maxChunked = 512
	slotChunk  = 16
)

// Bounds of what is allocated for a document: so many times its size, and so many bytes more.
const (
	maxFactor = 8
	maxExtra  = 16 << 20
)

// Reset starts on data, which must not change until reading is done. Nothing that was read keeps
// a reference to it.
func (r *Reader) Reset(data []byte) {
	r.data, r.pos, r.key, r.depth, r.err = data, 0, nil, 0, nil
	r.text, r.slots = strings.Builder{}, nil
	r.strict, r.odd = false, false
	r.budget = maxFactor*len(data) + maxExtra
}

// Strict makes a value of another kind than the one that is wanted an error, until the next Reset.
func (r *Reader) Strict() { r.strict = true }

// Odd reports whether a value was of another kind than the one that was wanted. It was skipped, and
// what was read is a zero value. [Iter.TakeOdd] clears it.
func (r *Reader) Odd() bool { return r.odd }

// Spend counts bytes that the caller is about to allocate for what it reads, and reports whether it
// may. A document whose values would take more than 8 times its size and 16 MB is an error.
func (r *Reader) Spend(bytes int) bool {
	if r.budget -= bytes; r.budget < 0 {
		r.fail("fewer values: they take more than 8 times the memory of the document")
		return false
	}
	return true
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

// peek skips white space and returns the next byte, 0 at the end of the document.
func (r *Reader) peek() byte {
	if r.pos < len(r.data) && r.data[r.pos] > ' ' { // as a rule there is no white space
		return r.data[r.pos]
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
func (r *Reader) Kind() byte {
	if r.err != nil {
		return 0
	}
	return r.peek()
}

// Null consumes a null and reports whether there was one.
func (r *Reader) Null() bool {
	if r.pos < len(r.data) && r.data[r.pos] == '"' { // most values are texts
		return false
	}
	return r.null()
}

func (r *Reader) null() bool {
	if r.err != nil {
		return true
	}
	if r.peek() != 'n' {
		return false
	}
	r.literal("null")
	return true
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

// An Iter walks over the members of an object or the elements of a list.
type Iter struct {
	r     *Reader
	close byte // 0 when there is nothing to walk over
	named bool // the entries have names
	first bool
	key   int // where the name of the member begins
}

// Object begins to read an object. null and [] are empty ones.
func (r *Reader) Object() Iter {
	if r.err != nil {
		return Iter{}
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
			return Iter{}
		}
		return it
	case 'n':
		r.literal("null")
	default:
		r.mismatch("an object")
	}
	return Iter{}
}

// Array begins to read a list. null is an empty one; of an object, its values are read in order.
func (r *Reader) Array() Iter {
	if r.err != nil {
		return Iter{}
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
	return Iter{}
}

// Entries begins to read an object or a list. Named tells which; in a list, Key is empty.
func (r *Reader) Entries() Iter { return r.Array() }

// Named reports whether the entries have names, as members of an object do.
func (it *Iter) Named() bool { return it.named }

func (r *Reader) open(closing byte, named bool) Iter {
	r.pos++
	if r.depth++; r.depth > maxDepth {
		r.fail("less nesting")
		return Iter{}
	}
	return Iter{r: r, close: closing, named: named, first: true}
}

// Next goes to the next member or element, which the caller then reads or skips. It is false at
// the end and after an error.
func (it *Iter) Next() bool {
	r := it.r
	if it.close == 0 || r.err != nil {
		return false
	}
	c := r.peek()
	if c == it.close {
		r.pos++
		r.depth--
		it.close = 0
		return false
	}
	if it.first {
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
		r.key = nil
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
	return r.err == nil
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

// Key is the name of the member that Next went to. It is valid until the next call of a method.
func (r *Reader) Key() []byte { return r.key }

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

// Bool reads true or false. null is false; 0, 1 and their texts are accepted too.
func (r *Reader) Bool() bool {
	if r.err != nil {
		return false
	}
	switch c := r.peek(); c {
	case 't':
		return r.literal("true")
	case 'f':
		r.literal("false")
		return false
	case 'n':
		r.literal("null")
		return false
	case '0', '1', '"':
		at := r.pos
		switch string(r.token()) {
		case "1", "true":
			return true
		case "0", "false":
			return false
		}
		r.Mismatch(at, "true or false")
		return false
	}
	r.mismatch("true or false")
	return false
}

// token reads a text or a number as it stands, without quotes.
func (r *Reader) token() []byte {
	if r.peek() == '"' {
		return r.quoted()
	}
	return r.number()
}

// number reads a number and returns its bytes, which are part of the document.
func (r *Reader) number() []byte {
	d, i := r.data, r.pos
	start := i
	if i < len(d) && d[i] == '-' {
		i++
	}
	switch {
	case i < len(d) && d[i] == '0':
		i++
	case i < len(d) && '1' <= d[i] && d[i] <= '9':
		for i < len(d) && '0' <= d[i] && d[i] <= '9' {
			i++
		}
	default:
		r.fail("a number")
		return nil
	}
	if i < len(d) && d[i] == '.' {
		i++
		digits := i
		for i < len(d) && '0' <= d[i] && d[i] <= '9' {
			i++
		}
		if i == digits {
			r.fail("a number")
			return nil
		}
	}
	if i < len(d) && (d[i] == 'e' || d[i] == 'E') {
		i++
		if i < len(d) && (d[i] == '+' || d[i] == '-') {
			i++
		}
		digits := i
		for i < len(d) && '0' <= d[i] && d[i] <= '9' {
			i++
		}
		if i == digits {
			r.fail("a number")
			return nil
		}
	}
	r.pos = i
	return d[start:i]
}

// numeric reads what should be a number, quoted or not, and where it begins. It is nil for null and
// after an error.
func (r *Reader) numeric() (at int, b []byte) {
	if r.Null() {
		return 0, nil
	}
	at = r.Offset()
	if c := r.peek(); c != '"' && c != '-' && (c < '0' || c > '9') {
		r.mismatch("a number")
		return at, nil
	}
	if b = r.token(); r.err != nil {
		return at, nil
	}
	return at, b
}

// Int reads a whole number. null is 0; a text that is a number is accepted.
func (r *Reader) Int() int { return int(r.Int64()) }

// Int64 is [Reader.Int] for 64 bits on every platform.
func (r *Reader) Int64() int64 {
	at, b := r.numeric()
	if b == nil {
		return 0
	}
	if len(b) > 0 && len(b) < 18 { // cannot overflow
		digits, negative := b, false
		if b[0] == '-' {
			digits, negative = b[1:], true
		}
		n, ok := int64(0), len(digits) > 0
		for _, c := range digits {
			if c < '0' || c > '9' {
				ok = false
				break
			}
			n = n*10 + int64(c-'0')
		}
		if ok {
			if negative {
				return -n
			}
			return n
		}
	}
	if n, err := strconv.ParseInt(string(b), 10, 64); err == nil {
		return n
	}
	if f, err := strconv.ParseFloat(string(b), 64); err == nil && f == math.Trunc(f) && math.Abs(f) < 1<<53 {
		return int64(f)
	}
	r.Mismatch(at, "a whole number")
	return 0
}

// Float64 reads a number. null is 0; a text that is a number is accepted.
func (r *Reader) Float64() float64 {
	at, b := r.numeric()
	if b == nil {
		return 0
	}
	f, err := strconv.ParseFloat(string(b), 64)
	if err != nil || math.IsNaN(f) || math.IsInf(f, 0) {
		r.Mismatch(at, "a number")
		return 0
	}
	return f
}

// String reads a text. null is the empty one; of a number, its digits are returned.
func (r *Reader) String() string {
	if r.Null() {
		return ""
	}
	if b := r.textBytes(); len(b) > 0 {
		return r.cut(b)
	}
	return ""
}

// Name reads a text that is likely to be one of few: an enum value, a language, a role.
func (r *Reader) Name() string {
	if r.Null() {
		return ""
	}
	return r.intern(r.textBytes())
}

// KeyName is the current member name as a string.
func (r *Reader) KeyName() string { return r.intern(r.key) }

func (r *Reader) textBytes() []byte {
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
	if len(r.slots) == 0 {
		if !r.Spend(slotChunk * 16) {
			return nil
		}
		r.slots = make([]string, slotChunk)
	}
	p := &r.slots[0]
	r.slots = r.slots[1:]
	if len(b) > 0 {
		*p = r.cut(b)
	}
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
	h := uint32(n)*0x9e3779b1 ^ uint32(b[0])<<16 ^ uint32(b[n/2])<<8 ^ uint32(b[n-1]) ^ uint32(b[n/4])<<20
	slot := &r.names[(h*0x85ebca6b)>>(32-9)]
	if *slot != string(b) {
		if !r.Spend(n) {
			return ""
		}
		*slot = string(b)
	}
	return *slot
}

// cut returns a string with the bytes of b, cut from a chunk if it is short.
func (r *Reader) cut(b []byte) string {
	n := len(b)
	if n > maxChunked {
		if !r.Spend(n) {
			return ""
		}
		return string(b)
	}
	if r.text.Cap()-r.text.Len() < n {
		size := max(n, min(maxChunk, len(r.data)-r.pos))
		if !r.Spend(size) {
			return ""
		}
		r.text = strings.Builder{}
		r.text.Grow(size)
	}
	start := r.text.Len()
	r.text.Write(b)
	return r.text.String()[start:]
}

// textOnly reads a text, for which no number will do, and where it begins. It is empty for null and
// after an error.
func (r *Reader) textOnly(want string) (at int, b []byte) {
	if r.Null() {
		return 0, nil
	}
	at = r.pos
	if r.peek() != '"' {
		r.mismatch(want)
		return at, nil
	}
	return at, r.quoted()
}

// UUID reads a UUID. null and the empty text are the zero UUID.
func (r *Reader) UUID() uuid.UUID {
	at, b := r.textOnly("a UUID")
	if len(b) == 0 {
		return uuid.UUID{}
	}
	id, err := uuid.ParseBytes(b)
	if err != nil {
		r.Mismatch(at, "a UUID")
		return uuid.UUID{}
	}
	return id
}

// TryUUID reads a UUID. null is the zero UUID. What is not one is not read.
func (r *Reader) TryUUID() (id uuid.UUID, ok bool) {
	if r.Null() {
		return uuid.UUID{}, true
	}
	if r.Kind() == '"' {
		before := r.pos
		id, err := uuid.ParseBytes(r.quoted())
		if err == nil || r.err != nil {
			return id, true
		}
		r.pos = before
	}
	return uuid.UUID{}, false
}

// Time reads a time in RFC 3339. null and the empty text are the zero time; one without a zone is
// in UTC.
func (r *Reader) Time() time.Time {
	at, b := r.textOnly("a time")
	if len(b) == 0 {
		return time.Time{}
	}
	t, ok := ParseTime(b)
	if !ok {
		r.Mismatch(at, "a time")
		return time.Time{}
	}
	return t
}

// ParseTime parses a time in RFC 3339, also with an offset like +0000, or one without a zone, which
// is in UTC.
func ParseTime(b []byte) (time.Time, bool) {
	// What the server sends: 2006-01-02T15:04:05+00:00.
	if len(b) == 25 && b[4] == '-' && b[7] == '-' && b[10] == 'T' && b[13] == ':' && b[16] == ':' && string(b[19:]) == "+00:00" {
		year, month, day := digits(b[0:4]), digits(b[5:7]), digits(b[8:10])
		hour, minute, second := digits(b[11:13]), digits(b[14:16]), digits(b[17:19])
		if year >= 0 && month >= 1 && month <= 12 && day >= 1 && day <= 28 && // longer months take the long way
			uint(hour) < 24 && uint(minute) < 60 && uint(second) < 60 {
			return time.Date(year, time.Month(month), day, hour, minute, second, 0, time.UTC), true
		}
	}
	s := string(b)
	for _, layout := range [...]string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999Z0700", "2006-01-02T15:04:05", "2006-01-02 15:04:05"} {
		t, err := time.Parse(layout, s)
		if err != nil {
			continue
		}
		if _, offset := t.Zone(); offset == 0 {
			t = t.UTC()
		}
		return t, true
	}
	return time.Time{}, false
}

func digits(b []byte) int {
	n := 0
	for _, c := range b {
		if c < '0' || c > '9' {
			return -1
		}
		n = n*10 + int(c-'0')
	}
	return n
}

const (
	low  = 0x0101010101010101
	high = 0x8080808080808080
)

// quoted reads a text and returns its bytes, which are valid until the next text is read.
func (r *Reader) quoted() []byte {
	d := r.data
	start := r.pos + 1
	i := start
	var wide uint64 // has a high bit once a byte is not ASCII
	for i+8 <= len(d) {
		w := binary.LittleEndian.Uint64(d[i:])
		quote, slash := w^(low*'"'), w^(low*'\\')
		special := ((quote - low) &^ quote) | ((slash - low) &^ slash) | ((w - low*0x20) &^ w)
		if special &= high; special != 0 {
			n := bits.TrailingZeros64(special) &^ 7
			wide |= w & (1<<uint(n) - 1)
			i += n / 8
			goto found
		}
		wide |= w
		i += 8
	}
	for i < len(d) && d[i] != '"' && d[i] != '\\' && d[i] >= 0x20 {
		wide |= uint64(d[i])
		i++
	}
	if i == len(d) {
		r.pos = i
		r.fail("the end of a text")
		return nil
	}
found:
	switch {
	case d[i] == '"' && (wide&high == 0 || utf8.Valid(d[start:i])):
		r.pos = i + 1
		return d[start:i]
	case d[i] == '"' || d[i] == '\\':
		return r.unquote(start, i)
	}
	r.pos = i
	r.fail("a text without control characters")
	return nil
}

// unquote reads a text that has escapes or invalid UTF-8, like encoding/json does. What stands
// before i is plain.
func (r *Reader) unquote(start, i int) []byte {
	d := r.data
	b := r.scratch[:0]
	plain := d[start:i]
	if utf8.Valid(plain) {
		b = append(b, plain...)
	} else {
		i = start
	}
	for i < len(d) {
		switch c := d[i]; {
		case c == '"':
			r.pos = i + 1
			r.scratch = b
			return b
		case c < 0x20:
			r.pos = i
			r.fail("a text without control characters")
			return nil
		case c == '\\':
			i++
			if i == len(d) {
				break
			}
			switch d[i] {
			case '"', '\\', '/':
				b = append(b, d[i])
			case 'b':
				b = append(b, '\b')
			case 'f':
				b = append(b, '\f')
			case 'n':
				b = append(b, '\n')
			case 'r':
				b = append(b, '\r')
			case 't':
				b = append(b, '\t')
			case 'u':
				c := hex4(d[i:])
				if c < 0 {
					r.pos = i
					r.fail("an escaped character")
					return nil
				}
				i += 4
				if utf16.IsSurrogate(c) {
					second := rune(-1)
					if i+2 < len(d) && d[i+1] == '\\' && d[i+2] == 'u' {
						second = hex4(d[i+2:])
					}
					if c = utf16.DecodeRune(c, second); c != utf8.RuneError {
						i += 6
					}
				}
				b = utf8.AppendRune(b, c)
			default:
				r.pos = i
				r.fail("an escaped character")
				return nil
			}
			i++
		case c < utf8.RuneSelf:
			b = append(b, c)
			i++
		default:
			c, n := utf8.DecodeRune(d[i:])
			b = utf8.AppendRune(b, c)
			i += n
		}
	}
	r.pos = len(d)
	r.fail("the end of a text")
	return nil
}

// hex4 decodes the four digits after the u that b begins with; -1 if they are not there.
func hex4(b []byte) rune {
	if len(b) < 5 {
		return -1
	}
	var n rune
	for _, c := range b[1:5] {
		switch {
		case '0' <= c && c <= '9':
			c -= '0'
		case 'a' <= c && c <= 'f':
			c -= 'a' - 10
		case 'A' <= c && c <= 'F':
			c -= 'A' - 10
		default:
			return -1
		}
		n = n<<4 | rune(c)
	}
	return n
}
