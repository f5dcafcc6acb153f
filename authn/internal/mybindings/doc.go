// Package mybindings is what oapi-codegen makes by itself of two operations of MangaDex's document. It
// stands for the bindings of somebody else, in tests and examples of package authn.
package mybindings

//go:generate go tool oapi-codegen -config oapi-codegen.yaml ../../../internal/bench/plain/openapi.yaml
