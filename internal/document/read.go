package document

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/mangadex-go/mangadex/internal/answer"
)

// Bounds of what is read.
const (
	MaxBytes  = 64 << 20  // of a document; MangaDex's has 0.2 MB
	maxDepth  = 500       // of nested values
	maxValues = 1_000_000 // so that a few aliases cannot grow into all memory
	userAgent = "mangadex-go/specimport (+https://github.com/mangadex-go/mangadex)"
)

// A number is the text of a number, as the document has it until facts gives
// all ways to write it one form. The other values of a document are nil, bool,
// string, []any and map[string]any.
type number string

// A Document is an OpenAPI document.
type Document map[string]any

// Version returns what the document says is the version of the API.
func (d Document) Version() string {
	info, _ := d["info"].(map[string]any)
	version, _ := info["version"].(string)
	return version
}

// Read reads a document and returns its facts, and the content of the file
// that holds them. Its errors continue a sentence that begins with the name of
// the document.
func Read(data []byte) (Document, []byte, error) {
	doc, err := parse(data)
	if err != nil {
		return nil, nil, err
	}
	if err := recognize(doc); err != nil {
		return nil, nil, err
	}
	doc, err = facts(doc)
	if err != nil {
		return nil, nil, err
	}
	if err := complete(doc); err != nil {
		return nil, nil, err
	}
	content, err := format(doc)
	if err != nil {
		return nil, nil, err
	}
	return doc, content, nil
}

// Fetch returns the bytes of a file or of what a URL answers.
func Fetch(source string) ([]byte, error) {
	if !strings.HasPrefix(source, "http://") && !strings.HasPrefix(source, "https://") {
		file, err := os.Open(source)
		if err != nil {
			return nil, fmt.Errorf("the document cannot be read: %w; give the path of a file or an http(s) URL", err)
		}
		defer file.Close()
		if info, err := file.Stat(); err == nil && info.Size() > MaxBytes {
			return nil, tooLarge(source)
		}
		return readAll(file, source)
	}
	request, err := http.NewRequest(http.MethodGet, source, nil)
	if err != nil {
		return nil, fmt.Errorf("the document cannot be fetched: %w", err)
	}
	request.Header.Set("User-Agent", userAgent)
	client := http.Client{Timeout: 60 * time.Second}
	response, err := client.Do(request)
	if err != nil {
		return nil, fmt.Errorf("the document cannot be fetched: %w; try again later, or give a file", err)
	}
	defer response.Body.Close()
	if !answer.Whole(response.StatusCode) {
		return nil, fmt.Errorf("%s answers %s instead of 200 OK: look whether the URL is still right", Name(source), response.Status)
	}
	if response.ContentLength > MaxBytes {
		return nil, tooLarge(source)
	}
	return readAll(response.Body, source)
}

// readAll reads a document that is not too large to be one.
func readAll(r io.Reader, source string) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(r, MaxBytes+1))
	if err != nil {
		return nil, fmt.Errorf("%s cannot be read to its end: %w", Name(source), err)
	}
	if len(data) > MaxBytes {
		return nil, tooLarge(source)
	}
	return data, nil
}

func tooLarge(source string) error {
	return fmt.Errorf("%s has more than %d MiB, which no OpenAPI document of MangaDex's has: look whether it is the right one", Name(source), MaxBytes>>20)
}

// Name returns how messages call a source: without the password a URL may have.
func Name(source string) string {
	if u, err := url.Parse(source); err == nil && u.User != nil {
		return u.Redacted()
	}
	return source
}

// recognize refuses what is not a whole OpenAPI 3.0 or 3.1 document.
func recognize(doc Document) error {
	if v, ok := doc["swagger"]; ok {
		return fmt.Errorf("is a Swagger %v document, and only OpenAPI 3.0 and 3.1 are understood: Read it first", v)
	}
	version, ok := text(doc["openapi"])
	if !ok {
		return errors.New("is not an OpenAPI document, as it has no key openapi: look whether it is the right one")
	}
	if !regexp.MustCompile(`^3\.[01](\.|$)`).MatchString(version) {
		return fmt.Errorf("is an OpenAPI %q document, and only 3.0 and 3.1 are understood: Read it, or teach internal/specimport the new version", version)
	}
	info, _ := doc["info"].(map[string]any)
	if version, ok := text(info["version"]); !ok || version == "" {
		return errors.New("has no info.version, so it is broken or cut off: fetch it again")
	}
	if paths, _ := doc["paths"].(map[string]any); len(paths) == 0 {
		return errors.New("has no paths, so it is broken or cut off: fetch it again")
	}
	return nil
}

