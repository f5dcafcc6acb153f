package document

import (
	"slices"
	"strings"
)

// A kind names what an object of an OpenAPI document is. It decides which keys
// of the object are keywords: `description` is a sentence in a schema, and a
// property among the properties of a schema.
type kind string

const (
	// An opaque value is not looked into: an extension, a default, a keyword
	// that is not known here.
	opaqueKind kind = ""

	documentKind       kind = "document"
	infoKind           kind = "info"
	serverKind         kind = "server"
	serverVariableKind kind = "server variable"
	tagKind            kind = "tag"
	pathsKind          kind = "paths"
	pathItemKind       kind = "path item"
	operationKind      kind = "operation"
	parameterKind      kind = "parameter"
	requestBodyKind    kind = "request body"
	mediaTypeKind      kind = "media type"
	encodingKind       kind = "encoding"
	responsesKind      kind = "responses"
	responseKind       kind = "response"
	callbackKind       kind = "callback"
	linkKind           kind = "link"
	schemaKind         kind = "schema"
	discriminatorKind  kind = "discriminator"
	componentsKind     kind = "components"
	securitySchemeKind kind = "security scheme"
	flowsKind          kind = "OAuth flows"
	flowKind           kind = "OAuth flow"
	proseKind          kind = "prose" // a sentence where OpenAPI demands a string
)

// A shape says how a keyword holds its values.
type shape int

const (
	one   shape = iota // the object itself
	list               // an array of them
	named              // a map from names to them
)

// A field is a keyword and what it holds.
type field struct {
	key   string
	shape shape
	kind  kind
}

// An object lists the keywords of a kind in the order in which they are
// written. Other keys are opaque, unless the keys of the object are names: then
// other holds the kind of their values.
type object struct {
	fields []field
	other  kind
}

// field tells what a key of the object holds.
func (o object) field(key string) field {
	for _, f := range o.fields {
		if f.key == key {
			return f
		}
	}
	if strings.HasPrefix(key, "x-") {
		return field{key: key}
	}
	return field{key: key, kind: o.other}
}

// order sorts the keys of an object: keywords as the grammar lists them, then
// the rest by name.
func (o object) order(keys []string) {
	rank := func(key string) int {
		i := slices.IndexFunc(o.fields, func(f field) bool { return f.key == key })
		if i < 0 {
			return len(o.fields)
		}
		return i
	}
	slices.SortFunc(keys, func(a, b string) int {
		if d := rank(a) - rank(b); d != 0 {
			return d
		}
		return strings.Compare(a, b)
	})
}

// isProse reports whether a key of an object holds sentences or examples. It
// is the same for all kinds, so that a sentence in the wrong place goes as well;
// in objects whose keys are names nothing is prose.
func (k kind) isProse(key string) bool {
	switch {
	case key == "x-examples" || key == "x-stoplight":
		return k != opaqueKind
	case k == opaqueKind || grammar[k].other != opaqueKind:
		return false
	case k == infoKind && (key == "contact" || key == "license" || key == "termsOfService"):
		return true
	case k == responseKind && key == "description":
		return false // OpenAPI demands it, so it is emptied instead
	}
	switch key {
	case "title", "summary", "description", "example", "examples", "externalDocs", "$comment":
		return true
	}
	return false
}

// values returns fields for keywords whose values are opaque.
func values(keys ...string) []field {
	fields := make([]field, len(keys))
	for i, key := range keys {
		fields[i] = field{key: key}
	}
	return fields
}

// methods returns the HTTP methods that a path item can have, in the order in
// which they are written and reported.
func methods() []string {
	return []string{"get", "post", "put", "patch", "delete", "options", "head", "trace"}
}

