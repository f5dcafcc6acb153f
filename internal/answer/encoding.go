package answer

import (
	"bufio"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"io"
	"net/http"
	"strings"
)

// Encoding returns how the body of an answer is encoded, such as br, and empty if it is not.
func Encoding(header http.Header) string {
	return strings.Join(encodings(header), ", ")
}

func encodings(header http.Header) (list []string) {
	if header["Content-Encoding"] == nil { // as a rule
		return nil
	}
	for name := range strings.SplitSeq(strings.Join(header["Content-Encoding"], ","), ",") {
		if name = strings.ToLower(strings.TrimSpace(name)); name != "" && name != "identity" {
			list = append(list, name)
		}
	}
	return list
}

// Decode has the body of an answer read without its encoding, and takes the encoding out of the
// header, as net/http does with what it has asked for. An answer with an encoding that the standard
// library cannot read stays as it is: see [Encoding].
func Decode(resp *http.Response) {
	list := encodings(resp.Header)
	if resp.Body == nil || len(list) == 0 {
		return
	}
	const most = 3 // more is no use to anyone but an attacker
	for _, name := range list {
		if decoders[name] == nil || len(list) > most {
			return
		}
	}
	var plain io.Reader = resp.Body
	for i := len(list) - 1; i >= 0; i-- {
		plain = &decoding{source: bufio.NewReader(plain), open: decoders[list[i]]}
	}
	resp.Body = struct {
		io.Reader
		io.Closer
	}{plain, resp.Body}
	header := resp.Header.Clone()
	header.Del("Content-Encoding")
	header.Del("Content-Length")
	resp.Header, resp.ContentLength, resp.Uncompressed = header, -1, true
}

var decoders = map[string]func(*bufio.Reader) (io.Reader, error){
	"gzip":    inGzip,
	"x-gzip":  inGzip,
	"deflate": deflated,
}

func inGzip(source *bufio.Reader) (io.Reader, error) { return gzip.NewReader(source) }

// deflated reads zlib, which the name means, or what it holds alone, which some servers take it for.
func deflated(source *bufio.Reader) (io.Reader, error) {
	const deflate = 8 // the method, in the low half of the first byte
	if head, err := source.Peek(2); err == nil && head[0]&0xf == deflate && (int(head[0])<<8|int(head[1]))%31 == 0 {
		return zlib.NewReader(source)
	}
	return flate.NewReader(source), nil
}

// A decoding is a body that is decoded once somebody reads it.
type decoding struct {
	source *bufio.Reader
	open   func(*bufio.Reader) (io.Reader, error)
	plain  io.Reader // nil before the first Read
	err    error
}

// Read implements [io.Reader]. Nothing at all, as with a 204, is nothing.
func (d *decoding) Read(p []byte) (int, error) {
	if d.plain == nil && d.err == nil {
		if _, d.err = d.source.Peek(1); d.err == nil {
			d.plain, d.err = d.open(d.source)
		}
	}
	if d.err != nil {
		return 0, d.err
	}
	return d.plain.Read(p)
}
