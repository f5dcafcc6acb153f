// Package release tests what a tag would publish, before there is one: the modules of the repository
// are packed as a module proxy packs them, and programs of strangers are built with nothing else. It is
// a module of its own, so that the library needs nothing of it.
package release
