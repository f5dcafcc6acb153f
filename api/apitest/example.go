package apitest

import (
	"maps"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
)

// example answers an operation that this server knows from the document alone: with a success,
// and a body that fits.
func (c *call) example() ([]byte, error) {
	responses := c.server.spec.route(c.op).operation.Responses.Map()
	for _, code := range slices.Sorted(maps.Keys(responses)) {
		status, err := strconv.Atoi(code)
		if err != nil || status < 200 || status > 299 {
			continue
		}
		c.status = status
		if content := responses[code].Value.Content.Get(contentJSON); content != nil && content.Schema != nil {
			return encode(exampleOf(content.Schema.Value, c.now, 0)), nil
		}
		if content := responses[code].Value.Content.Get("text/plain"); content != nil && content.Schema != nil {
			c.contentType = contentPlain
			text, _ := exampleOf(content.Schema.Value, c.now, 0).(string)
			return []byte(text), nil
		}
		return done, nil
	}
	c.status = http.StatusOK
	return done, nil
}

// maxDepth ends examples of schemas that hold themselves.
const maxDepth = 12

// exampleOf makes a value that fits a schema, as small as can be.
func exampleOf(s *openapi3.Schema, now time.Time, depth int) any {
	switch {
	case depth > maxDepth:
		return nil
	case s.Default != nil:
		return s.Default
	case len(s.Enum) > 0:
		return s.Enum[0]
	case len(s.OneOf) > 0:
		return exampleOf(s.OneOf[0].Value, now, depth+1)
	case len(s.AnyOf) > 0:
		return exampleOf(s.AnyOf[0].Value, now, depth+1)
	case s.Nullable:
		return nil
	case len(s.AllOf) > 0:
		merged := map[string]any{}
		for _, part := range s.AllOf {
			value, ok := exampleOf(part.Value, now, depth+1).(map[string]any)
			if !ok {
				return exampleOf(part.Value, now, depth+1)
			}
			maps.Copy(merged, value)
		}
		return merged
	case s.Type.Is(openapi3.TypeObject), len(s.Properties) > 0:
		object := map[string]any{}
		for name, property := range s.Properties {
			if slices.Contains(s.Required, name) {
				object[name] = exampleOf(property.Value, now, depth+1)
			}
		}
		return object
	case s.Type.Is(openapi3.TypeArray):
		list := []any{}
		for range s.MinItems {
			list = append(list, exampleOf(s.Items.Value, now, depth+1))
		}
		return list
	case s.Type.Is(openapi3.TypeInteger), s.Type.Is(openapi3.TypeNumber):
		if s.Min != nil {
			return *s.Min
		}
		return 0
	case s.Type.Is(openapi3.TypeBoolean):
		return false
	case s.Type.Is(openapi3.TypeString):
		return exampleText(s, now)
	}
	return map[string]any{}
}

func exampleText(s *openapi3.Schema, now time.Time) string {
	switch s.Format {
	case "uuid":
		return named(namespace, "example").String()
	case "uuid-pair":
		id := named(namespace, "example").String()
		return id + "_" + id
	case "date-time":
		return now.Format("2006-01-02T15:04:05+00:00")
	case "date":
		return now.Format(time.DateOnly)
	case "uri":
		return "https://mangadex.example"
	case "email":
		return "someone@mail.example"
	}
	text := "example"
	for uint64(len(text)) < s.MinLength {
		text += "!"
	}
	if s.MaxLength != nil && uint64(len(text)) > *s.MaxLength {
		text = text[:*s.MaxLength]
	}
	return text
}
