package reading

import (
	"fmt"
	"net/url"
	"strconv"
	"strings"

	"github.com/google/uuid"

	"github.com/mangadex-go/mangadex/api"
)

// A Link is what an address of MangaDex leads to.
type Link struct {
	// Kind is what it is: ResourceTypeManga, Chapter, CustomList, ScanlationGroup, Author, User,
	// CoverArt or Tag of package api. It is empty for an id alone.
	Kind api.ResourceType

	// ID is its id; for a cover, the id of the title. It is zero if the address has an old one.
	ID uuid.UUID

	// Old is an id from before 2021, zero without one. [api.Client.MapLegacyIDs] returns the new id of
	// titles, chapters, groups and tags.
	Old int

	Page int    // of a chapter, from 1; zero if the address has none
	File string // of a cover
}

// kinds are the first parts of paths, the usual one of a kind first. API and site differ in some.
var kinds = []struct {
	path string
	kind api.ResourceType
}{
	{"title", api.ResourceTypeManga},
	{"manga", api.ResourceTypeManga},
	{"chapter", api.ResourceTypeChapter},
	{"list", api.ResourceTypeCustomList},
	{"group", api.ResourceTypeScanlationGroup},
	{"author", api.ResourceTypeAuthor},
	{"user", api.ResourceTypeUser},
	{"covers", api.ResourceTypeCoverArt},
	{"cover", api.ResourceTypeCoverArt},
	{"tag", api.ResourceTypeTag},
	{"at-home/server", api.ResourceTypeChapter},
	{"og-image/manga", api.ResourceTypeManga},
	{"og-image/chapter", api.ResourceTypeChapter},
	{"titles", api.ResourceTypeManga},
	{"artist", api.ResourceTypeAuthor},
	{"genre", api.ResourceTypeTag},
}

// ParseLink reads an address of MangaDex in any form that people paste: with or without https://, of
// the site, its API or its host of covers, with a name, a page or a query behind the id, in angle
// brackets; or an id alone. It is false for everything else.
func ParseLink(text string) (Link, bool) {
	text = strings.TrimSpace(strings.Trim(strings.TrimSpace(text), "<>\"'"))
	if len(text) > maxAddress {
		return Link{}, false
	}
	if id, ok := parseID(text); ok {
		return Link{ID: id}, true
	}
	if !strings.Contains(text, "://") {
		text = "https://" + strings.TrimPrefix(text, "//") // which browsers do not show
	}
	u, err := url.Parse(text)
	if err != nil || !isHTTP(u) || !isSite(u.Hostname()) {
		return Link{}, false
	}
	path := strings.FieldsFunc(u.Path, func(r rune) bool { return r == '/' })
	for _, k := range kinds {
		n := strings.Count(k.path, "/") + 1
		if len(path) > n && strings.EqualFold(strings.Join(path[:n], "/"), k.path) {
			return parseLink(k.kind, path[n], path[n+1:])
		}
	}
	return Link{}, false
}

// parseLink reads an id and what is behind it.
func parseLink(kind api.ResourceType, id string, rest []string) (Link, bool) {
	l := Link{Kind: kind}
	if n, err := strconv.ParseInt(id, 10, 32); err == nil && n > 0 && id[0] != '+' {
		l.Old = int(n)
	} else if parsed, ok := parseID(id); ok {
		l.ID = parsed
	} else {
		return Link{}, false
	}
	switch {
	case len(rest) == 0:
	case kind == api.ResourceTypeChapter:
		if page, err := strconv.ParseInt(rest[0], 10, 32); err == nil && page > 0 {
			l.Page = int(page)
		}
	case kind == api.ResourceTypeCoverArt:
		l.File = rest[0]
	}
	return l, true
}

// parseID reads an id as MangaDex writes it. Package uuid takes other forms, too.
func parseID(text string) (uuid.UUID, bool) {
	id, err := uuid.Parse(text)
	return id, err == nil && len(text) == 36
}

// isSite reports whether a host is one of MangaDex that has addresses.
func isSite(host string) bool {
	switch strings.ToLower(strings.TrimSuffix(host, ".")) {
	case "mangadex.org", "www.mangadex.org", "canary.mangadex.org", "api.mangadex.org", "uploads.mangadex.org", "og.mangadex.org",
		"mangadex.dev", "sandbox.mangadex.dev", "canary.mangadex.dev", "api.mangadex.dev",
		"mangadex.cc", "www.mangadex.cc", "mangadex.com", "www.mangadex.com": // of old
		return true
	}
	return false
}

// URL is the address on the site of MangaDex, or of a cover on its host; empty for a link without a kind
// or an id.
func (l Link) URL() string {
	id := l.ID.String()
	switch {
	case l.Old > 0:
		id = strconv.Itoa(l.Old)
	case l.ID == uuid.Nil:
		return ""
	}
	if l.Kind == api.ResourceTypeCoverArt {
		if l.File != "" && l.Old == 0 {
			return api.CoverURL(l.ID, l.File, api.CoverOriginal)
		}
		return site + "/title/" + id + "?tab=art" // covers have no page of their own
	}
	for _, k := range kinds {
		if k.kind == l.Kind {
			address := site + "/" + k.path + "/" + id
			if l.Kind == api.ResourceTypeChapter && l.Page > 0 {
				address += "/" + strconv.Itoa(l.Page)
			}
			return address
		}
	}
	return ""
}

const site = "https://mangadex.org"

// URL is the address on the site of MangaDex of a title, a chapter and so on, see [Link.Kind]; empty for
// another kind.
func URL(kind api.ResourceType, id uuid.UUID) string { return Link{Kind: kind, ID: id}.URL() }

// WebAddress is the address that a user wrote, if it is one that a browser may be sent to: http or
// https, with a host in ASCII and without a password. Characters that an address may not hold come back
// escaped, so it is fit for HTML, RSS and a terminal. It is empty for everything else, such as
// javascript:.
func WebAddress(text string) string {
	text = strings.TrimSpace(text)
	if len(text) > maxAddress {
		return ""
	}
	u, err := url.Parse(text)
	if err != nil || !isHTTP(u) || u.Hostname() == "" || u.User != nil || u.Opaque != "" {
		return ""
	}
	if strings.ContainsFunc(u.Host, isNotOfHost) {
		return ""
	}
	var b strings.Builder
	for _, c := range []byte(u.String()) {
		if c <= ' ' || c > '~' || strings.IndexByte("\"<>`\\^{|}", c) >= 0 {
			fmt.Fprintf(&b, "%%%02X", c)
			continue
		}
		b.WriteByte(c)
	}
	return b.String()
}

// maxAddress is how long an address can be. Servers and browsers take about as much.
const maxAddress = 8 << 10

// isNotOfHost reports whether a rune is in no host. Letters of other scripts are for look-alikes.
func isNotOfHost(r rune) bool {
	return !('a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || strings.ContainsRune("-._:[]", r))
}

func isHTTP(u *url.URL) bool {
	return strings.EqualFold(u.Scheme, "http") || strings.EqualFold(u.Scheme, "https")
}
