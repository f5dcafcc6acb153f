package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/mangadex-go/mangadex/api/reading"
)

// What programs print is mostly written by anybody: titles, names of groups, reasons of a server.
// It goes through this file, or [WriteCSV].

// Linef formats one line. Strings, errors and values with a String method go through [reading.Line], so
// that nothing in them can draw on a terminal or pass for another line.
func Linef(format string, args ...any) string {
	safe := make([]any, len(args))
	for i, arg := range args {
		switch arg := arg.(type) {
		case string:
			safe[i] = reading.Line(arg)
		case error:
			safe[i] = reading.Line(arg.Error())
		case fmt.Stringer:
			safe[i] = reading.Line(arg.String())
		default:
			safe[i] = arg
		}
	}
	return fmt.Sprintf(format, safe...)
}

// WriteJSON writes a value as JSON that people can look at: what moves the cursor, changes the
// direction of writing or cannot be seen is escaped, so that programs still get it.
func WriteJSON(w io.Writer, v any) error {
	var b strings.Builder
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(v); err != nil {
		return err
	}
	text := b.String()
	safe := make([]byte, 0, len(text)+len(text)/4)
	begin := 0 // of what is not in safe yet
	for i, r := range text {
		if !isHidden(r) || r == '\n' {
			continue
		}
		safe = append(safe, text[begin:i]...)
		begin = i + utf8.RuneLen(r)
		if r > 0xffff {
			high, low := utf16.EncodeRune(r)
			safe = appendEscape(appendEscape(safe, high), low)
		} else {
			safe = appendEscape(safe, r)
		}
	}
	_, err := w.Write(append(safe, text[begin:]...))
	return err
}

// appendEscape writes half of a character as JSON does.
func appendEscape(b []byte, r rune) []byte {
	const digits = "0123456789abcdef"
	return append(b, '\\', 'u', digits[r>>12&15], digits[r>>8&15], digits[r>>4&15], digits[r&15])
}

// isHidden tells characters that do something to a terminal instead of being seen.
func isHidden(r rune) bool {
	switch {
	case r < 0xa0:
		return r < ' ' || r > '~'
	case r < 0x600 && r != 0xad || 0x2070 <= r && r <= 0xd7ff: // most of what is written, and never hidden
		return false
	}
	return unicode.In(r, unicode.Cf, unicode.Zl, unicode.Zp)
}

// An Output takes the results of a program. Whatever the program does, control characters do not get to
// the terminal, except for the ends of lines and tabs. After the first write that fails it writes
// nothing more. So a program prints line by line, and looks at [Output.Err] in the end, for example to
// say that the disk was full.
type Output struct {
	w      io.Writer
	rest   []byte // the beginning of a character whose end is still to come
	err    error
	failed func() // called once
}

// NewOutput returns an output that goes to w. It calls failed once, unless that is nil, when something
// cannot be written.
func NewOutput(w io.Writer, failed func()) *Output { return &Output{w: w, failed: failed} }

// Err is why something could not be written, nil as long as all could.
func (o *Output) Err() error { return o.err }

// Write implements io.Writer.
func (o *Output) Write(p []byte) (n int, err error) {
	if o.err != nil {
		return 0, o.err
	}
	text := append(o.rest, p...)
	end := len(text)
	for i := 1; i < utf8.UTFMax && i <= len(text); i++ {
		if b := text[len(text)-i]; utf8.RuneStart(b) {
			if !utf8.FullRune(text[len(text)-i:]) {
				end -= i
			}
			break
		}
	}
	o.rest = append([]byte(nil), text[end:]...)
	if _, o.err = o.w.Write(withoutControls(text[:end])); o.err != nil {
		if o.failed != nil {
			o.failed()
		}
		return 0, o.err
	}
	return len(p), nil
}

// withoutControls is a text without control characters and marks of direction.
func withoutControls(text []byte) []byte {
	safe := make([]byte, 0, len(text))
	begin := 0 // of what is not in safe yet
	for i := 0; i < len(text); {
		r, size := utf8.DecodeRune(text[i:])
		if r != '\n' && r != '\t' && isHidden(r) && (unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r)) {
			safe = append(safe, text[begin:i]...)
			begin = i + size
		}
		i += size
	}
	return append(safe, text[begin:]...)
}
