package jsonio

import (
	"math"
	"strconv"
)

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
	// The common case first: a few digits, and the value is over.
	const most = 18 // digits that cannot overflow
	d, start := r.data, r.pos
	i, n := start, int64(0)
	for i < len(d) && d[i]-'0' <= 9 && i < start+most {
		n = n*10 + int64(d[i]-'0')
		i++
	}
	if start < i && i < len(d) && (d[i] == ',' || d[i] == '}' || d[i] == ']') && (d[start] != '0' || i == start+1) {
		r.pos = i
		return n
	}
	return r.int64()
}

func (r *Reader) int64() int64 {
	at, b := r.numeric()
	if b == nil {
		return 0
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
