package jsonio

import (
	"encoding/binary"
	"time"

	"github.com/google/uuid"
)

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
	if b := r.fixed(36); b != nil {
		if id, ok := canonicalUUID(b); ok {
			return id
		}
		r.pos -= 38
	}
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
		if b := r.fixed(36); b != nil {
			if id, ok := canonicalUUID(b); ok {
				return id, true
			}
			r.pos = before
		}
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
	if b := r.fixed(25); b != nil {
		if t, ok := usualTime(b); ok {
			return t
		}
		r.pos -= 27
	}
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
	if t, ok := usualTime(b); ok {
		return t, true
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

// usualTime parses a time as the server sends it, 2006-01-02T15:04:05+00:00. Months longer than 28 days
// take the long way there.
func usualTime(b []byte) (time.Time, bool) {
	if len(b) != 25 || b[4] != '-' || b[7] != '-' || b[10] != 'T' || b[13] != ':' || b[16] != ':' || string(b[19:]) != "+00:00" {
		return time.Time{}, false
	}
	century, year, month, day := twoDigits(b[0:]), twoDigits(b[2:]), twoDigits(b[5:]), twoDigits(b[8:])
	hour, minute, second := twoDigits(b[11:]), twoDigits(b[14:]), twoDigits(b[17:])
	if century > 99 || year > 99 || month-1 > 11 || day-1 > 27 || hour > 23 || minute > 59 || second > 59 {
		return time.Time{}, false
	}
	return time.Date(int(century*100+year), time.Month(month), int(day), int(hour), int(minute), int(second), 0, time.UTC), true
}

// twoDigits is the number that two digits write, more than 99 if they are none.
func twoDigits(b []byte) uint {
	tens, ones := uint(b[0])-'0', uint(b[1])-'0'
	if tens > 9 || ones > 9 {
		return 100
	}
	return 10*tens + ones
}

// canonicalUUID parses a UUID in the form that the server sends, 36 bytes: eight digits at a time, from
// places that are known. BenchmarkUUID compares it with the package for UUIDs, which takes the others.
func canonicalUUID(b []byte) (id uuid.UUID, ok bool) {
	if len(b) != 36 || b[8] != '-' || b[13] != '-' || b[18] != '-' || b[23] != '-' {
		return id, false
	}
	little := binary.LittleEndian
	first, wrong1 := eightHex(word(b, 0))
	second, wrong2 := eightHex(uint64(little.Uint32(b[9:13])) | uint64(little.Uint32(b[14:18]))<<32)
	third, wrong3 := eightHex(uint64(little.Uint32(b[19:23])) | uint64(little.Uint32(b[24:28]))<<32)
	fourth, wrong4 := eightHex(word(b, 28))
	little.PutUint32(id[0:], first)
	little.PutUint32(id[4:], second)
	little.PutUint32(id[8:], third)
	little.PutUint32(id[12:], fourth)
	return id, wrong1|wrong2|wrong3|wrong4 == 0
}

// eightHex decodes eight hexadecimal digits, of which the first is the lowest byte, to the four bytes
// that they write. Wrong is not 0 if one is no digit.
func eightHex(w uint64) (n uint32, wrong uint64) {
	letter := w >> 6 & low                                    // 1 where there is a letter
	v := w&(0x0f*low) + 9*letter                              // the value of each digit
	over := (v + 6*low) >> 4 & low                            // 1 where it is 10 or more
	wrong = w | letter<<5 ^ (v + '0'*low + ('a'-'0'-10)*over) // from what writes the value, in small letters
	wrong |= v & (0xf0 * low)
	v = (v<<4 | v>>8) & 0x00ff00ff00ff00ff
	v = (v | v>>8) & 0x0000ffff0000ffff
	return uint32(v | v>>16), wrong
}

// fixed reads a text of n bytes if the next value is one, and nil otherwise. It may hold what a text
// must not: the caller accepts certain bytes only, or goes back.
func (r *Reader) fixed(n int) []byte {
	i := r.pos
	if i+n+1 < len(r.data) && r.data[i] == '"' && r.data[i+n+1] == '"' {
		r.pos = i + n + 2
		return r.data[i+1 : i+n+1]
	}
	return nil
}
