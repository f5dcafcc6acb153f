package cli

import (
	"cmp"
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
	"github.com/mangadex-go/mangadex/internal/atomicfile"
)

// Hints tell [Explain] what it cannot know of a program.
type Hints struct {
	Server string // whom it talks to, such as "the server http://localhost:8931"; empty for MangaDex
	LogIn  string // how to log in, such as "with shelf login"
	Banned string // what else to do about a ban; may be empty
}

// Explain says in one line what is wrong and what to do, for an error of any package of this module, of
// the network or of a file.
func Explain(err error, hints Hints) string {
	text := OneLine(err.Error())
	and := func(hint string) string { return strings.TrimSuffix(text, ".") + "; " + hint } // the errors of Windows are sentences
	server := cmp.Or(hints.Server, "MangaDex")
	if api.MayBeDone(err) && !strings.Contains(text, "may have done it") { // which some say themselves
		text = and("it may have been done all the same: look before you do it again")
	}
	var unauthorized *authn.UnauthorizedError
	var token *authn.TokenError
	var refusal *api.Error
	var path *fs.PathError
	switch {
	case connection(err) != nil:
		return fmt.Sprintf("%s cannot be reached; check the network: %s", server, OneLine(connection(err).Error()))
	case isBan(err):
		text = server + " refuses this address for some minutes, which looks like a ban for too many requests; wait five minutes, and run fewer programs at once"
		if hints.Banned != "" {
			text += "; " + hints.Banned
		}
		return text
	case isUnread(err):
		return "nobody reads the output any more: " + text
	case atomicfile.IsFull(err):
		return and("make room there")
	case errors.Is(err, fs.ErrPermission), atomicfile.IsReadOnly(err), isNoFolder(err), errors.As(err, &path) && path.Op == "mkdir":
		return and("choose another place, or change its permissions")
	case path != nil && errors.Is(err, fs.ErrNotExist):
		return and("check the path")
	case path != nil && errors.Is(err, syscall.EISDIR):
		return and("give a file")
	case errors.Is(err, api.ErrCaptchaRequired):
		return server + " wants a captcha to be solved; log in at https://mangadex.org in a browser, then try again"
	case errors.As(err, &unauthorized):
		switch why := unauthorized.Unwrap(); {
		case why == nil:
			return strings.TrimSpace("nobody is logged in; log in " + hints.LogIn)
		case errors.Is(why, authn.ErrRefreshTokenRefused):
			return strings.TrimSpace("the login has ended; log in again "+hints.LogIn) + ": " + OneLine(why.Error())
		default:
			return OneLine(why.Error())
		}
	case errors.As(err, &refusal) && errors.Is(refusal, api.ErrNotFound):
		return and("check the id")
	case errors.As(err, &token): // which says itself what to do
		return text
	case errors.Is(err, api.ErrRateLimited):
		return and("wait a little, then try again")
	case errors.As(err, &refusal) && answer.TooLong(refusal.StatusCode):
		return and("ask for less at once")
	case errors.As(err, &refusal) && (verdict(refusal).Temporary || errors.Is(err, api.ErrNotJSON)), errors.Is(err, api.ErrServer):
		return and("try again later")
	case refusal == nil && lost(err):
		return and("check the network, then try again")
	}
	return text
}

// isNoFolder tells that something else is where a folder should be. Windows has the same error for a folder
// that is not there.
func isNoFolder(err error) bool {
	return errors.Is(err, syscall.ENOTDIR) && !errors.Is(err, fs.ErrNotExist)
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

// OneLine keeps the first line of an error's text, without the name of a package. Where errors were
// joined, that is the first of them, and OneLine says how many more there are.
func OneLine(text string) string {
	first, rest, more := strings.Cut(strings.TrimSpace(text), "\n")
	if more {
		first += fmt.Sprintf(" (and %d more)", 1+strings.Count(rest, "\n"))
	}
	return packages.Replace(reading.Line(first))
}

var packages = strings.NewReplacer("api: ", "", "athome: ", "", "authn: ", "", "transport: ", "", "upload: ", "")
