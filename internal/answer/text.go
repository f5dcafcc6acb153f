package answer

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"html"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// Redacted stands where a secret was.
const Redacted = "[redacted]"

// Scrub takes secrets out of what a server says: those that were sent to it, in every form in which
// a server may give them back, and anything that looks like a token.
func Scrub(text string, secrets ...string) string { return scrubTokens(ScrubKnown(text, secrets...)) }

// scrubTokens takes out what is as long as a secret of a server. Passwords are found by their value.
// A pattern would say it in a line, and make every program 300 kB larger, which has no other.
func scrubTokens(text string) string {
	const shortest = 32
	var b strings.Builder
	from, start := 0, 0
	for i := 0; i <= len(text); i++ {
		if i < len(text) && isOfToken(text[i]) {
			continue
		}
		if i-start >= shortest {
			b.WriteString(text[from:start] + Redacted)
			from = i
		}
		start = i + 1
	}
	return b.String() + text[from:]
}

func isOfToken(c byte) bool {
	return 'A' <= c && c <= 'Z' || 'a' <= c && c <= 'z' || '0' <= c && c <= '9' || strings.IndexByte("_~+/=.%-", c) >= 0
}

// ScrubKnown takes the secrets that were sent out of what a server says, however it writes them: as
// they are, in an address or a form, in HTML, in the JSON of Go, PHP or JavaScript, in base64 or in hex.
func ScrubKnown(text string, secrets ...string) string {
	for _, secret := range secrets {
		if secret == "" {
			continue
		}
		for _, coded := range coded(secret) {
			text = strings.ReplaceAll(text, coded, Redacted)
		}
		text = scrubOne(text, secret)
	}
	return text
}

// coded returns the forms of a secret that have nothing of its letters.
func coded(secret string) []string {
	raw := []byte(secret)
	return []string{
		base64.StdEncoding.EncodeToString(raw), base64.URLEncoding.EncodeToString(raw),
		base64.RawStdEncoding.EncodeToString(raw), base64.RawURLEncoding.EncodeToString(raw),
		hex.EncodeToString(raw), strings.ToUpper(hex.EncodeToString(raw)),
	}
}

// scrubOne takes out a secret whose letters may each be escaped in a way of its own.
func scrubOne(text, secret string) string {
	var b strings.Builder
	from := 0
	for i := 0; i < len(text); i++ {
		if n := matches(text[i:], secret); n > 0 {
			b.WriteString(text[from:i] + Redacted)
			i += n - 1
			from = i + 1
		}
	}
	if from == 0 {
		return text
	}
	return b.String() + text[from:]
}

// matches returns how long the secret is at the beginning of a text, zero if it is not there.
func matches(text, secret string) int {
	if secret == "" {
		return 0
	}
	r, size := utf8.DecodeRuneInString(secret)
	for _, n := range lengths(text, secret[:size], r) {
		if size == len(secret) {
			return n
		}
		if rest := matches(text[n:], secret[size:]); rest > 0 {
			return n + rest
		}
	}
	return 0
}

// lengths returns how long a letter may be at the beginning of a text, in the ways to write it.
func lengths(text, letter string, r rune) (found []int) {
	if strings.HasPrefix(text, letter) {
		found = append(found, len(letter))
	}
	if text == "" {
		return found
	}
	switch text[0] {
	case '+':
		if r == ' ' {
			found = append(found, 1)
		}
	case '%':
		if n := percent(text, letter); n > 0 {
			found = append(found, n)
		}
	case '&':
		if n := entity(text, letter); n > 0 {
			found = append(found, n)
		}
	case '\\':
		if n := backslash(text, letter, r); n > 0 {
			found = append(found, n)
		}
	}
	return found
}

// percent is a letter as %2F or, escaped twice, as %252F.
func percent(text, letter string) int {
	n := 0
	for i := range len(letter) {
		if n >= len(text) || text[n] != '%' {
			return 0
		}
		n++
		for strings.HasPrefix(text[n:], "25") && letter[i] != '%' {
			n += 2
		}
		if n+2 > len(text) || !strings.EqualFold(text[n:n+2], fmt.Sprintf("%02x", letter[i])) {
			return 0
		}
		n += 2
	}
	return n
}

// entity is a letter as in HTML, perhaps escaped twice.
func entity(text, letter string) int {
	const longest = 16
	whole := text[:min(len(text), longest)]
	end := 0
	for range 2 {
		i := strings.IndexByte(whole[end:], ';')
		if i < 0 {
			return 0
		}
		end += i + 1
		if once := html.UnescapeString(whole[:end]); once == letter || html.UnescapeString(once) == letter {
			return end
		}
	}
	return 0
}

// backslash is a letter as \/, \u002f or \x2f, with any number of backslashes.
func backslash(text, letter string, r rune) int {
	n := len(text) - len(strings.TrimLeft(text, `\`))
	rest := text[n:]
	switch {
	case r == '\\' && n >= 2:
		return 2
	case strings.HasPrefix(rest, letter):
		return n + len(letter)
	case r == '\n' && strings.HasPrefix(rest, "n"), r == '\r' && strings.HasPrefix(rest, "r"), r == '\t' && strings.HasPrefix(rest, "t"):
		return n + 1
	case r < 0x100 && len(rest) >= 3 && strings.EqualFold(rest[:3], fmt.Sprintf("x%02x", r)):
		return n + 3
	}
	for _, unit := range utf16.Encode([]rune{r}) {
		rest = strings.TrimLeft(rest, `\`)
		if len(rest) < 5 || !strings.EqualFold(rest[:5], fmt.Sprintf("u%04x", unit)) {
			return 0
		}
		rest = rest[5:]
	}
	return len(text) - len(rest)
}

// OneLine makes a single space of every run of white space, control characters and characters that
// change the direction of a text, so that what a server or a user wrote cannot draw on a terminal.
func OneLine(text string) string {
	return strings.Join(strings.FieldsFunc(strings.ToValidUTF8(text, "\uFFFD"), func(r rune) bool {
		return unicode.IsSpace(r) || unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r)
	}), " ")
}

// Shorten cuts a text off after so many bytes at most.
func Shorten(text string, longest int) string {
	if len(text) <= longest {
		return text
	}
	for longest > 0 && !utf8.RuneStart(text[longest]) {
		longest--
	}
	return text[:longest] + "…"
}

// Excerpt is the first bytes of a body on one line, in quotes.
func Excerpt(body []byte) string {
	const longest = 120
	return strconv.Quote(Shorten(OneLine(string(body[:min(len(body), 4*longest)])), longest))
}
