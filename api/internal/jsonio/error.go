package jsonio

import (
	"fmt"
	"strconv"
	"strings"
)

// An Error says where a document is not what it should be.
type Error struct {
	Path   string // such as data[3].attributes.year; empty at the top
	Offset int    // in bytes
	Want   string // what belongs there
	Got    string // what stands there, shortened
}

// Error says where, what belongs there and what stands there.
func (e *Error) Error() string {
	where := "at the top"
	if e.Path != "" {
		where = e.Path
	}
	return fmt.Sprintf("%s (byte %d): want %s, got %s", where, e.Offset, e.Want, e.Got)
}

func newError(data []byte, offset int, want string) *Error {
	return &Error{Path: path(data, offset), Offset: offset, Want: want, Got: excerpt(data, offset)}
}

func excerpt(data []byte, offset int) string {
	const longest = 24
	if offset >= len(data) {
		return "the end of the document"
	}
	rest := data[offset:]
	if len(rest) > longest {
		return strconv.Quote(string(rest[:longest])) + "…"
	}
	return strconv.Quote(string(rest))
}

// path walks over the document once more to name the place that offset stands in. Only errors
// need it, so reading does not keep track.
func path(data []byte, offset int) string {
	type level struct {
		object bool
		key    string
		index  int
	}
	var levels []level
	inKey := false // the next text is a member name
	for i := 0; i < offset && i < len(data); i++ {
		switch c := data[i]; c {
		case '{', '[':
			levels = append(levels, level{object: c == '{'})
			inKey = c == '{'
		case '}', ']':
			if len(levels) > 0 {
				levels = levels[:len(levels)-1]
			}
			inKey = false
		case ',':
			if n := len(levels); n > 0 {
				levels[n-1].index++
				inKey = levels[n-1].object
			}
		case '"':
			start := i + 1
			for i++; i < len(data) && data[i] != '"'; i++ {
				if data[i] == '\\' {
					i++
				}
			}
			if inKey && len(levels) > 0 && i < len(data) {
				levels[len(levels)-1].key = string(data[start:i])
				inKey = false
			}
		}
	}
	var b strings.Builder
	for _, l := range levels {
		switch {
		case !l.object:
			fmt.Fprintf(&b, "[%d]", l.index)
		case l.key != "":
			if b.Len() > 0 {
				b.WriteByte('.')
			}
			b.WriteString(l.key)
		}
	}
	const longest = 200
	if text := b.String(); len(text) > longest {
		return strings.ToValidUTF8(text[:longest/2]+"…"+text[len(text)-longest/2:], "")
	}
	return b.String()
}
