// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package home

import (
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
)

// Listen opens the API server's port on loopback. Without a wish (0) it is the port of the last run, so that
// kubeconfigs stay good, or any free one. The listener is handed on as it is: nobody can take the port in between.
func (h Home) Listen(wish int) (*net.TCPListener, error) {
	if wish == 0 {
		if l, err := listen(h.lastPort()); err == nil {
			return l, h.savePort(l)
		}
	}
	l, err := listen(wish)
	if err != nil {
		return nil, err
	}
	return l, h.savePort(l)
}

func listen(port int) (*net.TCPListener, error) {
	l, err := net.ListenTCP("tcp", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: port})
	if err != nil {
		return nil, fmt.Errorf("opening the API server's port: %w", err)
	}
	return l, nil
}

// lastPort returns 0, any port, when there was no last run.
func (h Home) lastPort() int {
	data, err := os.ReadFile(h.File(portFile))
	if err != nil {
		return 0
	}
	port, err := strconv.Atoi(strings.TrimSpace(string(data)))
	if err != nil || port < 0 || port > 65535 {
		return 0
	}
	return port
}

func (h Home) savePort(l *net.TCPListener) error {
	return h.WriteFile(portFile, []byte(strconv.Itoa(Port(l))+"\n"))
}

// Port returns the port a listener is bound to.
func Port(l *net.TCPListener) int {
	addr, _ := l.Addr().(*net.TCPAddr)
	return addr.Port
}