// grammar describes the objects of OpenAPI 3.0 and 3.1. It is only read.
var grammar = map[kind]object{
	documentKind: {fields: []field{
		{key: "openapi"},
		{key: "info", kind: infoKind},
		{key: "jsonSchemaDialect"},
		{"servers", list, serverKind},
		{key: "security"},
		{"tags", list, tagKind},
		{key: "paths", kind: pathsKind},
		{"webhooks", named, pathItemKind},
		{key: "components", kind: componentsKind},
	}},
	infoKind: {fields: values("title", "version")},
	serverKind: {fields: []field{
		{key: "url"},
		{"variables", named, serverVariableKind},
	}},
	serverVariableKind: {fields: values("enum", "default")},
	tagKind:            {fields: values("name")},
	pathsKind:          {other: pathItemKind},
	pathItemKind:       {fields: pathItemFields()},
	operationKind: {fields: []field{
		{key: "operationId"},
		{key: "tags"},
		{key: "deprecated"},
		{key: "security"},
		{"servers", list, serverKind},
		{"parameters", list, parameterKind},
		{key: "requestBody", kind: requestBodyKind},
		{key: "responses", kind: responsesKind},
		{"callbacks", named, callbackKind},
	}},
	parameterKind: {fields: append( // headers are parameters without name and place
		values("$ref", "name", "in", "required", "deprecated", "allowEmptyValue", "style", "explode", "allowReserved"),
		field{key: "schema", kind: schemaKind},
		field{"content", named, mediaTypeKind},
	)},
	requestBodyKind: {fields: []field{
		{key: "$ref"},
		{key: "required"},
		{"content", named, mediaTypeKind},
	}},
	mediaTypeKind: {fields: []field{
		{key: "schema", kind: schemaKind},
		{"encoding", named, encodingKind},
	}},
	encodingKind: {fields: append(
		values("contentType", "style", "explode", "allowReserved"),
		field{"headers", named, parameterKind},
	)},
	responsesKind: {other: responseKind},
	responseKind: {fields: []field{
		{key: "$ref"},
		{key: "description", kind: proseKind},
		{"headers", named, parameterKind},
		{"content", named, mediaTypeKind},
		{"links", named, linkKind},
	}},
	callbackKind: {fields: values("$ref"), other: pathItemKind},
	linkKind: {fields: append(
		values("$ref", "operationId", "operationRef", "parameters", "requestBody"),
		field{key: "server", kind: serverKind},
	)},
	schemaKind: {fields: append(
		values("$schema", "$id", "$anchor", "$dynamicAnchor", "$vocabulary", "$ref", "$dynamicRef",
			"type", "format", "nullable", "deprecated", "readOnly", "writeOnly", "const", "enum", "default",
			"minimum", "exclusiveMinimum", "maximum", "exclusiveMaximum", "multipleOf",
			"minLength", "maxLength", "pattern", "contentEncoding", "contentMediaType",
			"minItems", "maxItems", "uniqueItems", "minContains", "maxContains",
			"minProperties", "maxProperties", "required", "dependentRequired"),
		field{"properties", named, schemaKind},
		field{"patternProperties", named, schemaKind},
		field{key: "additionalProperties", kind: schemaKind},
		field{key: "unevaluatedProperties", kind: schemaKind},
		field{key: "propertyNames", kind: schemaKind},
		field{"dependentSchemas", named, schemaKind},
		field{"prefixItems", list, schemaKind},
		field{key: "items", kind: schemaKind},
		field{key: "unevaluatedItems", kind: schemaKind},
		field{key: "contains", kind: schemaKind},
		field{key: "contentSchema", kind: schemaKind},
		field{"allOf", list, schemaKind},
		field{"oneOf", list, schemaKind},
		field{"anyOf", list, schemaKind},
		field{key: "not", kind: schemaKind},
		field{key: "if", kind: schemaKind},
		field{key: "then", kind: schemaKind},
		field{key: "else", kind: schemaKind},
		field{key: "discriminator", kind: discriminatorKind},
		field{key: "xml"},
		field{"$defs", named, schemaKind},
		field{"definitions", named, schemaKind},
	)},
	discriminatorKind: {fields: values("propertyName", "mapping")},
	componentsKind: {fields: []field{
		{"securitySchemes", named, securitySchemeKind},
		{"parameters", named, parameterKind},
		{"headers", named, parameterKind},
		{"requestBodies", named, requestBodyKind},
		{"responses", named, responseKind},
		{"schemas", named, schemaKind},
		{"links", named, linkKind},
		{"callbacks", named, callbackKind},
		{"pathItems", named, pathItemKind},
	}},
	securitySchemeKind: {fields: append(
		values("$ref", "type", "name", "in", "scheme", "bearerFormat", "openIdConnectUrl"),
		field{key: "flows", kind: flowsKind},
	)},
	flowsKind: {fields: []field{
		{key: "implicit", kind: flowKind},
		{key: "password", kind: flowKind},
		{key: "clientCredentials", kind: flowKind},
		{key: "authorizationCode", kind: flowKind},
	}},
	flowKind: {fields: append(
		values("authorizationUrl", "tokenUrl", "refreshUrl"),
		field{"scopes", named, proseKind},
	)},
}

func pathItemFields() []field {
	fields := []field{
		{key: "$ref"},
		{"parameters", list, parameterKind},
		{"servers", list, serverKind},
	}
	for _, method := range methods() {
		fields = append(fields, field{key: method, kind: operationKind})
	}
	return fields
}
