package api

import (
	"net/url"
	"strings"

	"github.com/google/uuid"
)

// Uploads is the host of the covers. Requests to it must not carry a token.
const Uploads = "https://uploads.mangadex.org"

// A CoverSize chooses between a cover and its thumbnails.
type CoverSize string

// The sizes of a cover.
const (
	CoverOriginal CoverSize = ""
	CoverSmall    CoverSize = ".256.jpg" // at most 256 pixels wide
	CoverMedium   CoverSize = ".512.jpg" // at most 512 pixels wide
)

// CoverURL returns the address of a cover at MangaDex, by the FileName of its attributes.
func CoverURL(manga uuid.UUID, fileName string, size CoverSize) string {
	return coverURL(Uploads, manga, fileName, size)
}

// CoverURL returns the address of a cover as [CoverURL] does, for the server of the client: a mirror
// has the covers below its own address, so that pictures come from where everything else does.
func (c *Client) CoverURL(manga uuid.UUID, fileName string, size CoverSize) string {
	if c.server == nil || c.server.OfMangaDex() {
		return CoverURL(manga, fileName, size)
	}
	return coverURL(c.Server(), manga, fileName, size)
}

func coverURL(server string, manga uuid.UUID, fileName string, size CoverSize) string {
	return strings.TrimRight(server, "/") + "/covers/" + manga.String() + "/" + url.PathEscape(fileName) + string(size)
}
