//go:build !unix

package main

import "testing"

func postgresOf(t *testing.T) string {
	t.Skip("PostgreSQL is started on Unix only")
	return ""
}

func stopPostgres() {}
