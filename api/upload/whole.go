package upload

import (
	"bytes"
	"encoding/binary"
)

// Whether a picture has its end is told by its parts, which say how long they are. What is in them is
// not looked at, and what stands behind the end does no harm.

// wholePNG walks the chunks up to the last one.
func wholePNG(content []byte) bool {
	const signature, around = 8, 12 // bytes; a chunk has its length, type and checksum around its data
	for rest := content[min(signature, len(content)):]; len(rest) >= around; {
		length := uint64(binary.BigEndian.Uint32(rest)) + around
		if length > uint64(len(rest)) {
			return false
		}
		if string(rest[4:8]) == "IEND" {
			return true
		}
		rest = rest[length:]
	}
	return false
}

// wholeJPEG walks the segments, and what is coded between them, up to the mark of the end.
func wholeJPEG(content []byte) bool {
	const (
		mark       = 0xFF
		start, end = 0xD8, 0xD9
		firstReset = 0xD0 // eight of them, which have no length
		lastReset  = 0xD7
		temporary  = 0x01
	)
	for rest := content; ; {
		at := bytes.IndexByte(rest, mark) // in what is coded, a mark is followed by zero
		if at < 0 || at+1 >= len(rest) {
			return false
		}
		kind := rest[at+1]
		rest = rest[at+1:]
		switch {
		case kind == mark: // fills
		case kind == end:
			return true
		case kind == 0, kind == start, kind == temporary, firstReset <= kind && kind <= lastReset:
			rest = rest[1:]
		case len(rest) < 3:
			return false
		default:
			length := int(binary.BigEndian.Uint16(rest[1:])) + 1
			if length > len(rest) {
				return false
			}
			rest = rest[length:]
		}
	}
}

// wholeGIF walks the blocks up to the trailer.
func wholeGIF(content []byte) bool {
	const (
		header, image, extension, trailer = 13, 0x2C, 0x21, 0x3B
		flags                             = 10 // where the global flags are
		descriptor                        = 10 // length of that of an image, with its mark
	)
	if len(content) < header {
		return false
	}
	rest := skip(content, header+colours(content[flags]))
	for len(rest) > 0 {
		switch rest[0] {
		case trailer:
			return true
		case extension:
			rest = skip(rest, 2)
		case image:
			if len(rest) < descriptor {
				return false
			}
			rest = skip(rest, descriptor+colours(rest[descriptor-1])+1) // and the size of a code
		default:
			return false
		}
		for len(rest) > 0 && rest[0] != 0 { // sub-blocks, each with its length
			rest = skip(rest, int(rest[0])+1)
		}
		rest = skip(rest, 1)
	}
	return false
}

// colours is how long the table of colours is that flags of a GIF tell of.
func colours(flags byte) int {
	if flags&0x80 == 0 {
		return 0
	}
	return 3 << (flags&7 + 1)
}

// skip leaves out n bytes, as far as there are so many.
func skip(content []byte, n int) []byte { return content[min(n, len(content)):] }
