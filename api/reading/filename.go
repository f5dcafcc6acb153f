package reading

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/google/uuid"
	"golang.org/x/text/unicode/norm"

	"github.com/mangadex-go/mangadex/api"
)

// MaxFileName is how many bytes [FileName] and the functions that build on it return at most. With a
// short ending the name fits everywhere: encrypted folders take 143 bytes, other systems 255 bytes or
// UTF-16 units.
const MaxFileName = 128

// FileName makes a text fit for the name of a file or a folder on every system. Characters that a
// system forbids, or that separate folders, become _; control characters and marks for the direction of
// writing go away; the name is normalised (NFC), does not begin or end with a dot or a space, is not a
// device of Windows such as CON, and has at most [MaxFileName] bytes. If nothing of the text is left,
// the name is _.
func FileName(text string) string { return fileName(text, MaxFileName) }

func fileName(text string, limit int) string {
	name := strings.Map(func(r rune) rune {
		if strings.ContainsRune(`<>:"/\|?*`, r) || r == utf8.RuneError {
			return '_'
		}
		return r
	}, norm.NFC.String(line(text, 16*limit))) // marks melt into letters
	name = strings.Trim(clip(name, limit), " ."+joiners)
	base, _, _ := strings.Cut(name, ".")
	if isDevice(strings.TrimRight(base, " ")) {
		name = strings.TrimRight(clip("_"+name, limit), " ."+joiners)
	}
	if name == "" {
		return "_"
	}
	return name
}

// isDevice reports whether Windows takes a name for a device, with any ending.
func isDevice(name string) bool {
	switch name = strings.ToUpper(name); name {
	case "CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$", "CLOCK$":
		return true
	}
	for _, port := range []string{"COM", "LPT"} {
		if n, ok := strings.CutPrefix(name, port); ok && utf8.RuneCountInString(n) == 1 && strings.Contains("0123456789¹²³", n) { //nolint:gocritic // n is the rest
			return true
		}
	}
	return false
}

// clip is the longest beginning of a text that has at most limit bytes and no half character: marks
// stay with the letter before them.
func clip(text string, limit int) string {
	if len(text) <= limit {
		return text
	}
	end := limit
	for end > 0 && !utf8.RuneStart(text[end]) {
		end--
	}
	whole := end
	for end > 0 {
		r, _ := utf8.DecodeRuneInString(text[end:])
		if !unicode.Is(unicode.M, r) && r != '\u200d' {
			return text[:end]
		}
		_, size := utf8.DecodeLastRuneInString(text[:end])
		end -= size
	}
	return text[:whole] // nothing but marks
}

// short is the beginning of an id that names carry. It keeps names apart that are the same otherwise.
func short(id fmt.Stringer) string { return fmt.Sprintf("%.8s", id) }

// TitleFileName is the name of a folder for a title: the title in the first of the languages that it
// has, see [Title], and the beginning of its id.
func TitleFileName(manga *api.Manga, languages ...string) string {
	return fileName(Title(&manga.Attributes, languages...), MaxFileName-len(" [12345678]")) + " [" + short(manga.ID) + "]"
}

// FileName is the name for a chapter of the list, without an ending, empty for one that is not in it.
// Names sort by number as text, and by volume first where numbers begin anew; they have the title of the
// chapter, the language, a group and the beginning of the id, so no two are the same:
//
//	c0012.5 v03 A Title [en] [Kettle Scans] [1a2b3c4d]
//	v03 c0012.5 A Title [en] [Kettle Scans] [1a2b3c4d]    where numbers begin anew
//	oneshot A Title [en] [1a2b3c4d]                       without a number
//
// A name changes when the volume, the number or a title does, or when a later chapter has a number with
// more digits.
func (l *List) FileName(id uuid.UUID) string {
	e, version, ok := l.find(id)
	if !ok {
		return ""
	}
	number, volume := "oneshot", ""
	if !e.Number.IsZero() {
		number = "c" + fileName(e.Number.Pad(l.numbers), 20)
	}
	switch {
	case !e.Volume.IsZero():
		volume = "v" + fileName(e.Volume.Pad(l.volumes), 12)
	case l.Resets:
		volume = "vnone" // which sorts behind numbers
	}
	parts := []string{number, volume}
	if l.Resets {
		parts = []string{volume, number}
	}
	chapter := &version.Chapter
	if title := titleOf(chapter); title != "" {
		parts = append(parts, fileName(title, 48))
	}
	if language := chapter.Attributes.TranslatedLanguage; language != "" {
		parts = append(parts, "["+fileName(language, 12)+"]")
	}
	for _, group := range chapter.Relationships.Groups() {
		if group.Attributes != nil && Line(group.Attributes.Name) != "" {
			parts = append(parts, "["+fileName(group.Attributes.Name, 24)+"]")
			break
		}
	}
	parts = append(parts, "["+short(chapter.ID)+"]")
	return strings.Join(strings.Fields(strings.Join(parts, " ")), " ")
}