// text returns a version: a string, also where YAML takes it for a number.
func text(v any) (string, bool) {
	switch v := v.(type) {
	case string:
		return v, true
	case number:
		return string(v), true
	}
	return "", false
}

// complete refuses a document that refers to what is not in it, which is how a
// cut off YAML document shows.
func complete(doc Document) error {
	schemes, _ := lookup(doc, "#/components/securitySchemes").(map[string]any)
	return visit(map[string]any(doc), one, documentKind, "", func(at string, k kind, values map[string]any) error {
		references := []any{values["$ref"]}
		if k == discriminatorKind {
			mapping, _ := values["mapping"].(map[string]any)
			for _, key := range keys(mapping) {
				if s, ok := mapping[key].(string); ok && strings.HasPrefix(s, "#/") {
					references = append(references, s)
				}
			}
		}
		for _, v := range references {
			switch ref, ok := v.(string); {
			case v == nil:
			case !ok:
				return fmt.Errorf("is broken at %s: $ref is %s; fetch it again", at, sortOf(v))
			case !strings.HasPrefix(ref, "#"):
				return fmt.Errorf("refers to another document at %s (%s): import one that has everything in one file", at, ref)
			case strings.HasPrefix(ref, "#/") && lookup(doc, ref) == nil:
				return fmt.Errorf("is cut off or broken: %s refers to %s, which is not there; fetch it again", at, ref)
			}
		}
		security, ok := values["security"]
		if !ok || k != documentKind && k != operationKind {
			return nil
		}
		requirements, ok := security.([]any)
		if !ok {
			return fmt.Errorf("is cut off or broken: %s is %s, not a list; fetch it again", join(at, "security"), sortOf(security))
		}
		for _, requirement := range requirements {
			names, ok := requirement.(map[string]any)
			if !ok {
				return fmt.Errorf("is cut off or broken: an item of %s is %s, not an object; fetch it again", join(at, "security"), sortOf(requirement))
			}
			for _, name := range keys(names) {
				if _, ok := names[name].([]any); !ok {
					return fmt.Errorf("is cut off or broken: %s of %s is %s, not a list; fetch it again", name, join(at, "security"), sortOf(names[name]))
				}
				if _, known := schemes[name]; !known {
					return fmt.Errorf("is cut off or broken: %s names the scheme %s, which is not there; fetch it again", join(at, "security"), name)
				}
			}
		}
		return nil
	})
}

// lookup follows a reference within the document; what is not there is nil.
func lookup(doc Document, ref string) any {
	pointer, err := url.PathUnescape(strings.TrimPrefix(ref, "#/"))
	if err != nil {
		return nil
	}
	var value any = map[string]any(doc)
	for step := range strings.SplitSeq(pointer, "/") {
		step = strings.NewReplacer("~1", "/", "~0", "~").Replace(step)
		switch v := value.(type) {
		case map[string]any:
			value = v[step]
		case []any:
			i, err := strconv.Atoi(step)
			if err != nil || i < 0 || i >= len(v) {
				return nil
			}
			value = v[i]
		default:
			return nil
		}
	}
	return value
}

// resolved is what a reference stands for; anything else stands for itself.
func resolved(doc Document, object map[string]any) map[string]any {
	for range 8 { // a reference to a reference is rare, a circle of them an error
		ref, ok := object["$ref"].(string)
		if !ok {
			return object
		}
		object = members(lookup(doc, ref))
	}
	return nil
}

// sortOf says in words what sort of value it is.
func sortOf(v any) string {
	switch v.(type) {
	case nil:
		return "empty"
	case bool:
		return "a truth value"
	case number:
		return "a number"
	case string:
		return "a string"
	case []any:
		return "a list"
	}
	return "an object"
}
