// Command bench measures what package api promises about speed, each figure as a ratio to a
// baseline of the same run, because absolute times differ between machines and moments.
//
//	go run ./internal/bench            # the table
//	go run ./internal/bench -node DIR  # also over mangadex-full-api, which npm has installed in DIR
//	go test -bench . ./internal/bench  # the same cases as Go benchmarks
//
// The baselines are the client that oapi-codegen writes without our additions (package plain), and
// a bare http.Client.
package main
