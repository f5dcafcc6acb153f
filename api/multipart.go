package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"reflect"
	"strings"
)

// A File is a picture to upload.
type File struct {
	Name    string    // what the server calls it in its answer
	Content io.Reader // if it is an io.Seeker, the request can be repeated
}

// Limits of an upload.
const (
	MaxPagesPerRequest = 10        // files that one call of UploadPages may hold
	MaxPageSize        = 20 << 20  // bytes of a file
	MaxUploadSize      = 150 << 20 // bytes of all files of a session
	MaxPages           = 500       // files of a session
	MaxGroups          = 10        // groups of a chapter
)

// Pages are the files of one call of [Client.UploadPages], at most [MaxPagesPerRequest]. The
// answer names them by their file names, so these must differ.
type Pages []File

// formBody writes the parts of a multipart body.
type formBody interface {
	fields() (formFields, error) // an error for a form that the server would refuse
	files() []formFile
}

type formFile struct {
	field string
	file  File
}

func (p Pages) fields() (formFields, error) {
	if len(p) == 0 {
		return nil, errors.New("there are no pages to upload")
	}
	if len(p) > MaxPagesPerRequest {
		return nil, fmt.Errorf("%d pages in one request; the server takes at most %d", len(p), MaxPagesPerRequest)
	}
	names := make(map[string]bool, len(p))
	for _, f := range p {
		if names[f.Name] {
			return nil, fmt.Errorf("two pages are named %q; the names must differ", f.Name)
		}
		names[f.Name] = true
	}
	return nil, nil
}

func (p Pages) files() []formFile {
	files := make([]formFile, len(p))
	for i, f := range p {
		files[i] = formFile{fmt.Sprintf("file%d", i+1), f}
	}
	return files
}

// formFields are the parts of a form that are no files: those that are set.
type formFields [][2]string

func (f *formFields) text(name, value string) {
	if value != "" {
		*f = append(*f, [2]string{name, value})
	}
}

// value adds what a pointer leads to, as JSON: a number, true or false, or what has no other form.
//
//nolint:unused // for forms that the document does not have yet
func (f *formFields) value(name string, pointer any) error {
	if reflect.ValueOf(pointer).IsZero() {
		return nil
	}
	value, err := json.Marshal(pointer)
	f.text(name, string(value))
	return err
}

// A multipartForm is a multipart body, which is put together while it is sent.
type multipartForm struct {
	io.Reader
	contentType string
	length      int64                         // -1 if unknown
	rewind      func() (io.ReadCloser, error) // begins anew; nil if it cannot
	err         error
}

// attach makes the form the body of a request.
func (f *multipartForm) attach(r *request) {
	if r.err = errors.Join(f.err, r.err); r.err == nil {
		r.ContentLength, r.GetBody = f.length, f.rewind
	}
}

func newForm(body formBody) *multipartForm {
	f := &multipartForm{Reader: http.NoBody}
	f.err = f.fill(body)
	return f
}

func (f *multipartForm) fill(body formBody) error {
	fields, err := body.fields()
	if err != nil {
		return err
	}
	var frame bytes.Buffer
	form := multipart.NewWriter(&frame)
	f.contentType = form.FormDataContentType()
	for _, field := range fields {
		if err := form.WriteField(field[0], field[1]); err != nil {
			return err
		}
	}
	var parts []formPart
	f.length = 0
	for _, given := range body.files() {
		part, err := newFormPart(given.file)
		if err != nil {
			return err
		}
		header := textproto.MIMEHeader{}
		header.Set("Content-Disposition", fmt.Sprintf(`form-data; name="%s"; filename="%s"`, given.field, quoteFileName(given.file.Name)))
		header.Set("Content-Type", "application/octet-stream")
		if _, err := form.CreatePart(header); err != nil {
			return err
		}
		part.head = bytes.Clone(frame.Bytes())
		frame.Reset()
		parts = append(parts, part)
	}
	if err := form.Close(); err != nil {
		return err
	}
	tail := bytes.Clone(frame.Bytes())

	rewindable := true
	f.length = int64(len(tail))
	for _, part := range parts {
		if part.size < 0 {
			rewindable, f.length = false, -1
			break
		}
		f.length += int64(len(part.head)) + part.size
	}
	open := func() (io.ReadCloser, error) {
		readers := make([]io.Reader, 0, 2*len(parts)+1)
		for _, part := range parts {
			if err := part.rewind(); err != nil {
				return nil, err
			}
			readers = append(readers, bytes.NewReader(part.head), part.content)
		}
		return io.NopCloser(io.MultiReader(append(readers, bytes.NewReader(tail))...)), nil
	}
	reader, err := open()
	if err != nil {
		return err
	}
	f.Reader = reader
	if rewindable {
		f.rewind = open
	}
	return nil
}

// formPart is a file with what stands before it.
type formPart struct {
	head    []byte
	content io.Reader
	seeker  io.Seeker // nil if the content can be read once only
	start   int64
	size    int64 // -1 if unknown
}

func newFormPart(f File) (formPart, error) {
	if f.Content == nil {
		return formPart{}, fmt.Errorf("the file %q has no content", f.Name)
	}
	part := formPart{content: f.Content, size: -1}
	seeker, ok := f.Content.(io.Seeker)
	if !ok {
		return part, nil
	}
	start, err := seeker.Seek(0, io.SeekCurrent)
	if err != nil {
		return part, nil // a pipe
	}
	end, err := seeker.Seek(0, io.SeekEnd)
	if err != nil {
		return part, nil
	}
	part.seeker, part.start, part.size = seeker, start, end-start
	return part, nil
}

// rewind goes back to where the content began.
func (p formPart) rewind() error {
	if p.seeker == nil {
		return nil
	}
	_, err := p.seeker.Seek(p.start, io.SeekStart)
	return err
}

var fileNameQuoter = strings.NewReplacer("\\", "\\\\", `"`, "%22", "\r", "%0D", "\n", "%0A")

// quoteFileName writes a file name as browsers do.
func quoteFileName(name string) string { return fileNameQuoter.Replace(name) }
