package athome

import (
	"bytes"
	"encoding/binary"
	"mime"
	"net/http"
	"strings"
)

// otherPicture is the ending for files of pictures that are not listed below.
const otherPicture = ".img"

// pictureKinds are the types of pictures with the endings of their files.
var pictureKinds = []struct{ contentType, ext string }{
	{"image/jpeg", ".jpg"},
	{"image/png", ".png"},
	{"image/gif", ".gif"},
	{"image/webp", ".webp"},
	{"image/avif", ".avif"},
	{"image/bmp", ".bmp"},
	{"image/jxl", ".jxl"},
}

func isPicture(contentType string) bool {
	mediaType, _, err := mime.ParseMediaType(contentType)
	return err == nil && strings.HasPrefix(mediaType, "image/")
}

// pictureType tells the type of a picture by its first bytes, or else by what the host says.
func pictureType(head []byte, declared string) string {
	if seen := seenType(head); seen != "" {
		return seen
	}
	mediaType, _, _ := mime.ParseMediaType(declared)
	return mediaType
}

// seenType tells the type of a picture by its first bytes, empty if they do not tell.
func seenType(head []byte) string {
	if len(head) >= 12 && string(head[4:12]) == "ftypavif" {
		return "image/avif"
	}
	if seen := http.DetectContentType(head); isPicture(seen) {
		return seen
	}
	return ""
}

// extension is the ending for files of a type.
func extension(contentType string) string {
	for _, kind := range pictureKinds {
		if kind.contentType == contentType {
			return kind.ext
		}
	}
	return otherPicture
}

// isExtension reports whether files of pictures have this ending.
func isExtension(ext string) bool {
	for _, kind := range pictureKinds {
		if kind.ext == ext {
			return true
		}
	}
	return ext == otherPicture
}

const (
	headSize = 512     // bytes that tell the type
	tailSize = 4 << 10 // bytes in which the end of a picture is; some have a little behind it
)

// A sight is what is kept of a picture on its way, to tell by its head and end whether it is whole.
type sight struct {
	head, tail []byte
	size       int64
}

// see takes the next bytes.
func (s *sight) see(p []byte) {
	s.size += int64(len(p))
	s.head = append(s.head, p[:min(len(p), headSize-len(s.head))]...)
	if len(p) >= tailSize {
		s.tail = append(s.tail[:0], p[len(p)-tailSize:]...)
		return
	}
	if over := len(s.tail) + len(p) - tailSize; over > 0 {
		s.tail = append(s.tail[:0], s.tail[over:]...)
	}
	s.tail = append(s.tail, p...)
}

// isWhole reports whether a picture has a head and an end that belong together. Of types whose end cannot
// be told it has only the head.
func (s *sight) isWhole() bool {
	switch kind := seenType(s.head); kind {
	case "image/jpeg":
		return bytes.Contains(s.tail, []byte{0xff, 0xd9})
	case "image/png":
		return bytes.Contains(s.tail, []byte("IEND\xaeB`\x82"))
	case "image/gif":
		return bytes.HasSuffix(bytes.TrimRight(s.tail, "\x00"), []byte{';'})
	case "image/webp":
		return s.size >= 8+int64(binary.LittleEndian.Uint32(s.head[4:]))
	}
	return s.size > 0
}
