package reading_test

import (
	"encoding/binary"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/mangadex-go/mangadex/api"
	"github.com/mangadex-go/mangadex/api/reading"
)

// hostile are texts that users write, or could.
var hostile = []string{
	"", "10.5", "30e", "v1.5", "第１２話", "½", "none", "Extra 2", "1.0.0", "-", "\x1b[31mred\x07", "a\u202eb", "=1+1", "CON", "..", "日本語", "e\u0301\u0323",
	"\xff\xfe", "[a](javascript:x)", "**b**", "\r\n---\r\nc", "https://mangadex.org/title/0123abcd-0000-4000-8000-0123456789ab/x", "javascript:alert(1)",
	"https://mangadex.org/covers/0123abcd-0000-4000-8000-0123456789ab/a%2Fb.jpg", "https://mangadex.org/chapter/12/3", "👩\u200d🚀", strings.Repeat("\u0301", 40), "١٢٣", "①",
}

func FuzzNumber(f *testing.F) {
	for i, text := range hostile {
		f.Add(text, hostile[len(hostile)-1-i], "2.5")
	}
	f.Fuzz(func(t *testing.T, a, b, c string) {
		na, nb, nc := reading.ParseNumber(a), reading.ParseNumber(b), reading.ParseNumber(c)
		if again := reading.ParseNumber(na.String()); again != na {
			t.Errorf("%q becomes %q, and then %q", a, na, again)
		}
		if got := na.Compare(nb); got != -nb.Compare(na) || (got == 0) != (na == nb) {
			t.Errorf("%q and %q compare as %d", na, nb, got)
		}
		if na.Compare(nb) <= 0 && nb.Compare(nc) <= 0 && na.Compare(nc) > 0 {
			t.Errorf("%q, %q and %q go round", na, nb, nc)
		}
		if base := na.Base(); base.Base() != base || base.IsZero() != (na.IsZero() || na.IsWord()) {
			t.Errorf("the base of %q is %q", na, base)
		}
		if reading.Line(na.String()) != na.String() {
			t.Errorf("%q is not safe", na)
		}
		if padded := na.Pad(reading.Width{Whole: 4}.Fit(na, nb)); reading.ParseNumber(padded).Compare(na) != 0 && !strings.Contains(padded, ".0") && !na.IsWord() && na.Base() == na {
			t.Errorf("%q is padded to %q", na, padded)
		}
	})
}

func FuzzNames(f *testing.F) {
	for i, text := range hostile {
		f.Add(text, hostile[len(hostile)-1-i], "a2.png")
	}
	f.Fuzz(func(t *testing.T, a, b, c string) {
		if got := reading.CompareNames(a, b); got != -reading.CompareNames(b, a) || (got == 0) != (a == b) {
			t.Errorf("%q and %q compare as %d", a, b, got)
		}
		if reading.CompareNames(a, b) <= 0 && reading.CompareNames(b, c) <= 0 && reading.CompareNames(a, c) > 0 {
			t.Errorf("%q, %q and %q go round", a, b, c)
		}
	})
}

func FuzzText(f *testing.F) {
	for i, text := range hostile {
		f.Add(text, i)
	}
	f.Fuzz(func(t *testing.T, text string, n int) {
		for name, made := range map[string]string{
			"Line": reading.Line(text), "Text": reading.Text(text), "Plain": reading.Plain(text), "Short": reading.Short(text, n), "FileName": reading.FileName(text), "WebAddress": reading.WebAddress(text),
		} {
			if !utf8.ValidString(made) {
				t.Errorf("%s(%q) is not UTF-8", name, text)
			}
			for _, r := range made {
				if unicode.Is(unicode.Bidi_Control, r) || unicode.IsControl(r) && (r != '\n' || name != "Text" && name != "Plain") {
					t.Errorf("%s(%q) has %U", name, text, r)
				}
			}
		}
		for name, twice := range map[string]func(string) string{"Line": reading.Line, "Text": reading.Text, "FileName": reading.FileName, "WebAddress": reading.WebAddress} {
			if once := twice(text); twice(once) != once {
				t.Errorf("%s(%q) is %q, and then %q", name, text, once, twice(once))
			}
		}
		fits(t, reading.FileName(text))
		if n > 0 && utf8.RuneCountInString(reading.Short(text, n)) > n {
			t.Errorf("Short(%q, %d) is %q", text, n, reading.Short(text, n))
		}
		if address := reading.WebAddress(text); address != "" && !strings.HasPrefix(address, "http://") && !strings.HasPrefix(address, "https://") {
			t.Errorf("WebAddress(%q) is %q", text, address)
		}
	})
}

