package jsonio_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/mangadex-go/mangadex/api/internal/jsonio"
)

// read benchmarks the reading of a list of values.
func read(b *testing.B, name string, values []string, one func(r *jsonio.Reader)) {
	document := []byte("[" + strings.Join(values, ",") + "]")
	r := new(jsonio.Reader)
	b.Run(name, func(b *testing.B) {
		b.SetBytes(int64(len(document)))
		b.ReportAllocs()
		for b.Loop() {
			r.Reset(document)
			for it := r.Array(); it.Next(); {
				one(r)
			}
			if r.Err() != nil {
				b.Fatal(r.Err())
			}
		}
	})
}

// repeated returns 1000 values.
func repeated(value func(i int) string) []string {
	values := make([]string, 1000)
	for i := range values {
		values[i] = value(i)
	}
	return values
}

// BenchmarkNames reads objects whose members come in the order of the one before, and in any order: the
// difference is what knowing the order saves.
func BenchmarkNames(b *testing.B) {
	names := strings.Fields("title altTitles description isLocked links originalLanguage lastVolume lastChapter status year contentRating tags state version")
	shuffle := rand.New(rand.NewPCG(1, 1))
	object := func(int) string {
		var members []string
		for _, name := range names {
			members = append(members, fmt.Sprintf("%q:null", name))
		}
		return "{" + strings.Join(members, ",") + "}"
	}
	shuffled := func(i int) string {
		shuffle.Shuffle(len(names), func(i, j int) { names[i], names[j] = names[j], names[i] })
		return object(i)
	}
	one := func(r *jsonio.Reader) {
		for it := r.Object(); it.Next(); {
			r.Null()
		}
	}
	read(b, "in order", repeated(object), one)
	read(b, "shuffled", repeated(shuffled), one)
}

// BenchmarkTexts reads texts: eight bytes at a time, cut from chunks; a short name in one step, a longer
// one by its hash.
func BenchmarkTexts(b *testing.B) {
	text := func(r *jsonio.Reader) { _ = r.String() }
	name := func(r *jsonio.Reader) { _ = r.Name() }
	of := func(text string) []string { return repeated(func(int) string { return text }) }
	read(b, "plain", of(`"A text of some length, as a title has"`), text)
	read(b, "escaped", of(`"A text of some length\n\nwith \"escapes\" in it"`), text)
	read(b, "short name", of(`"pt-br"`), name)
	read(b, "long name", of(`"collection"`), name)
}

// BenchmarkUUID compares the reading of UUIDs from known places with the package for them.
func BenchmarkUUID(b *testing.B) {
	ids := repeated(func(int) string { return `"` + uuid.NewString() + `"` })
	read(b, "reader", ids, func(r *jsonio.Reader) { r.UUID() })
	bytes := []byte(ids[0])[1:37]
	b.Run("package uuid, 1000 times", func(b *testing.B) {
		for b.Loop() {
			for range ids {
				if _, err := uuid.ParseBytes(bytes); err != nil {
					b.Fatal(err)
				}
			}
		}
	})
}

// BenchmarkTime compares the reading of times from known places with package time.
func BenchmarkTime(b *testing.B) {
	const text = "2006-01-02T15:04:05+00:00"
	times := repeated(func(int) string { return `"` + text + `"` })
	read(b, "reader", times, func(r *jsonio.Reader) { r.Time() })
	b.Run("package time, 1000 times", func(b *testing.B) {
		for b.Loop() {
			for range times {
				if _, err := time.Parse(time.RFC3339, text); err != nil {
					b.Fatal(err)
				}
			}
		}
	})
}

// BenchmarkValid compares the reading of text that is not ASCII, which must be checked, with the check of
// package utf8 alone.
func BenchmarkValid(b *testing.B) {
	const text = "Один текст на другом языке, 日本語の文章もある"
	texts := repeated(func(int) string { return `"` + text + `"` })
	read(b, "reader", texts, func(r *jsonio.Reader) { _ = r.String() })
	bytes := []byte(text)
	b.Run("package utf8, 1000 times", func(b *testing.B) {
		for b.Loop() {
			for range texts {
				if !utf8.Valid(bytes) {
					b.Fatal("not valid")
				}
			}
		}
	})
}

// BenchmarkNumbers reads whole numbers, and lists in lists, which an Iter costs each.
func BenchmarkNumbers(b *testing.B) {
	read(b, "numbers", repeated(func(i int) string { return fmt.Sprint(i) }), func(r *jsonio.Reader) { r.Int() })
	read(b, "in lists", repeated(func(i int) string { return fmt.Sprintf("[%d]", i) }), func(r *jsonio.Reader) {
		for it := r.Array(); it.Next(); {
			r.Int()
		}
	})
}
