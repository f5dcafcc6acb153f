package api

import "github.com/mangadex-go/mangadex/api/internal/jsonio"

// AggregateVolumes are the volumes of a title in display order, the newest first. Chapters
// outside of any volume are in the volume "none".
//
// In JSON they are an object with the volume as the name; the server writes [] for none, and sometimes
// a list.
type AggregateVolumes []AggregateVolume

// AggregateChapters are the chapters of a volume in display order, the newest first.
// In JSON they are like [AggregateVolumes].
type AggregateChapters []AggregateChapter

// UnmarshalJSON implements [json.Unmarshaler].
func (v *AggregateVolumes) UnmarshalJSON(data []byte) error { return unmarshal(data, v) }

// MarshalJSON implements [json.Marshaler].
func (v AggregateVolumes) MarshalJSON() ([]byte, error) { return v.append(nil), nil }

// UnmarshalJSON implements [json.Unmarshaler].
func (c *AggregateChapters) UnmarshalJSON(data []byte) error { return unmarshal(data, c) }

// MarshalJSON implements [json.Marshaler].
func (c AggregateChapters) MarshalJSON() ([]byte, error) { return c.append(nil), nil }

func (v *AggregateVolumes) decode(r *jsonio.Reader) {
	if r.Null() {
		*v = nil
		return
	}
	*v = AggregateVolumes{}
	for it := r.Array(); it.Next(); {
		var volume AggregateVolume
		volume.Volume = r.KeyName()
		volume.decode(r)
		*v = longer(r, *v)
		(*v)[len(*v)-1] = volume
	}
}

func (v AggregateVolumes) append(b []byte) []byte {
	if v == nil {
		return append(b, "null"...)
	}
	start := len(b)
	for i := range v {
		b = append(jsonio.AppendString(append(b, ','), v[i].Volume), ':')
		b = appendJSON(b, &v[i])
	}
	return jsonio.Close(b, start)
}

func (c *AggregateChapters) decode(r *jsonio.Reader) {
	if r.Null() {
		*c = nil
		return
	}
	*c = AggregateChapters{}
	for it := r.Array(); it.Next(); {
		var chapter AggregateChapter
		chapter.Chapter = r.KeyName()
		chapter.decode(r)
		*c = longer(r, *c)
		(*c)[len(*c)-1] = chapter
	}
}

func (c AggregateChapters) append(b []byte) []byte {
	if c == nil {
		return append(b, "null"...)
	}
	start := len(b)
	for i := range c {
		b = append(jsonio.AppendString(append(b, ','), c[i].Chapter), ':')
		b = appendJSON(b, &c[i])
	}
	return jsonio.Close(b, start)
}
