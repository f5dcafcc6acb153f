package api

import (
	"encoding"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/mangadex-go/mangadex/api/internal/jsonio"
)

// Answers are written by what reflection says of their types: an encoder for each would be a tenth of
// the package, for what few programs do. They are written as the server writes them: no id, no time and
// no value of an enum is null, and what this package does not know is there again.

// encode is the value that v points to as JSON.
// Not inlined, because so many call it.
//
//go:noinline
func encode(v any) []byte { return appendJSON(nil, v) }

// appendJSON appends the value that v points to.
func appendJSON(b []byte, v any) []byte {
	value := reflect.ValueOf(v).Elem()
	return encoderOf(value.Type())(b, value)
}

// asJSON is the value that v points to for a person to read.
// Not inlined, because so many call it.
//
//go:noinline
func asJSON(v any) string { return string(encode(v)) }

// An encoder writes itself.
type encoder interface{ append([]byte) []byte }

// An encodeFunc appends a value that has an address.
type encodeFunc func(b []byte, v reflect.Value) []byte

var encoders sync.Map // of reflect.Type to encodeFunc

func encoderOf(t reflect.Type) encodeFunc {
	if f, ok := encoders.Load(t); ok {
		return f.(encodeFunc)
	}
	f := newEncoder(t)
	encoders.Store(t, f)
	return f
}

// later is the encoder of a type that may hold itself.
func later(t reflect.Type) encodeFunc {
	found := sync.OnceValue(func() encodeFunc { return encoderOf(t) })
	return func(b []byte, v reflect.Value) []byte { return found()(b, v) }
}

func newEncoder(t reflect.Type) encodeFunc {
	pointer := reflect.PointerTo(t)
	switch {
	case t == reflect.TypeFor[uuid.UUID]():
		return func(b []byte, v reflect.Value) []byte {
			return jsonio.AppendUUID(b, *v.Addr().Interface().(*uuid.UUID))
		}
	case t == reflect.TypeFor[time.Time]():
		return func(b []byte, v reflect.Value) []byte {
			return jsonio.AppendTime(b, *v.Addr().Interface().(*time.Time))
		}
	case t == reflect.TypeFor[json.RawMessage]():
		return func(b []byte, v reflect.Value) []byte { return jsonio.AppendRaw(b, v.Bytes()) }
	case pointer.Implements(reflect.TypeFor[encoder]()):
		return func(b []byte, v reflect.Value) []byte { return v.Addr().Interface().(encoder).append(b) }
	case isNullable(t):
		return nullableEncoder(t)
	case pointer.Implements(reflect.TypeFor[decoder]()) && t.Kind() == reflect.Struct:
		return structEncoder(t)
	case pointer.Implements(reflect.TypeFor[json.Marshaler]()):
		return func(b []byte, v reflect.Value) []byte {
			text, err := v.Addr().Interface().(json.Marshaler).MarshalJSON()
			if err != nil {
				return append(b, "null"...)
			}
			return jsonio.AppendRaw(b, text)
		}
	case pointer.Implements(reflect.TypeFor[encoding.TextMarshaler]()):
		return func(b []byte, v reflect.Value) []byte {
			text, err := v.Addr().Interface().(encoding.TextMarshaler).MarshalText()
			if err != nil {
				return append(b, "null"...)
			}
			return jsonio.AppendString(b, string(text))
		}
	}
	switch t.Kind() {
	case reflect.String:
		if t == reflect.TypeFor[string]() {
			return func(b []byte, v reflect.Value) []byte { return jsonio.AppendString(b, v.String()) }
		}
		return func(b []byte, v reflect.Value) []byte { return jsonio.AppendName(b, v.String()) }
	case reflect.Bool:
		return func(b []byte, v reflect.Value) []byte { return jsonio.AppendBool(b, v.Bool()) }
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return func(b []byte, v reflect.Value) []byte { return jsonio.AppendInt(b, v.Int()) }
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return func(b []byte, v reflect.Value) []byte { return strconv.AppendUint(b, v.Uint(), 10) }
	case reflect.Float32, reflect.Float64:
		return func(b []byte, v reflect.Value) []byte { return jsonio.AppendFloat(b, v.Float()) }
	case reflect.Pointer:
		value := later(t.Elem())
		return unlessNil(func(b []byte, v reflect.Value) []byte { return value(b, v.Elem()) })
	case reflect.Interface:
		return unlessNil(func(b []byte, v reflect.Value) []byte { return encoded(b, v.Elem()) })
	case reflect.Slice:
		if t.Elem().Kind() == reflect.Uint8 {
			return unlessNil(func(b []byte, v reflect.Value) []byte {
				return append(base64.StdEncoding.AppendEncode(append(b, '"'), v.Bytes()), '"')
			})
		}
		element := later(t.Elem())
		return unlessNil(func(b []byte, v reflect.Value) []byte {
			b = append(b, '[')
			for i := range v.Len() {
				if i > 0 {
					b = append(b, ',')
				}
				b = element(b, v.Index(i))
			}
			return append(b, ']')
		})
	case reflect.Map:
		return unlessNil(appendMap)
	case reflect.Struct:
		return structEncoder(t)
	}
	return func(b []byte, _ reflect.Value) []byte { return append(b, "null"...) } // JSON has no such values
}

