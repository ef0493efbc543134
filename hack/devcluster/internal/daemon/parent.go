// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package daemon

import (
	"context"
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

// untilParentEnds returns a context that ends with the process pid too. It need not be the parent in the kernel's sense.
func untilParentEnds(ctx context.Context, pid int) (context.Context, context.CancelFunc, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	stop := func() { cancel(context.Canceled) }
	if pid == 0 {
		return ctx, stop, nil
	}
	fd, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		stop()
		return nil, nil, fmt.Errorf("watching process %d: %w", pid, err)
	}
	go func() {
		poll := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
		for {
			_, err := unix.Poll(poll, -1)
			if errors.Is(err, unix.EINTR) {
				continue
			}
			cancel(fmt.Errorf("process %d has ended", pid))
			return
		}
	}()
	return ctx, stop, nil
}
