package reading_test

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/mangadex-go/mangadex/api"
	"github.com/mangadex-go/mangadex/api/reading"
)

func TestParseNumber(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"":               "",
		" ":              "",
		"none":           "",
		"-":              "",
		"0":              "0",
		"000":            "0",
		"12":             "12",
		"012":            "12",
		" 12 ":           "12",
		"10.5":           "10.5",
		"10,5":           "10.5",
		"10.0":           "10",
		"10.":            "10",
		"3.10":           "3.10",
		"3.05":           "3.05",
		"30e":            "30e",
		"30E":            "30e",
		"1x2":            "1x2",
		"1.5.2":          "1.5.2",
		"10-12":          "10-12",
		"v1.5":           "1.5",
		"V.02":           "2",
		"Vol. 3":         "3",
		"volume 4":       "4",
		"Ch.7":           "7",
		"Chapter  8":     "8",
		"#9":             "9",
		"№ 9":            "9",
		"ep10":           "10",
		"１２":             "12",
		"１２．５":           "12.5",
		"٣":              "3",
		"१०.५":           "10.5",
		"𝟙𝟚":             "12",
		"⑫":              "12",
		"1½":             "1.5",
		"2⅓":             "2.33",
		"٣٫٥":            "3.5",
		"3。5":            "3.5",
		"제3화":            "3",
		"Kapitel 4":      "4",
		"12 extra":       "12extra",
		"—":              "",
		"N/A":            "",
		"½":              "0.5",
		"第3話":            "3",
		"第１２巻":           "12",
		"3화":             "3",
		"Extra":          "extra",
		"Extra 2":        "extra 2",
		"ex2":            "ex2",
		"cover":          "cover",
		"A":              "a",
		"5\u202e6":       "56",
		"\x1b[31m5":      "[31m5",
		"5\n":            "5",
		"99999999999999": "99999999999999",
	} {
		same(t, text, reading.ParseNumber(text).String(), want)
	}
	same(t, "nil", reading.NumberOf(nil), reading.Number{})
	same(t, "a member", reading.NumberOf(api.Ptr("07")), reading.ParseNumber("7"))
	same(t, "a word", reading.ParseNumber("Extra").IsWord(), true)
	same(t, "a number that is no word", reading.ParseNumber("30e").IsWord(), false)
	same(t, "no number that is no word", reading.ParseNumber("").IsWord(), false)
	for text, want := range map[string]string{"30e": "30", "10.5": "10.5", "10.5b": "10.5", "Extra": "", "": "", "1x2": "1"} {
		same(t, "base of "+text, reading.ParseNumber(text).Base(), reading.ParseNumber(want))
	}
}

// inOrder are numbers as people count them.
var inOrder = []string{
	"0", "0.5", "1", "1.05", "1.1", "1.2", "1.10", "1.11", "1.11b", "1a", "1b", "1x1", "1x2", "1x10", "2", "3.9", "3.10", "9", "10", "10-11", "10.5", "10.5b", "10v2", "30", "30.5", "30e", "31",
	"100", "1000", "99999999999999999999999", "a", "extra", "extra 2", "extra 10", "",
}

func TestCompareNumbers(t *testing.T) {
	t.Parallel()
	for i, a := range inOrder {
		for j, b := range inOrder {
			want := 0
			if i < j {
				want = -1
			} else if i > j {
				want = 1
			}
			same(t, a+" and "+b, reading.ParseNumber(a).Compare(reading.ParseNumber(b)), want)
		}
	}
}

// TestPad sorts numbers by their text, with letters behind digits and spaces first, as systems do.
func TestPad(t *testing.T) {
	t.Parallel()
	var width reading.Width
	var padded []string
	for _, text := range inOrder {
		if text != "1.05" { // a part among counted ones, which no padding can tell apart
			width = width.Fit(reading.ParseNumber(text))
		}
	}
	for _, text := range inOrder {
		if n := reading.ParseNumber(text); text != "1.05" && !n.IsZero() && len(text) < 20 {
			padded = append(padded, n.Pad(reading.Width{Whole: 5, Fraction: width.Fraction, Rest: width.Rest})+" ")
		}
	}
	if !slices.IsSorted(padded) {
		t.Errorf("not sorted: %q", padded)
	}
	for text, want := range map[string]string{"7": "0007", "10.5": "0010.5", "30e": "0030e", "12345": "12345", "extra": "extra", "": "", "3.05": "0003.05"} {
		same(t, text, reading.ParseNumber(text).Pad(reading.Width{Whole: 4}), want)
	}
	same(t, "beside 3.10", reading.ParseNumber("3.9").Pad(reading.Width{Whole: 2, Fraction: 2}), "03.09")
}

func TestCompareNames(t *testing.T) {
	t.Parallel()
	names := []string{"01.png", "1.png", "2.png", "10.png", "a.png", "a1.png", "a2.png", "a10.png", "a10b.png", "page 1.png", "page 1-2.png", "ページ1.png", "ページ２.png", "ページ１０.png"}
	want := slices.Clone(names)
	for range 20 {
		rand.Shuffle(len(names), func(i, j int) { names[i], names[j] = names[j], names[i] })
		slices.SortFunc(names, reading.CompareNames)
		if !slices.Equal(names, want) {
			t.Fatalf("got %q, want %q", names, want)
		}
	}
}
