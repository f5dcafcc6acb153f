package main

import (
	"go/ast"
	"maps"
	"slices"

	"github.com/getkin/kin-openapi/openapi3"
)

// secretTypes are the Go types whose schema says that they hold a secret.
func (m *model) secretTypes() map[string]bool {
	secret := map[string]bool{}
	for name, ref := range m.doc.Components.Schemas {
		if ref.Value.Extensions[extSecret] == true {
			secret[goTypeName(name, ref.Value)] = true
		}
	}
	return secret
}

// secrets are the structs that are or have one that holds a secret, in the order of their names. What is
// not known of an answer may be another.
func (m *model) secrets() []string {
	names := slices.Sorted(maps.Keys(m.types.structs))
	return slices.DeleteFunc(names, func(name string) bool { return !ast.IsExported(name) || !m.isSecret(name) })
}

// isSecret reports whether a type is or has one that holds a secret.
func (m *model) isSecret(goType string) bool {
	reached, secret := map[string]bool{}, m.secretTypes()
	m.reach(expression(goType), reached)
	for name := range reached {
		if secret[name] {
			return true
		}
	}
	return false
}

// isSecretParameter reports whether the value of a parameter of a path is a secret. Where nothing says
// so, free text may be one.
func isSecretParameter(p *openapi3.Parameter) bool {
	if secret, said := p.Extensions[extSecret].(bool); said {
		return secret
	}
	s := p.Schema.Value
	return s == nil || s.Type.Is("string") && s.Format == "" && len(s.Enum) == 0
}

// writeSecrets keeps package fmt and slog from printing what holds a secret. As JSON it is sent.
func (m *model) writeSecrets(p *printer) {
	p.line("import (\n\"fmt\"\n\"log/slog\"\n)\n")
	for _, goType := range m.secrets() {
		text := "api." + goType + "{withheld}"
		p.line("// Format implements [fmt.Formatter]. It withholds the content, which is secret.")
		p.line("func (%s) Format(f fmt.State, _ rune) { fmt.Fprint(f, %q) }\n", goType, text)
		p.line("// LogValue implements [slog.LogValuer]. It withholds the content, which is secret.")
		p.line("func (%s) LogValue() slog.Value { return slog.StringValue(%q) }\n", goType, text)
	}
}
