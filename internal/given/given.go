// Package given tells whether an argument was given at all.
package given

import "reflect"

// Nil reports whether v is nil, or an interface that holds a nil pointer, function or the like: such
// a value passes for one that was given, and panics where it is used.
func Nil(v any) bool {
	switch r := reflect.ValueOf(v); r.Kind() {
	case reflect.Invalid:
		return true
	case reflect.Pointer, reflect.Func, reflect.Map, reflect.Chan, reflect.Slice, reflect.Interface:
		return r.IsNil()
	default:
		return false
	}
}
