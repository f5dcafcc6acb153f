package athome

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"syscall"
	"time"
)

// Nodes belong to strangers. One that redirects a request into the network of whoever asks would have
// it sent to a router or a service that trusts this machine, so private addresses are followed to only
// from a host that is private itself.

type publicOnlyKey struct{}

// guarded is a client that follows redirects of pictures as far as it may.
func guarded(client *http.Client, proxy func(*http.Request) (*url.URL, error)) *http.Client {
	proxied := func(req *http.Request) bool {
		if proxy == nil {
			return false
		}
		address, err := proxy(req)
		return address != nil || err != nil
	}
	guarded := *client
	guarded.CheckRedirect = func(next *http.Request, via []*http.Request) error {
		switch {
		case len(via) >= 10:
			return errors.New("it redirects ten times")
		case client.CheckRedirect != nil:
			if err := client.CheckRedirect(next, via); err != nil {
				return err
			}
		}
		ctx := next.Context()
		if isPrivateHost(ctx, via[0].URL) {
			return nil
		}
		if isPrivateHost(ctx, next.URL) {
			return privateError(next.URL.Host)
		}
		if !proxied(next) { // a proxy has an address of its own, which may be private
			*next = *next.WithContext(context.WithValue(ctx, publicOnlyKey{}, true))
		}
		return nil
	}
	return &guarded
}

// refusePrivate ends the dialing of a private address on behalf of a redirect, whatever its name was.
func refusePrivate(ctx context.Context, _, address string, _ syscall.RawConn) error {
	if ctx.Value(publicOnlyKey{}) == nil {
		return nil
	}
	to, err := netip.ParseAddrPort(address)
	if err != nil || isPrivate(to.Addr()) {
		return privateError(address)
	}
	return nil
}

func privateError(host string) error {
	return fmt.Errorf("it redirects to %q, which is in a private network", host)
}

// isPrivateHost reports whether a host is in a private network, as far as its name tells.
func isPrivateHost(ctx context.Context, u *url.URL) bool {
	name := strings.ToLower(strings.TrimSuffix(u.Hostname(), "."))
	if addr, err := netip.ParseAddr(name); err == nil {
		return isPrivate(addr)
	}
	for _, private := range []string{"localhost", "local", "internal", "lan", "home.arpa"} {
		if name == private || strings.HasSuffix(name, "."+private) {
			return true
		}
	}
	if !strings.Contains(name, ".") {
		return true // a name of the local network, or a number that some take for an address
	}
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	addrs, err := net.DefaultResolver.LookupNetIP(ctx, "ip", name)
	if err != nil {
		return false // whoever connects will find the same
	}
	for _, addr := range addrs {
		if isPrivate(addr) {
			return true
		}
	}
	return false
}

// isPrivate reports whether an address is not one of the public network.
func isPrivate(addr netip.Addr) bool {
	addr = addr.Unmap().WithZone("")
	if !addr.IsGlobalUnicast() || addr.IsPrivate() { // loopback, link-local and multicast are not global
		return true
	}
	if addr.Is4() {
		b := addr.As4()
		return b[0] == 0 || b[0] == 100 && b[1]&0xc0 == 64 || b[0] >= 240 || b[0] == 192 && b[1] == 0 && b[2] == 0 || b[0] == 198 && b[1]&0xfe == 18
	}
	b := addr.As16()
	if b[0] == 0 && b[1] == 0x64 && b[2] == 0xff && b[3] == 0x9b || b[0] == 0x20 && b[1] == 0x02 { // IPv4 in IPv6, by NAT64 and 6to4
		in := [4]byte(b[12:])
		if b[0] == 0x20 {
			in = [4]byte(b[2:6])
		}
		return isPrivate(netip.AddrFrom4(in))
	}
	return b[0]&0xfe == 0xfc || b[0] == 0xfe
}
