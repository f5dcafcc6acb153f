package jsonio

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"math"
	"slices"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"
)

// AppendString appends s as a JSON text, byte for byte as encoding/json writes it.
func AppendString(b []byte, s string) []byte {
	const hexDigits = "0123456789abcdef"
	b = append(b, '"')
	start := 0
	for i := 0; i < len(s); {
		c := s[i]
		if 0x20 <= c && c < utf8.RuneSelf && c != '"' && c != '\\' && c != '<' && c != '>' && c != '&' {
			i++
			continue
		}
		if c >= utf8.RuneSelf {
			r, n := utf8.DecodeRuneInString(s[i:])
			switch {
			case r == utf8.RuneError && n == 1:
				b = append(append(b, s[start:i]...), `\ufffd`...)
				start = i + 1
			case r == '\u2028' || r == '\u2029': // line ends to JavaScript
				b = append(append(b, s[start:i]...), `\u202`...)
				b = append(b, hexDigits[r&15])
				start = i + n
			}
			i += n
			continue
		}
		b = append(b, s[start:i]...)
		switch c {
		case '"', '\\':
			b = append(b, '\\', c)
		case '\b':
			b = append(b, '\\', 'b')
		case '\f':
			b = append(b, '\\', 'f')
		case '\n':
			b = append(b, '\\', 'n')
		case '\r':
			b = append(b, '\\', 'r')
		case '\t':
			b = append(b, '\\', 't')
		default:
			b = append(b, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
		}
		i++
		start = i
	}
	return append(append(b, s[start:]...), '"')
}

// AppendName appends a text of which the empty one stands for null.
func AppendName(b []byte, s string) []byte {
	if s == "" {
		return append(b, "null"...)
	}
	return AppendString(b, s)
}

// AppendUUID appends the UUID, null for the zero one.
func AppendUUID(b []byte, id uuid.UUID) []byte {
	if id == (uuid.UUID{}) {
		return append(b, "null"...)
	}
	return append(AppendUUIDText(append(b, '"'), id), '"')
}

// AppendUUIDText appends the UUID without quotes.
func AppendUUIDText(b []byte, id uuid.UUID) []byte {
	var text [36]byte
	hex.Encode(text[:], id[:4])
	text[8] = '-'
	hex.Encode(text[9:13], id[4:6])
	text[13] = '-'
	hex.Encode(text[14:18], id[6:8])
	text[18] = '-'
	hex.Encode(text[19:23], id[8:10])
	text[23] = '-'
	hex.Encode(text[24:], id[10:])
	return append(b, text[:]...)
}

// AppendTime appends the time as MangaDex writes it, in RFC 3339 with a numeric offset, null for
// the zero time.
func AppendTime(b []byte, t time.Time) []byte {
	if t.IsZero() {
		return append(b, "null"...)
	}
	b = append(b, '"')
	b = t.AppendFormat(b, "2006-01-02T15:04:05.999999999-07:00")
	return append(b, '"')
}

// AppendInt appends a whole number.
func AppendInt(b []byte, n int64) []byte { return strconv.AppendInt(b, n, 10) }

// AppendBool appends true or false.
func AppendBool(b []byte, v bool) []byte { return strconv.AppendBool(b, v) }

// AppendFloat appends a number in the notation of encoding/json, null where it is not finite.
func AppendFloat(b []byte, f float64) []byte {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return append(b, "null"...)
	}
	format := byte('f')
	if abs := math.Abs(f); abs != 0 && (abs < 1e-6 || abs >= 1e21) {
		format = 'e'
	}
	b = strconv.AppendFloat(b, f, format, -1, 64)
	if n := len(b); format == 'e' && b[n-4] == 'e' && b[n-3] == '-' && b[n-2] == '0' { // e-07
		b[n-2] = b[n-1]
		b = b[:n-1]
	}
	return b
}

// AppendRaw appends a value that is JSON already, null for none.
func AppendRaw(b []byte, raw json.RawMessage) []byte {
	if len(raw) == 0 {
		return append(b, "null"...)
	}
	return append(b, raw...)
}

// AppendExtra appends members in the order of their names, each with a comma before it, to an
// object that was begun at start. A member that the object has already gives way if all that it
// holds is zero, and stays otherwise.
func AppendExtra(b []byte, start int, extra map[string]json.RawMessage) []byte {
	if len(extra) == 0 {
		return b
	}
	names := make([]string, 0, len(extra))
	for name := range extra {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		from, to := find(b[start:], name)
		switch {
		case to == 0:
			b = append(AppendString(append(b, ','), name), ':')
			b = AppendRaw(b, extra[name])
		case isZero(b[start+from : start+to]):
			b = slices.Replace(b, start+from, start+to, AppendRaw(nil, extra[name])...)
		}
	}
	return b
}

// find returns where the value of a member stands, to is 0 if there is none. The members each have
// a comma before them.
func find(members []byte, name string) (from, to int) {
	if !bytes.Contains(members, AppendString(nil, name)) {
		return 0, 0
	}
	var r Reader
	r.Reset(append(bytes.Replace(members, []byte{','}, []byte{'{'}, 1), '}'))
	for it := r.Object(); it.Next(); {
		found := string(r.Key()) == name
		at := r.Offset()
		r.Skip()
		if found && r.Err() == nil {
			return at, r.pos
		}
	}
	return 0, 0
}

// isZero reports whether a value is null, false, 0, an empty text, or holds nothing else.
func isZero(value []byte) bool {
	var r Reader
	r.Reset(value)
	return r.zero() && r.Err() == nil
}

func (r *Reader) zero() bool {
	switch r.Kind() {
	case '{', '[':
		for it := r.Array(); it.Next(); {
			if !r.zero() {
				return false
			}
		}
		return true
	case '"':
		return len(r.quoted()) == 0
	case 't':
		return false
	case 'n', 'f':
		r.Skip()
		return true
	}
	return string(r.number()) == "0"
}

// Close ends an object that was begun at start and whose members were each written with a comma
// before it.
func Close(b []byte, start int) []byte {
	if len(b) == start {
		return append(b, '{', '}')
	}
	b[start] = '{'
	return append(b, '}')
}
