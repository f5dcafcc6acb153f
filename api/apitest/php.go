package apitest

import (
	"net/url"
	"strconv"
	"strings"
)

// A phpQuery is the query of a URL as PHP reads it: name=x, of which the last one counts, and
// name[]=x, name[0]=x and name[key]=x, which make an array that keeps the order in which its keys
// came first.
type phpQuery struct {
	names  []string // in the order in which they came first
	values map[string]*phpValue
}

// A phpValue is a text or an array.
type phpValue struct {
	text  string
	array bool
	keys  []string
	items map[string]string
	next  int // the key of the next item without one
}

func readQuery(raw string) phpQuery {
	q := phpQuery{values: map[string]*phpValue{}}
	for part := range strings.SplitSeq(raw, "&") {
		name, text, _ := strings.Cut(part, "=")
		if name = unescape(name); name == "" {
			continue
		}
		text = unescape(text)
		name, key, array := strings.Cut(name, "[")
		key, _, closed := strings.Cut(key, "]") // what comes after it is lost
		if array && !closed {
			name, array = name+"_"+key, false
		}
		v := q.values[name]
		if v == nil || v.array != array {
			if v == nil {
				q.names = append(q.names, name)
			}
			v = &phpValue{array: array}
			q.values[name] = v
		}
		if array {
			v.put(key, text)
		} else {
			v.text = text
		}
	}
	return q
}

// unescape decodes a part of a query. What is no escape stays as it is.
func unescape(text string) string {
	if decoded, err := url.QueryUnescape(text); err == nil {
		return decoded
	}
	var b strings.Builder
	for text != "" {
		end := 1
		if text[0] == '%' {
			end = min(3, len(text))
		}
		if decoded, err := url.QueryUnescape(text[:end]); err == nil {
			b.WriteString(decoded)
		} else {
			end = 1
			b.WriteByte(text[0])
		}
		text = text[end:]
	}
	return b.String()
}

func (v *phpValue) put(key, text string) {
	if key == "" {
		key = strconv.Itoa(v.next)
	}
	if n, err := strconv.Atoi(key); err == nil && n >= v.next && strconv.Itoa(n) == key {
		v.next = n + 1
	}
	if _, again := v.items[key]; !again {
		v.keys = append(v.keys, key)
	}
	put(&v.items, key, text)
}

// list tells whether the keys are 0, 1, 2 and so on, as those of JSON's arrays; PHP does not mind in
// which order they come.
func (v *phpValue) list() bool {
	for _, key := range v.keys {
		if n, err := strconv.Atoi(key); err != nil || n < 0 || n >= len(v.keys) || strconv.Itoa(n) != key {
			return false
		}
	}
	return v.array
}

// texts are the items in the order in which they came.
func (v *phpValue) texts() []string {
	list := make([]string, len(v.keys))
	for n, key := range v.keys {
		list[n] = v.items[key]
	}
	return list
}
