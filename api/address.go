package api

import (
	"bytes"
	"encoding"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"reflect"
	"strconv"
	"strings"

	"github.com/google/uuid"
)

// An address is where a request goes, in the making. Its methods write parameters that are plain values
// as the runtime of oapi-codegen does, without linking what that has for all others: a program that makes
// one call is 400 kB smaller.
type address struct {
	server, path string // path still has the names of its parameters
	query        strings.Builder
	err          error
}

func newAddress(server, path string) *address { return &address{server: server, path: path} }

// inPath puts the value that v points to into the path.
func (a *address) inPath(name string, v any) {
	text, err := plainText(reflect.ValueOf(v).Elem())
	if err == nil {
		err = partOfPath(name, text)
	}
	if err != nil && a.err == nil {
		a.err = err
	}
	a.path = strings.Replace(a.path, "{"+name+"}", url.PathEscape(text), 1)
}

// partOfPath returns an error for what would be no part of the path, or lead out of it.
func partOfPath(name, text string) error {
	if text == "" || text == "." || text == ".." {
		return fmt.Errorf("%s is %q, which cannot be a part of the path", name, text)
	}
	return nil
}

// inQuery adds a field of the parameters, to which v points. A nil pointer and an empty list are absent.
func (a *address) inQuery(name string, v any) {
	switch field := reflect.ValueOf(v).Elem(); field.Kind() {
	case reflect.Pointer:
		if !field.IsNil() {
			a.add(name, field.Elem())
		}
	case reflect.Slice:
		for i := range field.Len() {
			a.add(name, field.Index(i))
		}
	default:
		a.add(name, field)
	}
}

func (a *address) add(name string, v reflect.Value) {
	text, err := plainText(v)
	if err != nil && a.err == nil {
		a.err = fmt.Errorf("%s: %w", name, err)
	}
	a.fragment(url.QueryEscape(name) + "=" + url.QueryEscape(text))
}

// inOrder adds the keys of an order.
func (a *address) inOrder(name string, keys []sortKey) {
	if text, err := styleOrder(name, keys); err == nil && text != "" {
		a.fragment(text)
	}
}

func (a *address) fragment(text string) {
	if a.query.Len() > 0 {
		a.query.WriteByte('&')
	}
	a.query.WriteString(text)
}

// plainText is how a value stands in an address.
func plainText(v reflect.Value) (string, error) {
	switch x := v.Addr().Interface().(type) {
	case *uuid.UUID:
		return x.String(), nil
	case encoding.TextMarshaler:
		text, err := x.MarshalText()
		return string(text), err
	}
	switch v.Kind() {
	case reflect.String:
		return v.String(), nil
	case reflect.Bool:
		return strconv.FormatBool(v.Bool()), nil
	case reflect.Int, reflect.Int32, reflect.Int64:
		return strconv.FormatInt(v.Int(), 10), nil
	}
	return "", fmt.Errorf("a %v has no text", v.Type())
}

// request makes the request.
func (a *address) request(method, contentType string, body io.Reader) (*http.Request, error) {
	if a.err != nil {
		return nil, a.err
	}
	address := strings.TrimSuffix(a.server, "/") + a.path
	if a.query.Len() > 0 {
		address += "?" + a.query.String()
	}
	req, err := http.NewRequest(method, address, body)
	if err == nil && contentType != "" {
		req.Header["Content-Type"] = []string{contentType}
	}
	return req, err
}

// encoded makes a request with a body as JSON.
func (a *address) encoded(method, contentType string, body any) (*http.Request, error) {
	encoded, err := json.Marshal(body)
	if err != nil {
		return nil, err
	}
	return a.request(method, contentType, bytes.NewReader(encoded))
}
