package api

import (
	"net/url"

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

// CoverURL returns the address of a cover, by the FileName of its attributes.
func CoverURL(manga uuid.UUID, fileName string, size CoverSize) string {
	return Uploads + "/covers/" + manga.String() + "/" + url.PathEscape(fileName) + string(size)
}
