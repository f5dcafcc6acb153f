// Package clients tests the library with other people's HTTP clients and transports above and below
// it. It is a module of its own, because they have many dependencies.
package clients
