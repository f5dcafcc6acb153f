package api

import (
	"strings"

	"github.com/mangadex-go/mangadex/api/internal/jsonio"
)

// Links point to a title on other sites. Some values are ids, some slugs and some whole URLs;
// [Links.URL] makes a URL of each.
//
// In JSON they are like {"al": "123"}. The server writes [], {} or null for none.
type Links []Link

// A Link points to a title on one site.
type Link struct {
	Site  string // such as al, mu or raw
	Value string
}

// Get returns the value for a site as the server sent it.
func (l Links) Get(site string) (string, bool) {
	for _, link := range l {
		if link.Site == site {
			return link.Value, true
		}
	}
	return "", false
}

// URL returns the address for a site, empty without one or for a site that is not known.
func (l Links) URL(site string) string {
	value, ok := l.Get(site)
	if !ok || value == "" {
		return ""
	}
	if strings.HasPrefix(value, "https://") || strings.HasPrefix(value, "http://") {
		return value
	}
	switch site {
	case "al":
		return "https://anilist.co/manga/" + value
	case "ap":
		return "https://www.anime-planet.com/manga/" + value
	case "bw":
		return "https://bookwalker.jp/" + value
	case "kt":
		return "https://kitsu.app/manga/" + value
	case "mal":
		return "https://myanimelist.net/manga/" + value
	case "mu":
		if strings.Trim(value, "0123456789") == "" {
			return "https://www.mangaupdates.com/series.html?id=" + value
		}
		return "https://www.mangaupdates.com/series/" + value
	case "nu":
		return "https://www.novelupdates.com/series/" + value
	}
	return ""
}

// UnmarshalJSON implements [json.Unmarshaler].
func (l *Links) UnmarshalJSON(data []byte) error { return unmarshal(data, l) }

// MarshalJSON implements [json.Marshaler].
func (l Links) MarshalJSON() ([]byte, error) { return l.append(nil), nil }

func (l *Links) decode(r *jsonio.Reader) {
	if r.Null() {
		*l = nil
		return
	}
	var buffer [16]Link
	list := buffer[:0]
	for it := r.Object(); it.Next(); {
		link := Link{Site: r.KeyName()}
		link.Value = r.String()
		list = longer(r, list)
		list[len(list)-1] = link
	}
	*l = exact(r, list)
}

func (l Links) append(b []byte) []byte {
	if l == nil {
		return append(b, "null"...)
	}
	start := len(b)
	for _, link := range l {
		b = append(jsonio.AppendString(append(b, ','), link.Site), ':')
		b = jsonio.AppendString(b, link.Value)
	}
	return jsonio.Close(b, start)
}
