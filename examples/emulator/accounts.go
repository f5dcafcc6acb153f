package main

import (
	"errors"
	"strings"

	"github.com/mangadex-go/mangadex/api/apitest"
)

// An accountsFlag is the accounts of the flags, each as name or name:ROLE_A,ROLE_B.
type accountsFlag []apitest.Account

// String implements flag.Value.
func (f *accountsFlag) String() string { return "" }

// Set implements flag.Value.
func (f *accountsFlag) Set(text string) error {
	name, roles, given := strings.Cut(text, ":")
	if name == "" {
		return errors.New("the account has no name")
	}
	a := apitest.Account{Username: name}
	if given {
		a.Roles = strings.Split(roles, ",")
		for _, role := range a.Roles {
			if !strings.HasPrefix(role, "ROLE_") {
				return errors.New("roles are names like ROLE_MEMBER and ROLE_STAFF, with commas between them")
			}
		}
	}
	*f = append(*f, a)
	return nil
}
