// Package source tests what must hold of the source of the module as a whole: that each question which
// several packages ask is answered in one place.
package source
