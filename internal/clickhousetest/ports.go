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

// freePorts finds ports that nobody listens on.
func freePorts(count int) ([]int, error) {
	var config net.ListenConfig
	var ports []int
	for range 100 * count {
		port := firstPort + rand.IntN(lastPort-firstPort)
		listener, err := config.Listen(context.Background(), "tcp", loopback(port))
		if err != nil {
			continue
		}
		defer func() { _ = listener.Close() }() // at the end, so that none is found twice
		if ports = append(ports, port); len(ports) == count {
			return ports, nil
		}
	}
	return nil, errors.New("no free ports on 127.0.0.1")
}
