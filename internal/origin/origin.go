// Package origin answers whether an address belongs to a server of ours, and what may be sent there.
//
// It is the one place that reads the addresses of servers. Two addresses are of one origin if
// scheme, host and port are the same, however they are spelt: case, a port that is the usual one
// and a dot at the end of the host make no difference.
package origin

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
)

// A Server is where an API, a realm or a host of pictures has its operations: an origin, and a path
// that stands before theirs. It does not change.
type Server struct {
	base   *url.URL // in one spelling, without a slash at the end
	origin string   // scheme, host and port
}

// Parse reads the address of a server. An address that is none gives an error that says in a few
// words what is wrong and ends in an example, to be put behind "the address of the server".
func Parse(address, example string) (*Server, error) {
	bad := func(what string) error { return fmt.Errorf("%s; give one like %s", what, example) }
	if address == "" {
		return nil, bad("is empty")
	}
	u, err := url.Parse(strings.TrimSpace(address))
	switch {
	case err != nil: // which would show the address, that may hold a password
		return nil, bad("is not a URL")
	case u.User != nil:
		return nil, errors.New("must not hold a user name or a password; take them out")
	case strings.TrimSpace(address) != address:
		return nil, errors.New("begins or ends with a space or a line break; take it off")
	case u.Scheme != "https" && u.Scheme != "http" || u.Opaque != "" || host(u) == "" || strings.Contains(u.Hostname(), ".."):
		return nil, bad(strconv.Quote(u.Redacted()) + " needs a scheme, https or http, and a host")
	case u.RawQuery != "" || u.ForceQuery || u.Fragment != "":
		return nil, errors.New("must not have a query or a fragment; end it before the ? or #")
	case !isASCII(u.Hostname()):
		return nil, fmt.Errorf("has a host with letters beyond ASCII, %q; write it in its form that begins with xn--", u.Hostname())
	case badPort(u):
		return nil, fmt.Errorf("has the port %s; a port is a number from 1 to 65535", u.Port())
	case hasDots(u.Path):
		return nil, errors.New("has . or .. in its path; write the path that is meant")
	}
	base := &url.URL{
		Scheme:  u.Scheme,
		Host:    host(u),
		Path:    strings.TrimRight(u.Path, "/"),
		RawPath: strings.TrimRight(u.RawPath, "/"),
	}
	return &Server{base: base, origin: Of(base)}, nil
}

// MustParse is Parse for addresses that are constants of ours.
func MustParse(address string) *Server {
	s, err := Parse(address, address)
	if err != nil {
		panic("origin: " + address + " " + err.Error())
	}
	return s
}

// URL returns a copy of the address in one spelling, without a slash at the end.
func (s *Server) URL() *url.URL {
	u := *s.base
	return &u
}

// String is the address in one spelling, without a slash at the end.
func (s *Server) String() string { return s.base.String() }

// Contains reports whether an address is of this server: of its origin, and below its path.
func (s *Server) Contains(u *url.URL) bool {
	if u == nil || u.Opaque != "" {
		return false
	}
	// Requests of our own have the spelling of the server, which is quick to see.
	if u.Scheme != s.base.Scheme || u.Host != s.base.Host {
		if Of(u) != s.origin {
			return false
		}
	}
	if s.base.Path == "" {
		return u.Path == "" || u.Path[0] == '/'
	}
	rest, ok := strings.CutPrefix(u.Path, s.base.Path)
	return ok && (rest == "" || rest[0] == '/') && !hasDots(rest)
}

// ContainsRequest reports whether a request goes to this server. One that asks for another host
// than that of its address does not.
func (s *Server) ContainsRequest(req *http.Request) bool {
	if !s.Contains(req.URL) {
		return false
	}
	return req.Host == "" || req.Host == req.URL.Host || Of(&url.URL{Scheme: req.URL.Scheme, Host: req.Host}) == s.origin
}

// Relative returns the path of an address without that of the server, or as it is if the address is
// not of this server.
func (s *Server) Relative(u *url.URL) string {
	if u == nil {
		return ""
	}
	if s.Contains(u) {
		return u.Path[len(s.base.Path):]
	}
	return u.Path
}

// Encrypted reports whether what is sent to the server cannot be read on the way: it has https, or
// is on this machine. Tokens and passwords go nowhere else.
func (s *Server) Encrypted() bool { return s.base.Scheme == "https" || Loopback(s.base.Hostname()) }

// OfMangaDex reports whether the server is one of MangaDex's own, which answer over https only.
func (s *Server) OfMangaDex() bool {
	return s.In("mangadex.org") || s.In("mangadex.dev") || s.In("mangadex.network")
}

// In reports whether the host of the server is a domain or below it.
func (s *Server) In(domain string) bool {
	name := s.base.Hostname()
	return name == domain || strings.HasSuffix(name, "."+domain)
}

// Host returns the host of the server in one spelling, with its port if that is not the usual one.
func (s *Server) Host() string { return s.base.Host }

// Same reports whether two addresses are of one origin.
func Same(a, b *url.URL) bool {
	return a.Scheme == b.Scheme && a.Host == b.Host || Of(a) == Of(b)
}

// Of returns the origin of an address in one spelling: scheme, host and port.
func Of(u *url.URL) string {
	scheme := strings.ToLower(u.Scheme)
	h := host(u)
	if h == "" || !isASCII(h) {
		return scheme + "://" + u.Host // like nothing but itself
	}
	return scheme + "://" + h
}

// host returns the host of an address in lower case, with its port if that is not the usual one.
func host(u *url.URL) string {
	name, port := strings.ToLower(u.Hostname()), u.Port()
	if ip, err := netip.ParseAddr(name); err == nil {
		name = ip.Unmap().String()
	} else {
		name = strings.TrimSuffix(name, ".")
	}
	if name == "" {
		return ""
	}
	// 443 and 0443 are one port.
	if n, err := strconv.ParseUint(port, 10, 16); err == nil {
		port = strconv.FormatUint(n, 10)
	}
	switch {
	case port == "", port == "443" && strings.EqualFold(u.Scheme, "https"), port == "80" && strings.EqualFold(u.Scheme, "http"):
		if strings.Contains(name, ":") {
			return "[" + name + "]"
		}
		return name
	}
	return net.JoinHostPort(name, port)
}

func badPort(u *url.URL) bool {
	if u.Port() == "" {
		return false
	}
	n, err := strconv.ParseUint(u.Port(), 10, 16)
	return err != nil || n == 0
}

// Loopback reports whether a host is this machine.
func Loopback(hostname string) bool {
	hostname = strings.ToLower(strings.TrimSuffix(hostname, "."))
	ip, err := netip.ParseAddr(hostname)
	return hostname == "localhost" || err == nil && ip.Unmap().IsLoopback()
}

func isASCII(text string) bool {
	for i := range len(text) {
		if text[i] >= 0x80 {
			return false
		}
	}
	return true
}

// hasDots reports whether a path has . or .. in it, so that it may lead elsewhere.
func hasDots(path string) bool {
	if !strings.Contains(path, ".") {
		return false
	}
	for part := range strings.SplitSeq(path, "/") {
		if part == "." || part == ".." {
			return true
		}
	}
	return false
}
