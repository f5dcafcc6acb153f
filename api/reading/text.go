package reading

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Line makes a text of a user fit for one line of a terminal or a log: it removes everything that moves
// the cursor, starts an escape sequence, changes the direction of writing or cannot be seen. What
// separates lines or words becomes one space, and a letter keeps at most ten marks. Bytes that are not
// UTF-8 become U+FFFD.
func Line(text string) string { return line(text, len(text)) }

// Short is [Line], cut to a number of characters; an ellipsis stands for what was cut off. Characters
// are counted as Unicode code points.
func Short(text string, characters int) string {
	if characters < 1 {
		return ""
	}
	whole := line(text, characters+1)
	if utf8.RuneCountInString(whole) <= characters {
		return whole
	}
	end := 0
	for range characters - 1 {
		_, size := utf8.DecodeRuneInString(whole[end:])
		end += size
	}
	return strings.TrimSpace(clip(whole, end)) + "…"
}

const (
	// joiners are parts of words and of emoji, and nothing without them.
	joiners = "\u200c\u200d"

	// blanks are letters and signs without a shape.
	blanks = "\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0"

	// maxMarks is how many marks a letter keeps. No language needs more, and heaps of them cover other
	// lines.
	maxMarks = 10
)

// line is [Line] for no more characters than are wanted. It does not look at those behind them.
func line(text string, wanted int) string {
	var b strings.Builder
	b.Grow(min(len(text), 4*min(wanted, len(text))))
	space, marks, begun := false, 0, false
	for _, r := range text { // what is not UTF-8 is U+FFFD here
		isMark := false
		switch {
		case '!' <= r && r <= '~' || isLetter(r) || r >= utf8.RuneSelf && unicode.IsDigit(r):
		case r == ' ' || unicode.IsSpace(r) || r == '\u2028' || r == '\u2029':
			space = true
			continue
		case unicode.Is(unicode.M, r):
			if marks++; marks > maxMarks || strings.ContainsRune(blanks, r) {
				continue
			}
			isMark = true
		case isHidden(r) || !begun && strings.ContainsRune(joiners, r):
			continue
		}
		if !isMark {
			marks = 0
		}
		if space && begun {
			b.WriteByte(' ')
			wanted--
		}
		if wanted--; wanted < 0 {
			break
		}
		space, begun = false, true
		b.WriteRune(r)
	}
	return strings.TrimRight(b.String(), " "+joiners)
}

// isLetter reports whether a rune is in one of the rows of letters that are looked at most.
func isLetter(r rune) bool {
	return 0xc0 <= r && r < 0x300 || 0x3041 <= r && r <= 0x3096 || 0x30a0 <= r && r <= 0x30ff || 0x3400 <= r && r <= 0x9fff || 0xac00 <= r && r <= 0xd7a3
}

// isHidden reports whether a rune is a control character, a mark for the direction of writing, or
// cannot be seen for another reason.
func isHidden(r rune) bool {
	switch {
	case unicode.IsControl(r):
		return true
	case strings.ContainsRune(joiners, r):
		return false
	case unicode.Is(unicode.Cf, r):
		return !unicode.Is(unicode.Prepended_Concatenation_Mark, r)
	case unicode.Is(unicode.Noncharacter_Code_Point, r):
		return true
	}
	return strings.ContainsRune(blanks, r)
}

// Text is [Line] for a text of several lines: line feeds stay, at most two in a row.
func Text(text string) string {
	var b strings.Builder
	b.Grow(len(text))
	empty := false
	for text != "" {
		end := strings.IndexFunc(text, isNewline)
		if end < 0 {
			end = len(text)
		}
		clean := Line(text[:end])
		text = text[end:]
		if text != "" {
			_, size := utf8.DecodeRuneInString(text)
			if strings.HasPrefix(text, "\r\n") {
				size = 2
			}
			text = text[size:]
		}
		if clean == "" {
			empty = b.Len() > 0
			continue
		}
		if b.Len() > 0 {
			b.WriteByte('\n')
		}
		if empty {
			b.WriteByte('\n')
		}
		b.WriteString(clean)
		empty = false
	}
	return b.String()
}

func isNewline(r rune) bool {
	return r == '\n' || r == '\r' || r == '\u0085' || r == '\u2028' || r == '\u2029'
}

// Plain is a description without its Markdown. It keeps the words of links, and removes marks of
// emphasis and everything below a line of dashes, where MangaDex has links to other sites. The result
// has been through [Text].
func Plain(markdown string) string {
	text, _, _ := strings.Cut("\n"+Text(markdown), "\n---")
	text = withoutLinks(text)
	for _, mark := range []string{"**", "__", "~~", "`"} {
		text = strings.ReplaceAll(text, mark, "")
	}
	return Text(text)
}

// withoutLinks writes [words](address) as words. Neither holds a bracket, so each byte is looked at once.
func withoutLinks(text string) string {
	var b strings.Builder
	b.Grow(len(text))
	for {
		open := strings.IndexByte(text, '[')
		if open < 0 {
			break
		}
		b.WriteString(text[:open])
		text = text[open+1:]
		end := strings.IndexAny(text, "[]")
		if end >= 0 && strings.HasPrefix(text[end:], "](") {
			words, address := text[:end], text[end+2:]
			if closed := strings.IndexAny(address, ")\n["); closed >= 0 && address[closed] == ')' {
				b.WriteString(words)
				text = address[closed+1:]
				continue
			}
		}
		b.WriteByte('[')
	}
	b.WriteString(text)
	return b.String()
}

// isBlank reports whether nothing of a text can be seen.
func isBlank(text string) bool { return line(text, 1) == "" }
