package upload

import (
	"cmp"
	"slices"

	"github.com/google/uuid"

	"github.com/mangadex-go/mangadex/api"
)

// A Page is a page in a session.
type Page struct {
	// Name is the name of the file. Where the server has no name, or another page has the same, it is
	// the ID.
	Name   string
	ID     uuid.UUID
	Size   int64  // bytes; zero if the server does not say
	SHA256 string // of the content, in hexadecimal; empty if it is not known
}

// same reports whether two pages can have the same content, by what is known of them.
func (p Page) same(other Page) bool {
	size := p.Size == 0 || other.Size == 0 || p.Size == other.Size
	hash := p.SHA256 == "" || other.SHA256 == "" || p.SHA256 == other.SHA256
	return size && hash
}

// A file is one of the files of a session, as the server lists them.
type file = api.Ref[api.UploadSessionFileAttributes]

// published reports whether a file was in a chapter before the session.
func published(f file) bool {
	return f.Attributes != nil && f.Attributes.Source == api.FileSourceRemote
}

// pageOf makes a page of a file of a session.
func pageOf(f file) Page {
	page := Page{Name: f.ID.String(), ID: f.ID}
	if a := f.Attributes; a != nil {
		page.Name = cmp.Or(a.OriginalFileName, page.Name)
		page.Size = a.FileSize
		if isSHA256(a.FileHash) {
			page.SHA256 = a.FileHash
		}
	}
	return page
}

// isSHA256 tells a hash that can be compared from one of another kind.
func isSHA256(hash string) bool {
	const digits = 64
	return len(hash) == digits && !slices.ContainsFunc([]byte(hash), func(c byte) bool {
		return (c < '0' || c > '9') && (c < 'a' || c > 'f')
	})
}

// pagesOf makes pages of the files of a session, with names that differ.
func pagesOf(files []file) []Page {
	var pages []Page
	names := map[string]bool{}
	for _, f := range files {
		page := pageOf(f)
		if names[page.Name] {
			page.Name = f.ID.String()
		}
		names[page.Name] = true
		pages = append(pages, page)
	}
	return pages
}

// withoutCopies leaves out files that were sent again although they had come in.
func withoutCopies(files []file) []file {
	type content struct {
		name, hash string
		size       int64
	}
	seen := map[content]bool{}
	return slices.DeleteFunc(files, func(f file) bool {
		if f.Attributes == nil || f.Attributes.OriginalFileName == "" {
			return false
		}
		c := content{f.Attributes.OriginalFileName, f.Attributes.FileHash, f.Attributes.FileSize}
		again := seen[c]
		seen[c] = true
		return again
	})
}
