package api

import (
	"encoding/json"
	"iter"

	"github.com/google/uuid"

	"github.com/mangadex-go/mangadex/api/internal/jsonio"
)

// A Relationship points from one resource to another. Its attributes are there when the request
// asked for that type in Includes and the account may see it; otherwise the server leaves them out
// without an error.
type Relationship struct {
	ID      uuid.UUID // zero if what the server sent is not a UUID; then it is in Extra
	Type    ResourceType
	Related MangaRelationType // between titles only

	// Attributes is nil when the server sent none. It is a pointer to the attributes of the type
	// (*AuthorAttributes for authors and artists, *CoverAttributes and so on), or
	// [RawAttributes] for a type that this package does not know.
	Attributes RelationshipAttributes

	Extra Extra // members that this package does not know
}

// RelationshipAttributes is what the server says of the other resource.
type RelationshipAttributes interface{ relationshipAttributes() }

// RawAttributes are attributes as the server sent them.
type RawAttributes json.RawMessage

func (RawAttributes) relationshipAttributes() {}

// MarshalJSON implements [json.Marshaler].
func (a RawAttributes) MarshalJSON() ([]byte, error) {
	return jsonio.AppendRaw(nil, json.RawMessage(a)), nil
}

// Relationships are the relationships of one resource, with a method for each kind.
type Relationships []Relationship

// A Ref is a relationship to a resource of a known type. Attributes is nil unless the request
// asked for them; see [Relationship].
type Ref[T any] struct {
	ID         uuid.UUID
	Attributes *T
}

// Authors are the writers of a title.
func (rs Relationships) Authors() []Ref[AuthorAttributes] {
	return refs[AuthorAttributes](rs, ResourceTypeAuthor)
}

// Artists are those who drew a title.
func (rs Relationships) Artists() []Ref[AuthorAttributes] {
	return refs[AuthorAttributes](rs, ResourceTypeArtist)
}

// Cover is the main cover of a title.
func (rs Relationships) Cover() (Ref[CoverAttributes], bool) {
	return ref[CoverAttributes](rs, ResourceTypeCoverArt)
}

// Groups are the groups that a chapter comes from.
func (rs Relationships) Groups() []Ref[GroupAttributes] {
	return refs[GroupAttributes](rs, ResourceTypeScanlationGroup)
}

// Manga is the title that a chapter or a cover belongs to.
func (rs Relationships) Manga() (Ref[MangaAttributes], bool) {
	return ref[MangaAttributes](rs, ResourceTypeManga)
}

// AllManga are all titles, such as those of a custom list or of an author. For the kind of the
// relation between two titles see [Relationship.Related].
func (rs Relationships) AllManga() []Ref[MangaAttributes] {
	return refs[MangaAttributes](rs, ResourceTypeManga)
}

// Chapter is the chapter that something belongs to.
func (rs Relationships) Chapter() (Ref[ChapterAttributes], bool) {
	return ref[ChapterAttributes](rs, ResourceTypeChapter)
}

// Uploader is the user who uploaded a chapter or a cover.
func (rs Relationships) Uploader() (Ref[UserAttributes], bool) {
	return ref[UserAttributes](rs, ResourceTypeUser)
}

// Creator is the user who created a title or an API client.
func (rs Relationships) Creator() (Ref[UserAttributes], bool) {
	return ref[UserAttributes](rs, ResourceTypeCreator)
}

// Leader is the leader of a group.
func (rs Relationships) Leader() (Ref[UserAttributes], bool) {
	return ref[UserAttributes](rs, ResourceTypeLeader)
}

// Members are the members of a group.
func (rs Relationships) Members() []Ref[UserAttributes] {
	return refs[UserAttributes](rs, ResourceTypeMember)
}

// Tags are the tags of a title, where the server sends them as relationships.
func (rs Relationships) Tags() []Ref[TagAttributes] {
	return refs[TagAttributes](rs, ResourceTypeTag)
}

// Reason is the reason of a report.
func (rs Relationships) Reason() (Ref[ReportReasonAttributes], bool) {
	return ref[ReportReasonAttributes](rs, ResourceTypeReportReason)
}

// Files are the files of an upload session.
func (rs Relationships) Files() []Ref[UploadSessionFileAttributes] {
	return refs[UploadSessionFileAttributes](rs, ResourceTypeUploadSessionFile)
}

