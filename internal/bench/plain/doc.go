// Package plain is what benchmarks compare package api with: the client that oapi-codegen writes
// without our corrections, decoders and request builders, on encoding/json. It has three operations of openapi.yaml, which is a
// part of MangaDex's document and does not change with it.
package plain

//go:generate go tool oapi-codegen -config oapi-codegen.yaml openapi.yaml
