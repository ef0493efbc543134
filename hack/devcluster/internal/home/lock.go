// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package home

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// Lock is held by the process that runs the cluster, for as long as it lives: the kernel drops it, even after SIGKILL.
type Lock struct {
	file *os.File
}

// ErrLocked means that a cluster runs in the directory.
var ErrLocked = errors.New("a cluster runs in this directory")

// Acquire takes the lock and writes this process's id into the pid file, which is the file that is locked.
func (h Home) Acquire() (*Lock, error) {
	f, err := os.OpenFile(h.File(pidFile), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("opening the pid file: %w", err)
	}
	if err := takeLock(f); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	err = f.Truncate(0)
	if err == nil {
		_, err = f.WriteAt([]byte(strconv.Itoa(os.Getpid())+"\n"), 0)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("writing the pid file: %w", err), f.Close())
	}
	return &Lock{file: f}, nil
}

// Release gives the lock back.
func (l *Lock) Release() error {
	if err := l.file.Close(); err != nil {
		return fmt.Errorf("releasing the lock: %w", err)
	}
	return nil
}

// Running returns the id of the process that runs the cluster, 0 if there is none.
func (h Home) Running() (int, error) {
	f, err := os.Open(h.File(pidFile))
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("opening the pid file: %w", err)
	}
	defer func() { _ = f.Close() }()
	locked, err := isLocked(f)
	if err != nil || !locked {
		return 0, err
	}
	return readPID(f)
}

// readPID waits a moment for the process that has just taken the lock to write its id.
func readPID(f *os.File) (int, error) {
	var err error
	for range 20 {
		var data []byte
		data, err = io.ReadAll(io.NewSectionReader(f, 0, 32))
		if err == nil {
			var pid int
			if pid, err = strconv.Atoi(strings.TrimSpace(string(data))); err == nil {
				return pid, nil
			}
		}
		time.Sleep(10 * time.Millisecond)
	}
	return 0, fmt.Errorf("reading the pid file: %w", err)
}

// takeLock uses a lock of the open file, not of the process: it can be asked for without being taken.
func takeLock(f *os.File) error {
	lock := unix.Flock_t{Type: unix.F_WRLCK}
	err := unix.FcntlFlock(f.Fd(), unix.F_OFD_SETLK, &lock)
	if errors.Is(err, unix.EAGAIN) || errors.Is(err, unix.EACCES) {
		return ErrLocked
	}
	if err != nil {
		return fmt.Errorf("locking the pid file: %w", err)
	}
	return nil
}

func isLocked(f *os.File) (bool, error) {
	lock := unix.Flock_t{Type: unix.F_WRLCK}
	if err := unix.FcntlFlock(f.Fd(), unix.F_OFD_GETLK, &lock); err != nil {
		return false, fmt.Errorf("asking for the lock of the pid file: %w", err)
	}
	return lock.Type != unix.F_UNLCK, nil
}