func unlessNil(f encodeFunc) encodeFunc {
	return func(b []byte, v reflect.Value) []byte {
		if v.IsNil() {
			return append(b, "null"...)
		}
		return f(b, v)
	}
}

// encoded appends a value that may have no address.
func encoded(b []byte, v reflect.Value) []byte { return encoderOf(v.Type())(b, withAddress(v)) }

// withAddress is a copy of a value that has an address.
func withAddress(v reflect.Value) reflect.Value {
	there := reflect.New(v.Type()).Elem()
	there.Set(v)
	return there
}

func isNullable(t reflect.Type) bool {
	return t.Kind() == reflect.Map && t.Key().Kind() == reflect.Bool
}

// nullableEncoder is that of a [Nullable].
func nullableEncoder(t reflect.Type) encodeFunc {
	yes := reflect.ValueOf(true)
	return func(b []byte, v reflect.Value) []byte {
		if value := v.MapIndex(yes); value.IsValid() {
			return encoded(b, value)
		}
		return append(b, "null"...)
	}
}

// appendMap appends a map in the order of its keys.
func appendMap(b []byte, v reflect.Value) []byte {
	members := make(map[string]reflect.Value, v.Len())
	for it := v.MapRange(); it.Next(); {
		name, err := plainText(withAddress(it.Key()))
		if err != nil { // such as an unsigned number, which no document has for a key
			name = fmt.Sprint(it.Key())
		}
		members[name] = it.Value()
	}
	start := len(b)
	for _, name := range slices.Sorted(maps.Keys(members)) {
		b = encoded(append(jsonio.AppendString(append(b, ','), name), ':'), members[name])
	}
	return jsonio.Close(b, start)
}

// A structField is how a member is written.
type structField struct {
	index  int
	name   string // with the comma and the colon around it
	isSet  func(reflect.Value) bool
	encode encodeFunc
}

func structEncoder(t reflect.Type) encodeFunc {
	var fields []structField
	extra := -1
	for i := range t.NumField() {
		field := t.Field(i)
		name, options, _ := strings.Cut(field.Tag.Get("json"), ",")
		switch {
		case field.Type == reflect.TypeFor[Extra]():
			extra = i
			continue
		case name == "-" || !field.IsExported():
			continue
		case name == "":
			name = field.Name
		}
		f := structField{index: i, name: "," + string(jsonio.AppendString(nil, name)) + ":", encode: later(field.Type)}
		if strings.Contains(options, "omit") {
			f.isSet = isSet(field.Type)
		}
		fields = append(fields, f)
	}
	return func(b []byte, v reflect.Value) []byte {
		start := len(b)
		for i := range fields {
			f := &fields[i]
			value := v.Field(f.index)
			if f.isSet == nil || f.isSet(value) {
				b = f.encode(append(b, f.name...), value)
			}
		}
		if extra >= 0 {
			b = jsonio.AppendExtra(b, start, *v.Field(extra).Addr().Interface().(*Extra))
		}
		return jsonio.Close(b, start)
	}
}

// isSet tells when a member is written that may be left out; nil is always.
func isSet(t reflect.Type) func(reflect.Value) bool {
	switch {
	case isNullable(t):
		return func(v reflect.Value) bool { return v.Len() > 0 }
	case t.Kind() == reflect.Struct && reflect.PointerTo(t).Implements(reflect.TypeFor[decoder]()):
		return nil
	}
	return func(v reflect.Value) bool { return !v.IsZero() }
}
