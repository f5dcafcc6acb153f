// Package given looks at what a caller has given: whether it is there at all, and what options say.
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

// Options applies options to settings, in their order, until one cannot be. A nil one is passed over.
func Options[S any, O ~func(*S) error](settings *S, options []O) error {
	for _, option := range options {
		if option == nil {
			continue
		}
		if err := option(settings); err != nil {
			return err
		}
	}
	return nil
}
