// Package mangadex is a client for the API of MangaDex, a reader for scanlated manga.
//
// It holds no code itself. Package api has a typed method for each operation, package authn logs
// in and stays logged in. The bindings are generated from openapi.yaml, the facts of the document
// that MangaDex publishes, and api/overlay, our corrections to it:
//
//	go run ./internal/specimport DOCUMENT   # openapi.yaml from a new document
//	go generate ./...                       # everything else from openapi.yaml
package mangadex

//go:generate go run ./internal/apigen
