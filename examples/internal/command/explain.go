package command

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/url"
	"strings"
	"syscall"

	"github.com/mangadex-go/mangadex/api"
	"github.com/mangadex-go/mangadex/api/reading"
	"github.com/mangadex-go/mangadex/api/transport"
	"github.com/mangadex-go/mangadex/authn"
	"github.com/mangadex-go/mangadex/internal/answer"
)

// Explain says in one line what is wrong and what to do.
func (c *Command) Explain(err error) string {
	text := oneLine(err.Error())
	if api.MayBeDone(err) && !strings.Contains(text, "may have done it") { // which some say themselves
		text += "; it may have been done all the same: look before you do it again"
	}
	var unauthorized *authn.UnauthorizedError
	var token *authn.TokenError
	var refusal *api.Error
	var path *fs.PathError
	switch {
	case connection(err) != nil:
		return fmt.Sprintf("%s cannot be reached; check the network: %s", c.host(), oneLine(connection(err).Error()))
	case isBan(err):
		text = c.host() + " refuses this address for some minutes, which looks like a ban for too many requests; wait five minutes, and run fewer programs at once"
		if *c.server != "" {
			text += "; for a server of your own, see -limits of examples/emulator"
		}
		return text
	case isUnread(err):
		return "nobody reads the output any more: " + text
	case isFull(err):
		return text + "; make room there"
	case errors.Is(err, fs.ErrPermission), isUnwritable(err), errors.As(err, &path) && path.Op == "mkdir":
		return text + "; choose another place, or change its permissions"
	case path != nil && errors.Is(err, fs.ErrNotExist):
		return text + "; check the path"
	case path != nil && errors.Is(err, syscall.EISDIR):
		return text + "; give a file"
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
	case errors.As(err, &refusal) && errors.Is(refusal, api.ErrNotFound):
		return text + "; check the id"
	case errors.As(err, &token): // which says itself what to do
		return text
	case errors.Is(err, api.ErrRateLimited):
		return text + "; wait a little, then try again"
	case errors.As(err, &refusal) && (verdict(refusal).Temporary || errors.Is(err, api.ErrNotJSON)), errors.Is(err, api.ErrServer):
		return text + "; try again later"
	case refusal == nil && lost(err):
		return text + "; check the network, then try again"
	}
	return text
}

// isBan tells the guard in front of a server from the server.
func isBan(err error) bool {
	var banned *transport.BannedError
	var refused *api.Error
	return errors.As(err, &banned) || errors.As(err, &refused) && answer.LooksLikeBan(refused.StatusCode, refused.Header)
}

func verdict(e *api.Error) answer.Verdict {
	return answer.Of(e.StatusCode, answer.KindOf(e.Header.Get("Content-Type"), e.Body))
}

// lost tells whether a connection broke.
func lost(err error) bool {
	var op *net.OpError
	return (errors.As(err, &op) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)) && answer.OfError(err).Temporary
}

// connection is what went wrong before there was a connection to the server, nil if it was not that. A
// program may have connections to others: a database, say.
func connection(err error) error {
	var sent *url.Error
	var token *authn.TokenError
	var dns *net.DNSError
	var op *net.OpError
	switch {
	case !errors.As(err, &sent) && !errors.As(err, &token):
		return nil
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
	return packages.Replace(reading.Line(first))
}

var packages = strings.NewReplacer("api: ", "", "athome: ", "", "authn: ", "", "transport: ", "", "upload: ", "")
