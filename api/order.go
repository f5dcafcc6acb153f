package api

import (
	"net/url"
	"slices"
	"strings"
)

// A SortDirection is the direction of a key of an order, such as [ChapterOrder]. A key with an empty
// direction does not count.
type SortDirection string

// The two directions.
const (
	Asc  SortDirection = "asc"
	Desc SortDirection = "desc"
)

// A sortKey is a key of an order, such as [ChapterOrder], with its direction.
type sortKey struct {
	key       string
	direction SortDirection
}

// String returns the key and its direction.
func (k sortKey) String() string { return k.key + " " + string(k.direction) }

// MarshalText implements [encoding.TextMarshaler], so that parameters can be printed.
func (k sortKey) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// sortedBy returns an order with one more key. A key that the order has already gets the new
// direction and keeps its place, as it does on the server. No direction is no key.
// Not inlined, because so many call it.
//
//go:noinline
func sortedBy(o []sortKey, key string, d SortDirection) []sortKey {
	if d == "" {
		return o
	}
	o = slices.Clone(o)
	for i := range o {
		if o[i].key == key {
			o[i].direction = d
			return o
		}
	}
	return append(o, sortKey{key, d})
}

// styleOrder writes an order into a query. The server sorts by the keys in the sequence in which they
// stand there, which the runtime of oapi-codegen would lose.
func styleOrder(name string, keys []sortKey) (string, error) {
	var b strings.Builder
	for i, k := range keys {
		if i > 0 {
			b.WriteByte('&')
		}
		b.WriteString(url.QueryEscape(name) + "[" + url.QueryEscape(k.key) + "]=" + url.QueryEscape(string(k.direction)))
	}
	return b.String(), nil
}
