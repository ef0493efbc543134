// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package manager

import (
	"fmt"
	"net"

	"kudo.dev/kudo/internal/testing/install"
)

// FreePort returns a port of loopback that nothing listens on.
func FreePort() (int, error) {
	l, err := net.ListenTCP("tcp", &net.TCPAddr{IP: net.ParseIP(install.Loopback)})
	if err != nil {
		return 0, fmt.Errorf("finding a free port: %w", err)
	}
	defer func() { _ = l.Close() }()
	addr, ok := l.Addr().(*net.TCPAddr)
	if !ok {
		return 0, fmt.Errorf("finding a free port: %s is no TCP address", l.Addr())
	}
	return addr.Port, nil
}