func FuzzLink(f *testing.F) {
	for _, text := range hostile {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		link, ok := reading.ParseLink(text)
		if !ok {
			return
		}
		if (link.ID == uuid.Nil) == (link.Old == 0) && link.Kind != "" && link.Old != 0 {
			t.Errorf("%q is %+v", text, link)
		}
		address := link.URL()
		if link.Kind == "" || address == "" {
			return
		}
		back, ok := reading.ParseLink(address)
		if link.Kind == api.ResourceTypeCoverArt {
			link.Kind, link.File, back.Kind, back.File = "", "", "", "" // some covers have no address of their own
		}
		if !ok || back != link {
			t.Errorf("%q is %+v, and back %+v of %s", text, link, back, address)
		}
	})
}

// FuzzList makes chapters of bytes and checks what must hold of every list.
func FuzzList(f *testing.F) {
	f.Add([]byte("0123456789abcdefghijklmnopqrstuvwxyz"), "Extra", "Story", true)
	f.Add([]byte("\x00\x01\x02\x00\x01\x02\x00\x00\x00\x00\x00\x00"), "30e", "", false)
	f.Fuzz(func(t *testing.T, data []byte, number, title string, flag bool) {
		volumes, numbers, titles, by := []string{"-", "1", "2"}, []string{"-", "1", "2", "10.5", number}, []string{"-", "A", title}, []string{"", "x", "y", "x,y", "@u"}
		var all []api.Chapter
		for i := 0; i+4 <= len(data) && i < 400; i += 4 {
			n := binary.LittleEndian.Uint32(data[i:])
			pick := func(of []string) string {
				s := of[int(n)%len(of)]
				n /= uint32(len(of))
				return s
			}
			c := chapter{volume: pick(volumes), number: pick(numbers), title: pick(titles), by: pick(by), language: pick([]string{"en", "fr"}), day: int(n % 7), external: n%5 == 0, gone: n%7 == 0}
			built := c.build()
			binary.BigEndian.PutUint32(built.ID[12:], uint32(i))
			all = append(all, built)
		}
		l := reading.NewList(all, reading.WithReset(flag), reading.Prefer("y"))
		backward := append([]api.Chapter(nil), all...)
		for i := range len(all) / 2 {
			backward[i], backward[len(all)-1-i] = backward[len(all)-1-i], backward[i]
		}
		other := reading.NewList(backward, reading.WithReset(flag), reading.Prefer("y"))
		seen := map[uuid.UUID]bool{}
		for _, e := range l.Entries {
			for i, v := range e.Versions {
				if seen[v.ID] {
					t.Fatalf("%s is there twice", v.ID)
				}
				seen[v.ID] = true
				if (i == 0) != (v.Behind == "") {
					t.Errorf("version %d is behind by %q", i, v.Behind)
				}
				if v.Attributes.TranslatedLanguage != e.Language || reading.NumberOf(v.Attributes.Chapter) != e.Number {
					t.Errorf("%+v is in %v %v", v.Attributes, e.Number, e.Language)
				}
				if l.FileName(v.ID) == "" {
					t.Errorf("%s has no name", v.ID)
				}
			}
			if next, ok := l.Next(e.Chosen().ID); ok {
				if back, ok := l.Previous(next.Versions[len(next.Versions)-1].ID); !ok || back.Chosen().ID != e.Chosen().ID {
					t.Error("next and previous do not fit together")
				}
			}
		}
		if len(seen) != len(all) {
			t.Errorf("%d of %d chapters are there", len(seen), len(all))
		}
		if l.Resets != other.Resets {
			t.Error("the order of the feed decides whether numbers begin anew")
		}
		if e, ok := l.Continue(func(id uuid.UUID) bool { return seen[id] }); ok {
			t.Errorf("all is read, and it goes on with %v", e.Number)
		}
	})
}
