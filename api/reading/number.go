package reading

import (
	"cmp"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// A Number is the number of a chapter or a volume. Numbers that mean the same are equal, so that a
// Number can be the key of a map. The zero value is no number.
type Number struct{ text string }

// ParseNumber reads a number as it is found in [api.ChapterAttributes]. Every text is accepted: what is
// not digits, perhaps with something behind them, is a word. Labels such as v, vol., ch., # and 第 … 話
// are dropped, digits of every script and fractions such as ½ become 0 to 9, zeros in front and a
// fraction of zeros go away, and capital letters become small. An empty text, and the "none" of
// [api.AggregateVolumes], is no number. What is longer than a hundred characters is cut off.
func ParseNumber(text string) Number {
	text = line(text, maxNumber)
	text = fractions.Replace(text)
	text = ascii(line(norm.NFKC.String(strings.ToLower(norm.NFKC.String(text))), maxNumber))
	if text == "none" {
		return Number{}
	}
	text = unlabelled(text)
	whole, fraction, rest := split(text)
	if word := strings.TrimLeft(rest, " "); word != "" && 'a' <= word[0] && word[0] <= 'z' {
		rest = word
	}
	if whole == "" {
		return Number{text}
	}
	n := strings.TrimLeft(whole, "0")
	if n == "" {
		n = "0"
	}
	rest = strings.TrimRight(rest, ".,:;- ")
	if strings.Trim(fraction, "0") != "" || fraction != "" && rest != "" && strings.IndexByte(".,", rest[0]) >= 0 {
		n += "." + fraction
	}
	return Number{n + rest}
}

// NumberOf is [ParseNumber] for the members of package api, which are nil without a number.
func NumberOf(text *string) Number {
	if text == nil {
		return Number{}
	}
	return ParseNumber(*text)
}

// IsZero reports whether it is no number.
func (n Number) IsZero() bool { return n.text == "" }

// IsWord reports whether it has no digits to count by, such as Extra.
func (n Number) IsWord() bool {
	whole, _, _ := split(n.text)
	return whole == "" && n.text != ""
}

// String returns the number in the form that all its spellings have in common, such as 10.5 or 30e;
// empty for no number.
func (n Number) String() string { return n.text }

// Compare returns -1, 0 or 1 as n comes before, with or after m: by value, then what follows a point
// (3 before 3.05 before 3.1 before 3.9 before 3.10), then letters (30.5 before 30e before 31). Words come
// after numbers, and no number comes after words. It is 0 for equal numbers only.
func (n Number) Compare(m Number) int {
	if n == m {
		return 0
	}
	wholeN, fractionN, restN := split(n.text)
	wholeM, fractionM, restM := split(m.text)
	return cmp.Or(
		cmp.Compare(n.rank(), m.rank()),
		compareDigits(wholeN, wholeM),
		cmp.Compare(afterPoint(fractionN, restN), afterPoint(fractionM, restM)),
		compareFractions(fractionN, fractionM),
		compareNatural(restN, restM),
		strings.Compare(n.text, m.text),
	)
}

// afterPoint puts 30e behind 30.5, and 30-31 before it, as they sort in the name of a file.
func afterPoint(fraction, rest string) int {
	switch {
	case fraction != "":
		return 2
	case rest == "":
		return 0
	case rest[0] < '.':
		return 1
	}
	return 3
}

// Base is the number without what follows its digits: 30 for 30e, 10.5 for 10.5. It is for ranges, in
// which 30e belongs to 30. A word has no base.
func (n Number) Base() Number {
	whole, fraction, _ := split(n.text)
	if fraction != "" {
		whole += "." + fraction
	}
	return Number{whole}
}

// rank orders numbers, words and nothing.
func (n Number) rank() int {
	switch {
	case n.IsZero():
		return 2
	case n.IsWord():
		return 1
	}
	return 0
}

// A Width says with how many digits numbers are written, so that they sort as text: before the point,
// behind it, and in what follows.
type Width struct{ Whole, Fraction, Rest int }

// Fit returns the width that numbers need, which is at least w.
func (w Width) Fit(numbers ...Number) Width {
	for _, n := range numbers {
		whole, fraction, rest := split(n.text)
		w.Whole = max(w.Whole, len(whole))
		w.Fraction = max(w.Fraction, len(fraction))
		for run := range strings.FieldsFuncSeq(rest, func(r rune) bool { return r < '0' || r > '9' }) {
			w.Rest = max(w.Rest, len(run))
		}
	}
	return w
}

// Pad writes the number with zeros, so that numbers that fit the width sort as text in the order of
// [Number.Compare]: 0007, 0010.5, 0030e. A fraction gets zeros only where others have more digits, as
// 3.9 becomes 0003.09 beside 3.10.
func (n Number) Pad(w Width) string {
	whole, fraction, rest := split(n.text)
	var b strings.Builder
	if whole != "" {
		pad(&b, w.Whole, whole)
	}
	switch {
	case strings.HasPrefix(fraction, "0"):
		b.WriteString("." + fraction)
	case fraction != "":
		b.WriteByte('.')
		pad(&b, w.Fraction, fraction)
	}
	for rest != "" {
		if run := asciiDigits(rest); run > 0 {
			pad(&b, w.Rest, rest[:run])
			rest = rest[run:]
		}
		run := len(rest) - len(strings.TrimLeftFunc(rest, func(r rune) bool { return r < '0' || r > '9' }))
		b.WriteString(rest[:run])
		rest = rest[run:]
	}
	return b.String()
}

// pad writes digits with zeros before them, within reason: nobody numbers chapters with more.
func pad(b *strings.Builder, width int, digits string) {
	for range min(width, 16) - len(digits) {
		b.WriteByte('0')
	}
	b.WriteString(digits)
}

// split takes a text apart that begins with a digit.
func split(text string) (whole, fraction, rest string) {
	end := asciiDigits(text)
	whole, rest = text[:end], text[end:]
	if end > 0 && len(rest) > 1 && (rest[0] == '.' || rest[0] == ',') {
		if end = asciiDigits(rest[1:]); end > 0 {
			fraction, rest = rest[1:1+end], rest[1+end:]
		}
	}
	return whole, fraction, rest
}

func asciiDigits(s string) int { return len(s) - len(strings.TrimLeft(s, "0123456789")) }

// compareFractions compares what follows the points.
func compareFractions(a, b string) int {
	part := func(s string) bool { return strings.HasPrefix(s, "0") }
	switch {
	case a == "" || b == "":
		return cmp.Compare(len(a), len(b))
	case part(a) != part(b):
		if part(a) {
			return -1
		}
		return 1
	case part(a):
		return strings.Compare(a, b)
	}
	return compareDigits(a, b)
}

// maxNumber is how many characters of a number count. MangaDex takes 8.
const maxNumber = 100

// fractions writes as people count what normalisation would write as 1⁄2.
var fractions = strings.NewReplacer("½", ".5", "¼", ".25", "¾", ".75", "⅓", ".33", "⅔", ".67", "⅕", ".2", "⅖", ".4", "⅗", ".6", "⅘", ".8",
	"⅙", ".17", "⅚", ".83", "⅛", ".125", "⅜", ".375", "⅝", ".625", "⅞", ".875")

// ascii writes the digits of all scripts as 0 to 9, and their points as one.
func ascii(text string) string {
	return strings.Map(func(r rune) rune {
		if r == '٫' || r == '。' {
			return '.'
		}
		if v, ok := digit(r); ok {
			return '0' + v
		}
		return r
	}, text)
}

// labels are what stands before a number, the longer ones first.
var labels = []string{
	"volume", "vol", "v", "chapter", "chap", "ch", "c", "episode", "ep", "number", "no", "#", "第", "제",
	"tome", "tomo", "capítulo", "capitulo", "cap", "chapitre", "глава", "том", //nolint:misspell // Spanish without its accent
	"band", "kapitel", "bölüm", "bab", "chương", "tập", "ตอนที่", "الفصل",
}

// counters are what stands behind a number where it is written in the languages of Asia.
const counters = "話话巻卷章回화권장"

// unlabelled drops what only says that a number is one.
func unlabelled(text string) string {
	for _, label := range labels {
		rest, ok := strings.CutPrefix(text, label)
		if !ok {
			continue
		}
		rest = strings.TrimLeft(rest, ".: ")
		if asciiDigits(rest) > 0 {
			text = rest
			break
		}
	}
	if strings.HasPrefix(text, ".") && asciiDigits(text[1:]) > 0 {
		text = "0" + text // ½
	}
	if asciiDigits(text) > 0 {
		text = strings.TrimRightFunc(text, func(r rune) bool {
			return strings.ContainsRune(counters, r) || unicode.IsSpace(r)
		})
	}
	if strings.Trim(text, "-–—―") == "" || text == "n/a" {
		return "" // what people write for nothing
	}
	return text
}
