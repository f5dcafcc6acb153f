package main

import (
	"maps"
	"slices"
	"strconv"

	"github.com/getkin/kin-openapi/openapi3"
)

// writeForms writes the types of multipart bodies that the overlay names and nobody has written by hand.
func (m *model) writeForms(p *printer) {
	p.line("import \"encoding/json\"\n")
	written := map[string]bool{}
	for _, op := range m.ops {
		if op.form == "" || op.form == "io.Reader" || m.taken.names[op.form] || written[op.form] {
			continue
		}
		written[op.form] = true
		writeForm(p, op.form, op.formSchema())
	}
}

// formSchema is what a form consists of.
func (op *operation) formSchema() *openapi3.Schema {
	content := op.spec.RequestBody.Value.Content
	for _, mediaType := range slices.Sorted(maps.Keys(content)) {
		if schema := content[mediaType].Schema; schema != nil && schema.Value != nil && mediaType != "application/json" {
			form := &openapi3.Schema{Description: schema.Value.Description, Properties: openapi3.Schemas{}}
			addParts(form, schema.Value)
			return form
		}
	}
	return &openapi3.Schema{}
}

// addParts adds to a form what a schema has, and what it consists of.
func addParts(form, s *openapi3.Schema) {
	for _, part := range s.AllOf {
		if part.Value != nil {
			addParts(form, part.Value)
		}
	}
	maps.Copy(form.Properties, s.Properties)
	form.Required = append(form.Required, s.Required...)
}

// partsLeft are the parts of a form that its type, if that is written by hand, does not send.
func (m *model) partsLeft(op *operation) (parts []string) {
	if op.form == "" || !m.taken.names[op.form] {
		return nil
	}
	sent, _ := op.spec.RequestBody.Value.Extensions[extGoParts].([]any)
	for part := range op.formSchema().Properties {
		if !slices.Contains(sent, any(part)) {
			parts = append(parts, "`"+part+"`")
		}
	}
	slices.Sort(parts)
	return parts
}

// writeForm writes a form: a file for each part that is binary, a text, or a pointer to what else it is.
func writeForm(p *printer, name string, s *openapi3.Schema) {
	members := slices.Sorted(maps.Keys(s.Properties))
	goNames := map[string]string{}
	for _, member := range members {
		goNames[member] = goName(member)
	}
	goNames = distinct(goNames, nil, func(string) bool { return false })
	comment(p, name+" "+s.Description)
	p.line("type %s struct {", name)
	for _, member := range members {
		v := s.Properties[member].Value
		if text := v.Description; text != "" {
			comment(p, goNames[member]+" "+text)
		}
		p.line("%s %s", goNames[member], formType(v))
	}
	p.line("}\n")

	p.line("func (x %s) fields() (fields formFields, err error) {", name)
	for _, member := range members {
		switch formType(s.Properties[member].Value) {
		case "File":
		case "string":
			p.line("fields.text(%q, x.%s)", member, goNames[member])
		default:
			p.line("if err := fields.value(%q, x.%s); err != nil {\nreturn nil, err\n}", member, goNames[member])
		}
	}
	p.line("return fields, nil\n}\n")

	p.line("func (x %s) files() (files []formFile) {", name)
	for i, member := range slices.DeleteFunc(members, func(member string) bool { return formType(s.Properties[member].Value) != "File" }) {
		add := "files = append(files, formFile{" + strconv.Quote(member) + ", x." + goNames[member] + "})"
		if i > 0 && !slices.Contains(s.Required, member) {
			add = "if x." + goNames[member] + ".Content != nil {\n" + add + "\n}"
		}
		p.line("%s", add)
	}
	p.line("return files\n}\n")
}

// formType is the Go type of a part of a form.
func formType(s *openapi3.Schema) string {
	if len(s.AllOf) == 1 && s.Type == nil && s.AllOf[0].Value != nil {
		s = s.AllOf[0].Value // a reference that has words of its own
	}
	switch {
	case s.Type.Is("string") && s.Format == "binary":
		return "File"
	case s.Type.Is("string"):
		return "string"
	case s.Type.Is("integer"):
		return "*int"
	case s.Type.Is("number"):
		return "*float64"
	case s.Type.Is("boolean"):
		return "*bool"
	}
	return "json.RawMessage"
}
