// Package realms tests package authn against OAuth2 servers that others have written, behind the paths
// of a realm of Keycloak. It is a module of its own, so that nobody else needs what these servers need.
package realms
