// Package document reads the OpenAPI documents that MangaDex publishes.
//
// It keeps the facts of a document (paths, operations, parameters, types, enums, security), drops
// every sentence and every example, writes the rest in a fixed order, and tells what two documents
// have in common. The same facts give the same bytes, whether they come as YAML or as JSON. Nothing
// is corrected here.
package document