// OfType walks over the relationships of a type, known to this package or not.
func (rs Relationships) OfType(t ResourceType) iter.Seq[Relationship] {
	return func(yield func(Relationship) bool) {
		for _, r := range rs {
			if r.Type == t && !yield(r) {
				return
			}
		}
	}
}

func refs[T any](rs Relationships, t ResourceType) []Ref[T] {
	var found []Ref[T]
	for r := range rs.OfType(t) {
		found = append(found, asRef[T](r))
	}
	return found
}

func ref[T any](rs Relationships, t ResourceType) (Ref[T], bool) {
	for r := range rs.OfType(t) {
		return asRef[T](r), true
	}
	return Ref[T]{}, false
}

func asRef[T any](r Relationship) Ref[T] {
	attributes, _ := any(r.Attributes).(*T)
	return Ref[T]{ID: r.ID, Attributes: attributes}
}

// UnmarshalJSON implements [json.Unmarshaler].
func (rs *Relationships) UnmarshalJSON(data []byte) error { return unmarshal(data, rs) }

// MarshalJSON implements [json.Marshaler].
func (rs Relationships) MarshalJSON() ([]byte, error) { return rs.append(nil), nil }

// UnmarshalJSON implements [json.Unmarshaler].
func (x *Relationship) UnmarshalJSON(data []byte) error { return unmarshal(data, x) }

// MarshalJSON implements [json.Marshaler].
func (x Relationship) MarshalJSON() ([]byte, error) { return x.append(nil), nil }

func (rs *Relationships) decode(r *jsonio.Reader) {
	if r.Null() {
		*rs = nil
		return
	}
	var buffer [16]Relationship
	list := buffer[:0]
	for it := r.Array(); it.Next(); {
		list = longer(r, list)
		list[len(list)-1].decode(r)
	}
	*rs = exact(r, list)
}

func (rs Relationships) append(b []byte) []byte {
	if rs == nil {
		return append(b, "null"...)
	}
	b = append(b, '[')
	for i := range rs {
		if i > 0 {
			b = append(b, ',')
		}
		b = rs[i].append(b)
	}
	return append(b, ']')
}

func (x *Relationship) decode(r *jsonio.Reader) {
	at := -1            // where attributes are that wait for a type
	var as ResourceType // what attributes were decoded as
	for it := r.Object(); it.Next(); {
		switch string(r.Key()) {
		case "id":
			if id, ok := r.TryUUID(); ok {
				x.ID = id
			} else {
				x.Extra = x.Extra.keep(r)
			}
		case "type":
			x.Type = ResourceType(r.Name())
		case "related":
			if r.Kind() == 'n' {
				x.Extra = x.Extra.keep(r)
			} else {
				x.Related = MangaRelationType(r.Name())
			}
		case "attributes":
			at, as = r.Offset(), x.Type
			switch {
			case r.Kind() != '{': // null, or an empty map
				x.Attributes = RawAttributes(r.Raw())
				at = -1
			case as == "":
				r.Skip()
			default:
				x.Attributes = decodeAttributes(as, r)
			}
		default:
			x.Extra = x.Extra.keep(r)
		}
		if r.Odd() {
			x.Extra = x.Extra.keepOdd(r, it)
		}
	}
	if at >= 0 && (as != x.Type || as == "") && r.Err() == nil {
		end := r.Offset()
		r.Seek(at)
		x.Attributes = decodeAttributes(x.Type, r)
		r.Seek(end)
	}
}

func (x *Relationship) append(b []byte) []byte {
	start := len(b)
	b = jsonio.AppendUUID(append(b, `,"id":`...), x.ID)
	b = jsonio.AppendName(append(b, `,"type":`...), string(x.Type))
	if x.Related != "" {
		b = jsonio.AppendString(append(b, `,"related":`...), string(x.Related))
	}
	if x.Attributes != nil {
		b = append(b, `,"attributes":`...)
		if raw, ok := x.Attributes.(RawAttributes); ok {
			b = jsonio.AppendRaw(b, json.RawMessage(raw))
		} else {
			b = appendJSON(b, x.Attributes)
		}
	}
	b = jsonio.AppendExtra(b, start, x.Extra)
	return jsonio.Close(b, start)
}
