// Package wine lets tests tell Wine from Windows. A test is skipped there only for what Wine does wrong.
package wine

import "testing"

// Skip skips a test under Wine, and says what Wine does wrong.
func Skip(t testing.TB, why string) {
	t.Helper()
	if isHere() {
		t.Skip("Wine: " + why)
	}
}

// SkipLinks skips a test of symbolic links.
func SkipLinks(t testing.TB) {
	t.Helper()
	Skip(t, "its CreateSymbolicLink succeeds and makes nothing")
}
