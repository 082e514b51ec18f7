package clickhousetest

import (
	"context"
	"errors"
	"math/rand/v2"
	"net"
)

// Ports are taken from below 32768, where Linux begins to give them to connections:
// the port of a server that is down must not become the end of somebody's connection.
const (
	firstPort = 12000
	lastPort  = 32000
)

// heldPort is a port of a server, held by a socket of another protocol as long as the server may come
// back: while it is down its port looks free, and a cluster of another test must not take it.
type heldPort struct {
	number int
	holder net.PacketConn
}

// freePorts finds ports that nobody listens on and nobody holds, and holds them.
func freePorts(count int) (ports []heldPort, err error) {
	var config net.ListenConfig
	for range 100 * count {
		p := heldPort{number: firstPort + rand.IntN(lastPort-firstPort)}
		if p.holder, err = config.ListenPacket(context.Background(), "udp", loopback(p.number)); err != nil {
			continue
		}
		listener, err := config.Listen(context.Background(), "tcp", loopback(p.number))
		if err != nil {
			_ = p.holder.Close()
			continue
		}
		_ = listener.Close()
		if ports = append(ports, p); len(ports) == count {
			return ports, nil
		}
	}
	release(ports)
	return nil, errors.New("no free ports on 127.0.0.1")
}

// release lets others have ports.
func release(ports []heldPort) {
	for _, p := range ports {
		_ = p.holder.Close()
	}
}
