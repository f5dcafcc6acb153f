package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/mangadex-go/mangadex/api/apitest"
)

// roles are those of MangaDex.
var roles = []string{
	"ROLE_ADMIN", "ROLE_BANNED", "ROLE_BOT", "ROLE_CONTRIBUTOR", "ROLE_DESIGNER", "ROLE_DEVELOPER", "ROLE_FORUM_MODERATOR", "ROLE_GLOBAL_MODERATOR",
	"ROLE_GROUP_LEADER", "ROLE_GROUP_MEMBER", "ROLE_GUEST", "ROLE_MD_AT_HOME", "ROLE_MEMBER", "ROLE_POWER_UPLOADER", "ROLE_PUBLIC_RELATIONS",
	"ROLE_STAFF", "ROLE_SUPPORTER", "ROLE_UNVERIFIED", "ROLE_USER", "ROLE_VIP",
}

// An accountsFlag is the accounts of the flags, each as name or name:ROLE_A,ROLE_B.
type accountsFlag []apitest.Account

// String implements flag.Value.
func (f *accountsFlag) String() string { return "" }

// Set implements flag.Value.
func (f *accountsFlag) Set(text string) error {
	name, list, given := strings.Cut(text, ":")
	if name == "" {
		return errors.New("the account has no name")
	}
	a := apitest.Account{Username: name}
	if given {
		a.Roles = strings.Split(list, ",")
		for _, role := range a.Roles {
			if !strings.HasPrefix(role, "ROLE_") {
				return errors.New("roles are names like ROLE_MEMBER and ROLE_STAFF, with commas between them")
			}
			if !slices.Contains(roles, role) {
				return fmt.Errorf("there is no role %s; there are %s", role, strings.Join(roles, ", "))
			}
		}
	}
	*f = append(*f, a)
	return nil
}
