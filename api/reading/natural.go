package reading

import (
	"cmp"
	"path"
	"strings"
	"unicode"
	"unicode/utf8"
)

// CompareNames orders file names as people do: runs of digits by their value, in any script, and a name
// before longer ones that begin with it. It returns -1, 0 or 1; 0 for equal names only.
func CompareNames(a, b string) int {
	if c := compareNatural(strings.TrimSuffix(a, path.Ext(a)), strings.TrimSuffix(b, path.Ext(b))); c != 0 {
		return c
	}
	if c := compareNatural(a, b); c != 0 {
		return c
	}
	return strings.Compare(a, b) // 1.png and 01.png
}

// compareNatural compares runs of digits by their value and everything else rune by rune.
func compareNatural(a, b string) int {
	for a != "" && b != "" {
		if c := a[0]; c == b[0] && c < utf8.RuneSelf && (c < '0' || c > '9') {
			a, b = a[1:], b[1:]
			continue
		}
		if r, size := utf8.DecodeRuneInString(a); isLetter(r) && strings.HasPrefix(b, a[:size]) {
			a, b = a[size:], b[size:]
			continue
		}
		na, nb := digits(a), digits(b)
		if na == 0 || nb == 0 {
			ra, sizeA := utf8.DecodeRuneInString(a)
			rb, sizeB := utf8.DecodeRuneInString(b)
			if c := cmp.Or(cmp.Compare(folded(ra), folded(rb)), cmp.Compare(sizeA, sizeB)); c != 0 {
				return c
			}
			a, b = a[sizeA:], b[sizeB:]
			continue
		}
		if c := compareDigits(a[:na], b[:nb]); c != 0 {
			return c
		}
		a, b = a[na:], b[nb:]
	}
	return cmp.Compare(len(a), len(b))
}

// folded is a rune as names are compared: a digit beside something else counts as its ASCII twin.
func folded(r rune) rune {
	if v, ok := digit(r); ok {
		return '0' + v
	}
	return r
}

// digits counts the bytes of the digits that s begins with.
func digits(s string) int {
	for i, r := range s {
		if _, ok := digit(r); !ok {
			return i
		}
	}
	return len(s)
}

// digit is the value of a decimal digit of any script. Unicode has them in rows from 0 to 9.
func digit(r rune) (rune, bool) {
	if r < utf8.RuneSelf {
		return r - '0', '0' <= r && r <= '9'
	}
	if !unicode.IsDigit(r) {
		return 0, false
	}
	for _, row := range unicode.Nd.R16 {
		if lo, hi := rune(row.Lo), rune(row.Hi); lo <= r && r <= hi {
			return (r - lo) % 10, true
		}
	}
	for _, row := range unicode.Nd.R32 {
		if lo, hi := rune(row.Lo), rune(row.Hi); lo <= r && r <= hi {
			return (r - lo) % 10, true
		}
	}
	return 0, false
}

// compareDigits compares two runs of digits by their value.
func compareDigits(a, b string) int {
	a, b = trimZeros(a), trimZeros(b)
	if c := cmp.Compare(utf8.RuneCountInString(a), utf8.RuneCountInString(b)); c != 0 {
		return c
	}
	for a != "" && b != "" {
		ra, sizeA := utf8.DecodeRuneInString(a)
		rb, sizeB := utf8.DecodeRuneInString(b)
		va, _ := digit(ra)
		vb, _ := digit(rb)
		if va != vb {
			return cmp.Compare(va, vb)
		}
		a, b = a[sizeA:], b[sizeB:]
	}
	return 0
}

// trimZeros takes zeros of any script from the front of a run of digits.
func trimZeros(s string) string {
	return strings.TrimLeftFunc(s, func(r rune) bool {
		v, ok := digit(r)
		return ok && v == 0
	})
}
