// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package home

import (
	"errors"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func newHome(t *testing.T) Home {
	t.Helper()
	h, err := At(filepath.Join(t.TempDir(), "cluster"))
	if err != nil {
		t.Fatal(err)
	}
	if err := h.Create(); err != nil {
		t.Fatal(err)
	}
	return h
}

func TestOnlyOurOwnDirectoryIsUsedOrRemoved(t *testing.T) {
	foreign := t.TempDir()
	precious := filepath.Join(foreign, "precious")
	if err := os.WriteFile(precious, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	h, err := At(foreign)
	if err != nil {
		t.Fatal(err)
	}
	if err := h.Create(); err == nil {
		t.Error("a directory with other content was taken")
	}
	if err := h.Remove(); err == nil {
		t.Error("a directory with other content was removed")
	}
	if _, err := os.Stat(precious); err != nil {
		t.Error(err)
	}
}

func TestRemove(t *testing.T) {
	h := newHome(t)
	for range 2 { // the second time there is nothing left to remove
		if err := h.Remove(); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := os.Stat(h.Path()); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("directory still there: %v", err)
	}
}

func TestState(t *testing.T) {
	h := newHome(t)
	if _, err := h.ReadState(); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("state before it was written: %v", err)
	}
	want := State{PID: 7, Server: "https://127.0.0.1:1", Nodes: 3, Started: time.Unix(1, 0).UTC(), Ready: time.Unix(4, 0).UTC()}
	if err := h.WriteState(want); err != nil {
		t.Fatal(err)
	}
	got, err := h.ReadState()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("state (-want +got):\n%s", diff)
	}
	for range 2 {
		if err := h.ClearState(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestLock(t *testing.T) {
	h := newHome(t)
	if pid, err := h.Running(); pid != 0 || err != nil {
		t.Fatalf("before the start: pid %d, %v", pid, err)
	}
	lock, err := h.Acquire()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.Acquire(); !errors.Is(err, ErrLocked) {
		t.Errorf("second lock: %v", err)
	}
	if pid, err := h.Running(); pid != os.Getpid() || err != nil {
		t.Errorf("pid %d, %v", pid, err)
	}
	if err := lock.Release(); err != nil {
		t.Fatal(err)
	}
	if pid, err := h.Running(); pid != 0 || err != nil {
		t.Errorf("after the end: pid %d, %v", pid, err)
	}
}

func TestPortIsKept(t *testing.T) {
	h := newHome(t)
	first := mustListen(t, h, 0)
	port := Port(first)
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	second := mustListen(t, h, 0)
	if Port(second) != port {
		t.Errorf("port changed from %d to %d", port, Port(second))
	}
	third := mustListen(t, h, 0) // the port is taken now
	if Port(third) == port {
		t.Error("a taken port was given out")
	}
	if _, err := h.Listen(port); err == nil {
		t.Error("a port that was asked for and is taken gives no error")
	}
}

func TestBadPortFileMeansAnyPort(t *testing.T) {
	h := newHome(t)
	for _, content := range []string{"", "x", "-1", "70000"} {
		if err := h.WriteFile(portFile, []byte(content)); err != nil {
			t.Fatal(err)
		}
		if l := mustListen(t, h, 0); Port(l) == 0 {
			t.Errorf("%q: no port", content)
		}
	}
}

func mustListen(t *testing.T, h Home, wish int) *net.TCPListener {
	t.Helper()
	l, err := h.Listen(wish)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	if !l.Addr().(*net.TCPAddr).IP.IsLoopback() {
		t.Errorf("%s is not a loopback address", l.Addr())
	}
	return l
}
