package notify

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"syscall"
	"time"
)

// Networks lists networks in which receivers may be although they are not of the public
// internet. Alerts go where somebody who may change targets says, and the program often
// stands where that somebody cannot reach: without this list webhooks could be made to
// talk to a machine's own services, to its neighbours and to a cloud's keeper of secrets.
type Networks []netip.Prefix

// ErrForbidden says that a receiver is in a network to which nothing is sent.
var ErrForbidden = errors.New("the receiver is in a network that is not allowed")

// special lists what netip's own predicates do not call private, loopback, link-local or
// multicast and is no place for a receiver either (IANA's special-purpose registries).
// Networks that carry IPv4 addresses within IPv6 ones are refused as a whole.
var special = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"),       // this network
	netip.MustParsePrefix("100.64.0.0/10"),   // shared by carriers
	netip.MustParsePrefix("192.0.0.0/24"),    // protocol assignments
	netip.MustParsePrefix("192.0.2.0/24"),    // documentation
	netip.MustParsePrefix("192.88.99.0/24"),  // 6to4 relays
	netip.MustParsePrefix("198.18.0.0/15"),   // measurements
	netip.MustParsePrefix("198.51.100.0/24"), // documentation
	netip.MustParsePrefix("203.0.113.0/24"),  // documentation
	netip.MustParsePrefix("240.0.0.0/4"),     // reserved, and broadcast
	netip.MustParsePrefix("::/96"),           // IPv4-compatible
	netip.MustParsePrefix("64:ff9b::/96"),    // NAT64
	netip.MustParsePrefix("64:ff9b:1::/48"),  // NAT64 of a network's own
	netip.MustParsePrefix("100::/64"),        // discarded
	netip.MustParsePrefix("2001::/23"),       // protocol assignments, Teredo among them
	netip.MustParsePrefix("2001:db8::/32"),   // documentation
	netip.MustParsePrefix("2002::/16"),       // 6to4
	netip.MustParsePrefix("fec0::/10"),       // site-local, given up
}

// Permit says whether something may be sent to an address: nil or ErrForbidden.
func (n Networks) Permit(address netip.Addr) error {
	address = address.Unmap().WithZone("")
	holds := func(prefix netip.Prefix) bool { return prefix.Contains(address) }
	if slices.ContainsFunc(n, holds) {
		return nil
	}
	if !address.IsGlobalUnicast() || address.IsPrivate() || slices.ContainsFunc(special, holds) {
		return fmt.Errorf("%w: %s", ErrForbidden, address)
	}
	return nil
}

// listed says whether an address was allowed by name, which public ones are not.
func (n Networks) listed(address netip.Addr) bool {
	return slices.ContainsFunc(n, func(prefix netip.Prefix) bool { return prefix.Contains(address.Unmap()) })
}

// dialer connects only to what is permitted. The address is judged after the name was
// resolved and before anything is sent.
func (n Networks) dialer() *net.Dialer {
	return &net.Dialer{
		Timeout: 10 * time.Second,
		Control: func(_, address string, _ syscall.RawConn) error {
			to, err := netip.ParseAddrPort(address)
			if err != nil {
				return fmt.Errorf("%w: %s", ErrForbidden, address)
			}
			return n.Permit(to.Addr())
		},
	}
}

// check gives the address of a webhook as it may be used. Without TLS it must be a literal
// address of an allowed network: a name could lead elsewhere.
func (n Networks) check(address string) (string, error) {
	u, err := url.Parse(address)
	if err != nil {
		return "", errors.New("the target's address is no URL")
	}
	switch {
	case u.Host == "" || u.Opaque != "" || u.User != nil || u.Fragment != "":
		return "", errors.New("the target's address must be a URL of host and path, without a password")
	case u.Scheme == "https":
		return u.String(), nil
	case u.Scheme == "http":
		if host, err := netip.ParseAddr(u.Hostname()); err == nil && n.listed(host) {
			return u.String(), nil
		}
	}
	return "", fmt.Errorf("%w: without TLS only addresses of networks that were allowed by name", ErrForbidden)
}
