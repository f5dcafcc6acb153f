package api

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// A Nullable is a field of an edit that tells three things apart: its zero value leaves what the
// server has, [Null] clears it, and [Value] sets it. Where the API demands the field, the zero value
// is sent as null.
//
// It is a map so that encoding/json leaves the zero value out: true maps to the value, or false stands
// for null.
type Nullable[T any] map[bool]T

// Value sets a field of an edit that may also be null or be left as it is.
func Value[T any](v T) Nullable[T] { return Nullable[T]{true: v} }

// Null clears a field of an edit.
func Null[T any]() Nullable[T] {
	var none T
	return Nullable[T]{false: none}
}

// valueOrNull is the value that v points to, or null.
func valueOrNull[T any](v *T) Nullable[T] {
	if v == nil {
		return Null[T]()
	}
	return Value(*v)
}

// Get returns the value; ok is false for null and for the zero value.
func (n Nullable[T]) Get() (v T, ok bool) {
	v, ok = n[true]
	return v, ok
}

// Set sets the field, as [Value] does.
func (n *Nullable[T]) Set(v T) { *n = Value(v) }

// SetNull has the field cleared, as [Null] does.
func (n *Nullable[T]) SetNull() { *n = Null[T]() }

// SetUnspecified leaves the field as the server has it.
func (n *Nullable[T]) SetUnspecified() { *n = nil }

// IsNull reports whether the field is to be cleared.
func (n Nullable[T]) IsNull() bool {
	_, null := n[false]
	return null
}

// IsSpecified reports whether the field is sent, as a value or as null.
func (n Nullable[T]) IsSpecified() bool { return len(n) > 0 }

// String returns the value as fmt prints it, null, or unset.
func (n Nullable[T]) String() string {
	if v, ok := n[true]; ok {
		return fmt.Sprint(v)
	}
	if n.IsNull() {
		return "null"
	}
	return "unset"
}

// MarshalJSON implements [json.Marshaler].
func (n Nullable[T]) MarshalJSON() ([]byte, error) {
	if v, ok := n[true]; ok {
		return json.Marshal(v)
	}
	return []byte("null"), nil
}

// UnmarshalJSON implements [json.Unmarshaler].
func (n *Nullable[T]) UnmarshalJSON(data []byte) error {
	if bytes.Equal(data, []byte("null")) {
		*n = Null[T]()
		return nil
	}
	var v T
	if err := json.Unmarshal(data, &v); err != nil {
		return err
	}
	*n = Value(v)
	return nil
}
