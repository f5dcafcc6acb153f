package apitest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"image"
	"io"
	"mime"
	"mime/multipart"
)

// fields decodes the body, which fits the specification.
func fields[T any](c *call) T {
	var v T
	if err := json.Unmarshal(c.body, &v); err != nil {
		c.complain("the body does not decode: %v", err)
	}
	return v
}

// decode overwrites those members of v that the body has. What the body does not have stays, null
// is nil.
func (c *call) decode(v any) {
	if err := json.Unmarshal(c.body, v); err != nil {
		c.complain("the body does not decode: %v", err)
	}
}

// current checks that an edit is of the newest version: the number that was read last, and not the
// next one. So says the documentation of Hondana, which has the same words for the argument of its
// update methods and for the attribute. mangadex-full-api sends the next one in all its edits; what the
// real server makes of that is not known.
func (c *call) current(h *head) error {
	if version := fields[struct{ Version int }](c).Version; version != h.version {
		return conflict("The version of the edit is not the current one.")
	}
	return nil
}

// A part is a file of a multipart body.
type part struct {
	fileName string
	content  []byte
}

// parts reads a multipart body: the files by the name of their field, of which the last one
// counts, and the other fields.
func (c *call) parts() (names []string, files map[string]part, values map[string]string, err error) {
	_, parameters, err := mime.ParseMediaType(c.request.Header.Get("Content-Type"))
	if err != nil {
		return nil, nil, nil, invalid("Content-Type", "it is malformed")
	}
	reader := multipart.NewReader(bytes.NewReader(c.body), parameters["boundary"])
	files, values = map[string]part{}, map[string]string{}
	for {
		p, err := reader.NextPart()
		if err == io.EOF {
			return names, files, values, nil
		}
		if err != nil {
			return nil, nil, nil, invalid("body", "the multipart body is malformed: "+err.Error())
		}
		content, err := io.ReadAll(p)
		if err != nil {
			return nil, nil, nil, invalid("body", "the multipart body is cut off")
		}
		name := p.FormName()
		if p.FileName() == "" {
			values[name] = string(content)
			continue
		}
		if _, again := files[name]; !again {
			names = append(names, name)
		} else {
			c.complain("two files are in the field %q; the last one counts", name)
		}
		files[name] = part{p.FileName(), content}
	}
}

// picture checks an uploaded picture and returns its type.
func (p part) picture() (string, error) {
	if len(p.content) > maxFileSize {
		return "", fmt.Errorf("the file is larger than %d MB", maxFileSize>>20)
	}
	config, format, err := image.DecodeConfig(bytes.NewReader(p.content))
	if err != nil {
		return "", fmt.Errorf("the file is not a JPEG, PNG or GIF picture")
	}
	if config.Width >= maxSide || config.Height >= maxSide {
		return "", fmt.Errorf("a side of the picture is not below %d pixels", maxSide)
	}
	if _, _, err := image.Decode(bytes.NewReader(p.content)); err != nil {
		return "", fmt.Errorf("the picture is damaged")
	}
	return "image/" + format, nil
}
