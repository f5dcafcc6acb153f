package apitest

import (
	"bytes"
	"encoding/json"
	"slices"
	"strconv"
	"time"

	"github.com/google/uuid"
)

// What the server sends is written from types of this package, not from those of package api:
// these are made from the document, and this server has to build and to run with older and newer
// documents, too.

// A stamp is a time as MangaDex writes it: to the second, with +00:00.
type stamp time.Time

const stampLayout = `"2006-01-02T15:04:05+00:00"`

func (t stamp) MarshalJSON() ([]byte, error) {
	return time.Time(t).UTC().AppendFormat(nil, stampLayout), nil
}

// localized is a text by language. PHP reads an empty one as a list.
type localized map[string]string

func (l *localized) UnmarshalJSON(data []byte) error {
	if bytes.Equal(bytes.Join(bytes.Fields(data), nil), []byte("[]")) {
		*l = localized{}
		return nil
	}
	var m map[string]string
	if err := json.Unmarshal(data, &m); err != nil {
		return err
	}
	*l = m
	return nil
}

// encode is json.Marshal for values that cannot fail, and without escapes for HTML.
func encode(v any) []byte {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(v); err != nil {
		panic("apitest: " + err.Error()) // a type of this package that JSON cannot have
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}

// An entity is a thing that has an id, attributes and relationships.
type entity interface {
	base() *head
	attributes(now time.Time) any
	relationships() []relationship
}

// A head is what all entities have.
type head struct {
	id      uuid.UUID
	text    string // in place of the id; empty for nearly all
	kind    string
	version int
	created time.Time
	updated time.Time

	encoded []byte    // the attributes; nil when they have changed
	stale   time.Time // when encoded ends to be true without a change; zero is never
}

func (h *head) base() *head { return h }

// touch notes a change that does not count as an edit.
func (h *head) touch() { h.encoded = nil }

// edit notes an edit.
func (h *head) edit(now time.Time) {
	h.version++
	h.updated = now
	h.touch()
}

// A relationship points from one entity to another.
type relationship struct {
	kind    string
	target  entity
	related string
}

// includes are the kinds of relationships whose attributes a request wants.
type includes []string

func appendAttributes(b []byte, e entity, now time.Time) []byte {
	h := e.base()
	if h.encoded == nil || !h.stale.IsZero() && !now.Before(h.stale) {
		h.stale = time.Time{}
		h.encoded = encode(e.attributes(now))
	}
	return append(b, h.encoded...)
}

func appendEntity(b []byte, e entity, expand includes, now time.Time) []byte {
	h := e.base()
	b = append(b, `{"id":"`...)
	if h.text != "" {
		b = append(b, h.text...)
	} else {
		b = appendID(b, h.id)
	}
	b = append(append(b, `","type":"`...), h.kind...)
	b = append(b, `","attributes":`...)
	b = appendAttributes(b, e, now)
	b = append(b, `,"relationships":[`...)
	for i, r := range e.relationships() {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendID(append(b, `{"id":"`...), r.target.base().id)
		b = append(append(b, `","type":"`...), r.kind...)
		b = append(b, '"')
		if r.related != "" {
			b = append(append(append(b, `,"related":"`...), r.related...), '"')
		}
		if slices.Contains(expand, r.kind) {
			b = appendAttributes(append(b, `,"attributes":`...), r.target, now)
		}
		b = append(b, '}')
	}
	return append(b, `]}`...)
}

func appendID(b []byte, id uuid.UUID) []byte {
	var text [36]byte
	const digits = "0123456789abcdef"
	at := 0
	for i, c := range id {
		if i == 4 || i == 6 || i == 8 || i == 10 {
			text[at] = '-'
			at++
		}
		text[at], text[at+1] = digits[c>>4], digits[c&15]
		at += 2
	}
	return append(b, text[:]...)
}

// one is the answer that holds an entity.
func one(e entity, expand includes, now time.Time) []byte {
	b := make([]byte, 0, 4<<10)
	b = append(b, `{"result":"ok","response":"entity","data":`...)
	return append(appendEntity(b, e, expand, now), '}')
}

// many is the answer that holds a page of a list.
func many[E entity](items []E, p page, total int, expand includes, now time.Time) []byte {
	b := make([]byte, 0, 1<<10+len(items)*(2+len(expand))<<10)
	b = append(b, `{"result":"ok","response":"collection","data":[`...)
	for i, e := range items {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendEntity(b, e, expand, now)
	}
	return appendPage(append(b, ']'), p, total)
}

func appendPage(b []byte, p page, total int) []byte {
	b = strconv.AppendInt(append(b, `,"limit":`...), int64(p.limit), 10)
	b = strconv.AppendInt(append(b, `,"offset":`...), int64(p.offset), 10)
	b = strconv.AppendInt(append(b, `,"total":`...), int64(total), 10)
	return append(b, '}')
}

// done is the answer that says nothing but that it went well.
var done = []byte(`{"result":"ok"}`)

// object is an answer of another shape.
func object(fields map[string]any) []byte {
	fields["result"] = "ok"
	return encode(fields)
}

// phpMap is a map as PHP writes it: a list when it is empty, or when its keys are 0, 1, 2 and so on.
type phpMap[V any] []phpEntry[V]

type phpEntry[V any] struct {
	key   string
	value V
}

func (m phpMap[V]) MarshalJSON() ([]byte, error) {
	list := true
	for i, entry := range m {
		list = list && entry.key == strconv.Itoa(i)
	}
	b := []byte{'{'}
	if list {
		b[0] = '['
	}
	for i, entry := range m {
		if i > 0 {
			b = append(b, ',')
		}
		if !list {
			b = append(append(b, encode(entry.key)...), ':')
		}
		b = append(b, encode(entry.value)...)
	}
	if list {
		return append(b, ']'), nil
	}
	return append(b, '}'), nil
}

// byID makes a map of PHP from one of Go, in the order of the ids.
func byID[V any](m map[uuid.UUID]V) phpMap[V] {
	entries := make(phpMap[V], 0, len(m))
	for id, value := range m {
		entries = append(entries, phpEntry[V]{id.String(), value})
	}
	slices.SortFunc(entries, func(a, b phpEntry[V]) int { return bytes.Compare([]byte(a.key), []byte(b.key)) })
	return entries
}
