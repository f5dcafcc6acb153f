package api

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/google/uuid"

	"github.com/mangadex-go/mangadex/api/internal/jsonio"
)

// Ptr returns a pointer to v, for parameters that may be left out.
func Ptr[T any](v T) *T { return &v }

// A Flag is a yes or no of a query. Left out, it is neither: an includeX filter of chapters then
// filters nothing.
type Flag string

// The two flags.
const (
	No  Flag = "0"
	Yes Flag = "1"
)

// A DateTime is a time as MangaDex takes it in queries and drafts: to the second, in UTC, without
// a zone.
type DateTime struct{ Time time.Time }

const dateTimeLayout = "2006-01-02T15:04:05"

// Since is a [DateTime] for a query parameter.
func Since(t time.Time) *DateTime { return &DateTime{t} }

// String returns the time as it is sent.
func (t DateTime) String() string { return t.Time.UTC().Format(dateTimeLayout) }

// MarshalText implements [encoding.TextMarshaler].
func (t DateTime) MarshalText() ([]byte, error) { return []byte(t.String()), nil }

// UnmarshalText implements [encoding.TextUnmarshaler]. It takes a zone, too.
func (t *DateTime) UnmarshalText(text []byte) error {
	parsed, ok := jsonio.ParseTime(text)
	if !ok {
		return fmt.Errorf("api: %q is not a time like %s", text, dateTimeLayout)
	}
	t.Time = parsed
	return nil
}

func (t *DateTime) decode(r *jsonio.Reader) { t.Time = r.Time() }

func (t DateTime) append(b []byte) []byte {
	if t.Time.IsZero() {
		return append(b, "null"...)
	}
	return jsonio.AppendString(b, t.String())
}

// Languages are language codes. For a chapter without a language the server has null, which becomes the
// empty code.
type Languages []string

// UnmarshalJSON implements [json.Unmarshaler].
func (l *Languages) UnmarshalJSON(data []byte) error { return unmarshal(data, l) }

// MarshalJSON implements [json.Marshaler].
func (l Languages) MarshalJSON() ([]byte, error) { return l.append(nil), nil }

func (l *Languages) decode(r *jsonio.Reader) {
	if r.Null() {
		*l = nil
		return
	}
	var buffer [32]string
	list := buffer[:0]
	for it := r.Array(); it.Next(); {
		language := r.Name()
		list = longer(r, list)
		list[len(list)-1] = language
	}
	*l = exact(r, list)
}

func (l Languages) append(b []byte) []byte {
	if l == nil {
		return append(b, "null"...)
	}
	b = append(b, '[')
	for i, language := range l {
		if i > 0 {
			b = append(b, ',')
		}
		b = jsonio.AppendName(b, language)
	}
	return append(b, ']')
}

// A RatingDistribution counts the ratings of a title by their value, 1 to 10.
type RatingDistribution map[int]int

// UnmarshalJSON implements [json.Unmarshaler].
func (d *RatingDistribution) UnmarshalJSON(data []byte) error { return unmarshal(data, d) }

// MarshalJSON implements [json.Marshaler].
func (d RatingDistribution) MarshalJSON() ([]byte, error) { return d.append(nil), nil }

func (d *RatingDistribution) decode(r *jsonio.Reader) {
	if r.Null() {
		*d = nil
		return
	}
	*d = RatingDistribution{}
	for it, i := r.Entries(), 0; it.Next(); i++ {
		rating := i // a list starts with the rating 0
		if it.Named() {
			n, err := strconv.Atoi(r.KeyName())
			if err != nil {
				r.Skip()
				continue
			}
			rating = n
		}
		if n := r.Int(); spendEntry[int, int](r) {
			(*d)[rating] = n
		}
	}
}

func (d RatingDistribution) append(b []byte) []byte {
	if d == nil {
		return append(b, "null"...)
	}
	start := len(b)
	for _, rating := range slices.Sorted(maps.Keys(d)) {
		b = append(jsonio.AppendInt(append(b, `,"`...), int64(rating)), `":`...)
		b = jsonio.AppendInt(b, int64(d[rating]))
	}
	return jsonio.Close(b, start)
}

// ReadMarkers are the chapters that a user has read. One of the two is set: ByManga when the
// request asked for groups and there is anything to group, Chapters otherwise.
type ReadMarkers struct {
	Chapters []uuid.UUID
	ByManga  map[uuid.UUID][]uuid.UUID
}

// UnmarshalJSON implements [json.Unmarshaler].
func (m *ReadMarkers) UnmarshalJSON(data []byte) error { return unmarshal(data, m) }

// MarshalJSON implements [json.Marshaler].
func (m ReadMarkers) MarshalJSON() ([]byte, error) { return m.append(nil), nil }

func (m *ReadMarkers) decode(r *jsonio.Reader) {
	*m = ReadMarkers{}
	if r.Null() {
		return
	}
	it := r.Entries()
	if !it.Named() {
		m.Chapters = decodeIDs(r, it)
		return
	}
	m.ByManga = map[uuid.UUID][]uuid.UUID{}
	for it.Next() {
		manga, err := uuid.ParseBytes(r.Key())
		if err != nil {
			r.Skip()
			continue
		}
		if chapters := decodeIDs(r, r.Array()); spendEntry[uuid.UUID, []uuid.UUID](r) {
			m.ByManga[manga] = chapters
		}
	}
}

// decodeIDs reads a list of ids.
func decodeIDs(r *jsonio.Reader, it *jsonio.Iter) []uuid.UUID {
	var buffer [16]uuid.UUID
	list := buffer[:0]
	for it.Next() {
		id := r.UUID()
		list = longer(r, list)
		list[len(list)-1] = id
	}
	return exact(r, list)
}

func (m ReadMarkers) append(b []byte) []byte {
	if m.ByManga != nil {
		return appendJSON(b, &m.ByManga)
	}
	return appendJSON(b, &m.Chapters)
}
