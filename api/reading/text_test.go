package reading_test

import (
	"strings"
	"testing"

	"github.com/mangadex-go/mangadex/api/reading"
)

func TestLine(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"":                                   "",
		"The Kettle":                         "The Kettle",
		"  two\n lines\r\n\tand a tab":       "two lines and a tab",
		"\x1b[31mred\x1b[0m":                 "[31mred[0m",
		"\x1b]0;title\x07":                   "]0;title",
		"\u009b31mred":                       "31mred",
		"back\b\b\bspace\x7f":                "backspace",
		"abc\u202egnp.exe":                   "abcgnp.exe",
		"\u2066left\u2069\u200f":             "left",
		"zero\u200bwidth\ufeff":              "zerowidth",
		"a\u2028b\u2029c\u0085d":             "a b c d",
		"broken \xff\xfe":                    "broken \ufffd\ufffd",
		"می\u200cخواهم":                      "می\u200cخواهم", // the joiner is part of the word
		"👩\u200d🚀":                           "👩\u200d🚀",
		"\u200d\u200c":                       "",
		"\u3164\u2800\u115f":                 "",
		"\U000e0041tag":                      "tag",
		"n\u00ad\u034fice":                   "nice",
		"日本語":                                "日本語",
		"e" + strings.Repeat("\u0301", 5000): "e" + strings.Repeat("\u0301", 10),
		"nul\x00l":                           "null",
	} {
		same(t, text[:min(len(text), 40)], reading.Line(text), want)
	}
}

func TestText(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"":                                   "",
		"\n\n one  two \r\n\r\n\r\n three\n": "one two\n\nthree",
		"a\rb\u2028c":                        "a\nb\nc",
		"\x1b[2Jgone\u202e\nnext":            "[2Jgone\nnext",
	} {
		same(t, text, reading.Text(text), want)
	}
}

func TestShort(t *testing.T) {
	t.Parallel()
	same(t, "fits", reading.Short("seven t", 7), "seven t")
	same(t, "cut", reading.Short("seven two", 7), "seven…")
	same(t, "letters of several bytes", reading.Short("日本語の本", 3), "日本…")
	same(t, "nothing", reading.Short("\x1b", 3), "")
	same(t, "marks", reading.Short("abce\u0301\u0302d", 4), "abc…")
}

func TestPlain(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"":                       "",
		"**Bold** and __under__": "Bold and under",
		"See [this](https://a.example/x) and that": "See this and that",
		"[a] [b](c) ](d) [e](f":                    "[a] b ](d) [e](f",
		"About.\n\n---\n**Links:**\n- [x](y)":      "About.",
		"---\nlinks":                               "",
		"[[x](y)":                                  "[x",
		"one\r\n---\r\ntwo":                        "one",
	} {
		same(t, text, reading.Plain(text), want)
	}
}

func TestWebAddress(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"https://publisher.example/read?a=1&b=2#c":   "https://publisher.example/read?a=1&b=2#c",
		" HTTP://publisher.example ":                 "http://publisher.example",
		"https://publisher.example/第1話?q=話":          "https://publisher.example/%E7%AC%AC1%E8%A9%B1?q=%E8%A9%B1",
		"https://publisher.example/a b\"<x>":         "https://publisher.example/a%20b%22%3Cx%3E",
		"https://publisher.example:8443/":            "https://publisher.example:8443/",
		"https://[::1]/":                             "https://[::1]/",
		"https://publisher.example\"/":               "",
		"javascript:alert(1)":                        "",
		"JaVaScRiPt://publisher.example/%0aalert(1)": "",
		"data:text/html,x":                           "",
		"file:///etc/passwd":                         "",
		"//publisher.example":                        "",
		"publisher.example":                          "",
		"https://":                                   "",
		"https://user:secret@publisher.example/":     "",
		"https://publіsher.example/":                 "", // with a letter of another script
		"https://publisher.example/\x1b[31m":         "",
		"":                                           "",
	} {
		same(t, text, reading.WebAddress(text), want)
	}
}

func TestIsLanguage(t *testing.T) {
	t.Parallel()
	for code, want := range map[string]bool{
		"en": true, "pt-br": true, "zh-hk": true, "ja-ro": true,
		"": false, "e": false, "EN": false, "eng": false, "pt_br": false, "pt-": false, "pt-bra": false, "en de": false, "é": false, "ab-c\n": false,
	} {
		if got := reading.IsLanguage(code); got != want {
			t.Errorf("%q: %t", code, got)
		}
	}
}
