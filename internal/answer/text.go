package answer

import (
	"encoding/json"
	"fmt"
	"html"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"
)

// Redacted stands where a secret was.
const Redacted = "[redacted]"

// tokenLike matches what is as long as a secret of a server. Passwords are found by their value. It
// is compiled when it is needed, because importing does nothing.
var tokenLike = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`[A-Za-z0-9_~+/=.%-]{32,}`) })

// Scrub takes secrets out of what a server says: those that were sent to it, in every form in which
// a server may give them back, and anything that looks like a token.
func Scrub(text string, secrets ...string) string {
	return tokenLike().ReplaceAllString(ScrubKnown(text, secrets...), Redacted)
}

// ScrubKnown takes the secrets that were sent out of what a server says. It knows them as they are,
// as a part of an address or a form, as HTML, and in JSON as Go, PHP and JavaScript write it.
func ScrubKnown(text string, secrets ...string) string {
	var pairs []string
	for _, secret := range secrets {
		if secret == "" {
			continue
		}
		forms := []string{
			secret, url.QueryEscape(secret), url.PathEscape(secret), html.EscapeString(secret),
			unquoted(strconv.Quote(secret)), unquoted(strconv.QuoteToASCII(secret)), inJSON(secret), inPHP(secret), strings.ReplaceAll(inJSON(secret), "/", `\/`),
		}
		slices.Sort(forms)
		for _, form := range slices.Compact(forms) {
			pairs = append(pairs, form, Redacted)
		}
	}
	return strings.NewReplacer(pairs...).Replace(text)
}

func unquoted(text string) string { return text[1 : len(text)-1] }

// inJSON is a text in the JSON of Go, which escapes what HTML would take for its own.
func inJSON(text string) string {
	quoted, err := json.Marshal(text)
	if err != nil {
		return text
	}
	return unquoted(string(quoted))
}

// inPHP is a text in the JSON of PHP, which escapes slashes and all that is not ASCII, in UTF-16.
func inPHP(text string) string {
	var b strings.Builder
	for _, r := range text {
		switch {
		case r == '/' || r == '"' || r == '\\':
			b.WriteString(`\` + string(r))
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\r':
			b.WriteString(`\r`)
		case r == '\t':
			b.WriteString(`\t`)
		case r < ' ':
			fmt.Fprintf(&b, `\u%04x`, r)
		case r < utf8.RuneSelf:
			b.WriteRune(r)
		case r > 0xFFFF:
			r -= 0x10000
			fmt.Fprintf(&b, `\u%04x\u%04x`, 0xD800+r>>10, 0xDC00+r&0x3FF)
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
	}
	return b.String()
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
