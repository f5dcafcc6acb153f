package api

import (
	"iter"
	"strings"

	"github.com/mangadex-go/mangadex/api/internal/jsonio"
)

// A LocalizedString is a text in several languages, in the order of the server. Languages are
// written as MangaDex does: two letters, with a region (pt-br, zh-hk) or -ro for a romanised
// script (ja-ro).
//
// It is JSON like {"en": "…"}. The server writes an empty one as [].
type LocalizedString []LocalizedText

// A LocalizedText is a text in one language.
type LocalizedText struct {
	Language string
	Text     string
}

// Get returns the text in a language.
func (s LocalizedString) Get(language string) (string, bool) {
	for _, t := range s {
		if t.Language == language {
			return t.Text, true
		}
	}
	return "", false
}

// In returns the text in the first of the languages that has a text. A language without a region also
// stands for its regions: pt finds pt-br, and ja does not find ja-ro. Without a match it returns
// [LocalizedString.String].
func (s LocalizedString) In(languages ...string) string {
	for _, language := range languages {
		if text, _ := s.Get(language); text != "" {
			return text
		}
		for _, t := range s {
			if region, ok := strings.CutPrefix(t.Language, language+"-"); ok && region != "ro" && t.Text != "" {
				return t.Text
			}
		}
	}
	return s.String()
}

// String returns the English text, or else the first one that is not empty.
func (s LocalizedString) String() string {
	if text, _ := s.Get("en"); text != "" {
		return text
	}
	for _, t := range s {
		if t.Text != "" {
			return t.Text
		}
	}
	return ""
}

// All walks over languages and texts.
func (s LocalizedString) All() iter.Seq2[string, string] {
	return func(yield func(string, string) bool) {
		for _, t := range s {
			if !yield(t.Language, t.Text) {
				return
			}
		}
	}
}

// UnmarshalJSON implements [json.Unmarshaler].
func (s *LocalizedString) UnmarshalJSON(data []byte) error { return unmarshal(data, s) }

// MarshalJSON implements [json.Marshaler].
func (s LocalizedString) MarshalJSON() ([]byte, error) { return s.append(nil), nil }

func (s *LocalizedString) decode(r *jsonio.Reader) { s.decodeAs(r, false) }

// decodeNames is decode for texts that come again and again, like those of tags: equal ones share their
// memory. The lists do not, since a caller may change them.
func (s *LocalizedString) decodeNames(r *jsonio.Reader) { s.decodeAs(r, true) }

func (s *LocalizedString) decodeAs(r *jsonio.Reader, names bool) {
	if r.Null() {
		*s = nil
		return
	}
	var buffer [8]LocalizedText
	list, alone := buffer[:0], false
	for it := r.Object(); it.Next(); {
		t := LocalizedText{Language: r.KeyName()}
		if names {
			t.Text = r.Name()
		} else {
			t.Text = r.String()
		}
		alone = alone || jsonio.Alone(t.Text)
		list = longer(r, list)
		list[len(list)-1] = t
	}
	*s = jsonio.List(r, list, alone)
}

func (s LocalizedString) append(b []byte) []byte {
	if s == nil {
		return append(b, "null"...)
	}
	start := len(b)
	for _, t := range s {
		b = append(jsonio.AppendString(append(b, ','), t.Language), ':')
		b = jsonio.AppendString(b, t.Text)
	}
	return jsonio.Close(b, start)
}
