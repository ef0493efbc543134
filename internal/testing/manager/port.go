// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package manager

import (
	"fmt"
	"math/rand/v2"
	"net"

	"kudo.dev/kudo/internal/testing/install"
)

// The ports lie below those that systems take for outgoing connections (from 32768 on Linux,
// from 49152 elsewhere): a port of a manager that is killed and started again must not be
// taken meanwhile by a connection of another test.
const firstPort, lastPort = 15000, 32000

// FreePort returns a port of loopback that nothing listens on.
func FreePort() (int, error) {
	const tries = 100
	var err error
	for range tries {
		port := firstPort + rand.IntN(lastPort-firstPort) //nolint:gosec // no secret
		var l *net.TCPListener
		if l, err = net.ListenTCP("tcp", &net.TCPAddr{IP: net.ParseIP(install.Loopback), Port: port}); err != nil {
			continue
		}
		if err = l.Close(); err == nil {
			return port, nil
		}
	}
	return 0, fmt.Errorf("finding a free port: %w", err)
}
