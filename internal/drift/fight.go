// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package drift

import "time"

const (
	// fightAfter times within fightWindow, something is a fight with another controller.
	fightAfter  = 5
	fightWindow = 10 * time.Minute
	firstTruce  = time.Minute
	longestRest = time.Hour
)

// Fights remembers how often something was put back, so that two controllers that want
// different things do not write for ever. Losing it costs a few writes.
type Fights map[string]*fight

type fight struct {
	// putBack are the newest times.
	putBack []time.Time
	// rounds counts those that are one too many.
	rounds int
	until  time.Time
	// seen says that the loss after the newest time was counted.
	seen bool
}

// Lost takes in that something is lost now, and returns until when it is to be left alone;
// the zero time if it may be put back at once.
func (f Fights) Lost(key string, now time.Time) time.Time {
	known := f[key]
	if known == nil {
		return time.Time{}
	}
	if !known.seen {
		known.seen = true
		newest := known.putBack[len(known.putBack)-1]
		if now.Sub(newest) > fightWindow {
			delete(f, key) // it stayed for a while
			return time.Time{}
		}
		oldest := known.putBack[0]
		if known.rounds > 0 || len(known.putBack) >= fightAfter && now.Sub(oldest) <= fightWindow {
			known.rounds++
			known.until = newest.Add(truce(known.rounds))
		}
	}
	if now.Before(known.until) {
		return known.until
	}
	return time.Time{}
}

// PutBack takes in that something was put back.
func (f Fights) PutBack(key string, now time.Time) {
	known := f[key]
	if known == nil {
		known = &fight{}
		f[key] = known
	}
	known.putBack = append(known.putBack, now)
	if extra := len(known.putBack) - fightAfter; extra > 0 {
		known.putBack = known.putBack[extra:]
	}
	known.seen, known.until = false, time.Time{}
}

// Refused takes in that something can not be put back, and returns when to try again.
func (f Fights) Refused(key string, now time.Time) time.Time {
	known := f[key]
	if known == nil {
		known = &fight{}
		f[key] = known
	}
	known.putBack, known.seen = []time.Time{now}, true
	known.rounds++
	known.until = now.Add(truce(known.rounds))
	return known.until
}

func truce(rounds int) time.Duration {
	return min(firstTruce<<min(rounds-1, 10), longestRest)
}
