package jsonio

import (
	"encoding/binary"
	"math/bits"
	"unicode/utf16"
	"unicode/utf8"
)

const (
	low  = 0x0101010101010101
	high = 0x8080808080808080
)

// specials marks the bytes of a word that are a quote, a backslash or a control character by their high
// bit. The lowest mark is right; a higher one need not be.
//
// Taking 1 from each byte carries into its high bit where it was 0, so a byte is found by what makes it
// 0, and one below a bound by taking the bound. Bytes with a high bit of their own are none of these; all
// three tests leave that bit to one mask.
func specials(w uint64) uint64 {
	return (((w ^ low*'"') - low) | ((w ^ low*'\\') - low) | (w - low*' ')) & high &^ w
}

// special returns where the next such byte stands, len(d) if none does, and a word with a high bit set
// if a byte before it is not ASCII. It looks at eight bytes at a time.
func special(d []byte, i int) (at int, wide uint64) {
	for ; i+8 <= len(d); i += 8 {
		w := word(d, i)
		if found := specials(w); found != 0 {
			n := bits.TrailingZeros64(found) &^ 7
			return i + n/8, wide | w&(1<<(n&63)-1)
		}
		wide |= w
	}
	for i < len(d) && d[i] != '"' && d[i] != '\\' && d[i] >= ' ' {
		wide |= uint64(d[i])
		i++
	}
	return i, wide
}

// word returns eight bytes as a number, the first of them lowest. The bound of the capacity keeps the
// compiler from minding what an empty rest would point to.
func word(d []byte, i int) uint64 { return binary.LittleEndian.Uint64(d[i : i+8 : i+8]) }

// quoted reads a text and returns its bytes, which are valid until the next text is read.
func (r *Reader) quoted() []byte {
	d, start := r.data, r.pos+1
	var wide uint64
	for i := start; i+8 <= len(d); i += 8 { // as in special, without a call
		w := word(d, i)
		if found := specials(w); found != 0 {
			n := bits.TrailingZeros64(found) &^ 7
			wide |= w & (1<<(n&63) - 1)
			i += n / 8
			if d[i] == '"' && wide&high == 0 {
				r.pos = i + 1
				return d[start:i]
			}
			break
		}
		wide |= w
	}
	i, wide := special(d, start)
	if i < len(d) && d[i] == '"' && (wide&high == 0 || valid(d[start:i])) {
		r.pos = i + 1
		return d[start:i]
	}
	return r.unquote(start, i, wide)
}

// unquote reads a text that has escapes or invalid UTF-8, like encoding/json does. What is plain
// between them is copied as a whole. The first of it begins at start and ends at at; see special.
func (r *Reader) unquote(start, at int, wide uint64) []byte {
	d, b := r.data, r.scratch[:0]
	for {
		plain := d[start:at]
		if wide&high == 0 || valid(plain) {
			b = append(b, plain...)
		} else {
			b = appendValid(b, plain)
		}
		r.pos = at
		switch {
		case at == len(d):
			r.fail("the end of a text")
			return nil
		case d[at] == '"':
			r.pos++
			r.scratch = b
			return b
		case d[at] != '\\':
			r.fail("a text without control characters")
			return nil
		}
		if b, start = r.escape(b, at+1); r.err != nil {
			return nil
		}
		at, wide = special(d, start)
	}
}

// escape appends the character that an escape stands for, and returns where it ends. It begins at i,
// behind its backslash.
func (r *Reader) escape(b []byte, i int) ([]byte, int) {
	d := r.data
	if i == len(d) {
		r.pos = i
		r.fail("the end of a text")
		return b, i
	}
	switch c := d[i]; c {
	case '"', '\\', '/':
		return append(b, c), i + 1
	case 'b':
		return append(b, '\b'), i + 1
	case 'f':
		return append(b, '\f'), i + 1
	case 'n':
		return append(b, '\n'), i + 1
	case 'r':
		return append(b, '\r'), i + 1
	case 't':
		return append(b, '\t'), i + 1
	case 'u':
		c := hex4(d[i:])
		if c < 0 {
			break
		}
		i += 5
		if utf16.IsSurrogate(c) {
			second := rune(-1)
			if i+1 < len(d) && d[i] == '\\' && d[i+1] == 'u' {
				second = hex4(d[i+1:])
			}
			if c = utf16.DecodeRune(c, second); c != utf8.RuneError {
				i += 6
			}
		}
		return utf8.AppendRune(b, c), i
	}
	r.pos = i
	r.fail("an escaped character")
	return b, i
}

// appendValid appends a text with U+FFFD for each byte that is not part of a character.
func appendValid(b, text []byte) []byte {
	for len(text) > 0 {
		c, n := utf8.DecodeRune(text)
		b = utf8.AppendRune(b, c)
		text = text[n:]
	}
	return b
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

// valid is [utf8.Valid], faster where most characters take two or three bytes: BenchmarkValid.
func valid(b []byte) bool {
	for i := 0; i < len(b); {
		switch c := b[i]; {
		case c < utf8.RuneSelf:
			i++
		case 0xC2 <= c && c < 0xE0 && i+1 < len(b) && b[i+1]&0xC0 == 0x80:
			i += 2
		case 0xE1 <= c && c < 0xED && i+2 < len(b) && b[i+1]&0xC0 == 0x80 && b[i+2]&0xC0 == 0x80:
			i += 3
		default:
			r, n := utf8.DecodeRune(b[i:])
			if r == utf8.RuneError && n == 1 {
				return false
			}
			i += n
		}
	}
	return true
}
