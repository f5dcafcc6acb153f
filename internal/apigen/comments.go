package main

import (
	"bytes"
	"maps"

	"github.com/getkin/kin-openapi/openapi3"
)

// describe gives a property that is a reference the description beside the $ref. OpenAPI 3.0 has
// no place for one, so that oapi-codegen would repeat that of the type.
func (l *lowering) describe() {
	for _, schema := range l.schemas {
		for name, ref := range schema.Value.Properties {
			if text := siblingDescription(ref); text != "" {
				schema.Value.Properties[name] = wrapped(ref, text)
			}
		}
	}
}

func siblingDescription(ref *openapi3.SchemaRef) string {
	if ref.Ref == "" {
		return ""
	}
	written, err := ref.MarshalYAML()
	if err != nil {
		return ""
	}
	members, _ := written.(map[string]any)
	text, _ := members["description"].(string)
	return text
}

// wrapped is the same property in the one form that may have a description of its own.
func wrapped(ref *openapi3.SchemaRef, text string) *openapi3.SchemaRef {
	extensions := maps.Clone(ref.Value.Extensions)
	for _, own := range []string{extGoName, extGoType, extRelations} {
		delete(extensions, own)
	}
	if extensions == nil {
		extensions = map[string]any{}
	}
	maps.Copy(extensions, ref.Extensions)
	return &openapi3.SchemaRef{Value: &openapi3.Schema{
		AllOf:       openapi3.SchemaRefs{{Ref: ref.Ref, Value: ref.Value}},
		Description: text,
		Nullable:    ref.Value.Nullable,
		Extensions:  extensions,
	}}
}

// lineWidth is how long a line of a comment gets, the indentation aside.
const lineWidth = 100

// wrapComments breaks the lines of comments that are too long. oapi-codegen writes a description
// as it stands.
func wrapComments(code []byte) []byte {
	var b bytes.Buffer
	for line := range bytes.Lines(code) {
		text := bytes.TrimLeft(line, "\t")
		indent := line[:len(line)-len(text)]
		if len(text) <= lineWidth || !bytes.HasPrefix(text, []byte("// ")) {
			b.Write(line)
			continue
		}
		width := 0
		for _, word := range bytes.Fields(text[3:]) {
			if width == 0 || width+1+len(word) > lineWidth {
				if width > 0 {
					b.WriteByte('\n')
				}
				b.Write(indent)
				b.WriteString("//")
				width = 2
			}
			b.WriteByte(' ')
			b.Write(word)
			width += 1 + len(word)
		}
		b.WriteByte('\n')
	}
	return b.Bytes()
}
