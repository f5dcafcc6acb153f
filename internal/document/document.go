// Package document reads the OpenAPI documents that MangaDex publishes.
//
// It keeps the facts of a document (paths, operations, parameters, types, enums, security), drops
// every sentence and every example, writes the rest in a fixed order, and tells what two documents
// have in common. The same facts give the same bytes, whether they come as YAML or as JSON. Nothing
// is corrected here.
//
// The comparison is of its own: oasdiff (v1.38) does not see a sort key that is taken away, another style of
// a parameter or a closed object, takes a document that comes as OpenAPI 3.1 for a breaking change, and
// tells a change of a component once for each operation that uses it, a thousand lines instead of a hundred.
package document
