package command

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"strings"

	"github.com/mangadex-go/mangadex/api"
	"github.com/mangadex-go/mangadex/authn"
)

// explain says in one line what is wrong and what to do.
func (c *Command) explain(err error) string {
	text := oneLine(err.Error())
	var unauthorized *authn.UnauthorizedError
	var token *authn.TokenError
	var answer *api.Error
	switch {
	case connection(err) != nil:
		return fmt.Sprintf("%s cannot be reached; check the network: %s", c.host(), oneLine(connection(err).Error()))
	case isFull(err):
		return text + "; make room there"
	case errors.Is(err, fs.ErrPermission), isUnwritable(err):
		return text + "; choose another place, or change its permissions"
	case errors.Is(err, api.ErrCaptchaRequired):
		return c.host() + " wants a captcha to be solved; log in at https://mangadex.org in a browser, then try again"
	case errors.As(err, &unauthorized):
		switch why := unauthorized.Unwrap(); {
		case why == nil:
			return "nobody is logged in; log in with examples/login"
		case errors.Is(why, authn.ErrRefreshTokenRefused):
			return "the login has ended; log in again with examples/login: " + oneLine(why.Error())
		default:
			return oneLine(why.Error())
		}
	case errors.As(err, &answer) && errors.Is(answer, api.ErrNotFound):
		return text + "; check the id"
	case errors.As(err, &token): // which says itself what to do
		return text
	case errors.Is(err, api.ErrRateLimited):
		return text + "; wait a little, then try again"
	case errors.Is(err, api.ErrServer), errors.Is(err, api.ErrNotJSON):
		return text + "; try again later"
	}
	return text
}

// connection is what went wrong before there was a connection to the server, nil if it was not that.
func connection(err error) error {
	var dns *net.DNSError
	var op *net.OpError
	switch {
	case errors.As(err, &op) && (op.Op == "dial" || op.Op == "proxyconnect"):
		return op
	case errors.As(err, &dns):
		return dns
	}
	return nil
}

// oneLine keeps the first line, which is the first error where errors were joined, and says how
// many there are behind it. The names of packages mean nothing to a user.
func oneLine(text string) string {
	first, rest, more := strings.Cut(strings.TrimSpace(text), "\n")
	if more {
		first += fmt.Sprintf(" (and %d more)", 1+strings.Count(rest, "\n"))
	}
	return packages.Replace(first)
}

var packages = strings.NewReplacer("api: ", "", "athome: ", "", "authn: ", "", "transport: ", "", "upload: ", "")
