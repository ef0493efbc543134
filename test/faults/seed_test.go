// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build faults

package faults

import (
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"
)

// settings are what the environment asks for.
var settings = struct {
	// seed decides the order of the points and whatever a class leaves to chance.
	seed uint64
	// only is one point, or all that begin so: workload/class/number.
	only string
	// classes by name or letter, and workloads by name; empty for all.
	classes, workloads []string
	// sample is how many points of each class and workload are run; 0 for all.
	sample int
	// all runs every class and every mutant.
	all bool
	// logs shows the manager's log and the writes.
	logs bool
}{
	seed: number("FAULTS_SEED", uint64(time.Now().UnixNano())),
	only: os.Getenv("FAULTS_ONLY"), classes: words("FAULTS_CLASS"), workloads: words("FAULTS_WORKLOAD"),
	sample: int(number("FAULTS_SAMPLE", 0)), all: os.Getenv("FAULTS_ALL") != "", logs: os.Getenv("FAULTS_LOGS") != "",
}

func number(name string, otherwise uint64) uint64 {
	value, err := strconv.ParseUint(os.Getenv(name), 10, 64)
	if err != nil {
		return otherwise
	}
	return value
}

func words(name string) []string {
	return strings.FieldsFunc(os.Getenv(name), func(r rune) bool { return r == ',' || r == ' ' })
}

// dice is chance that depends on the seed and on what it is for, and on nothing else.
func dice(purpose string) *rand.Rand {
	h := fnv.New64a()
	_, _ = h.Write([]byte(purpose))
	return rand.New(rand.NewPCG(settings.seed, h.Sum64()))
}

// wanted says whether the environment asks for a class.
func (c *class) wanted() bool {
	if settings.only != "" {
		parts := strings.Split(settings.only, "/")
		return len(parts) == 1 || parts[1] == c.name
	}
	if len(settings.classes) == 0 {
		return true
	}
	return slices.Contains(settings.classes, c.name) || slices.Contains(settings.classes, c.letter)
}

// wanted says whether the environment asks for a workload.
func (w *workloadCase) wanted() bool {
	if settings.only != "" {
		return strings.HasPrefix(settings.only+"/", w.name+"/")
	}
	return len(settings.workloads) == 0 || slices.Contains(settings.workloads, w.name)
}

// choose drops the points that the environment does not ask for and shuffles the rest.
func choose(points []*point) []*point {
	if settings.only != "" {
		return slices.DeleteFunc(points, func(p *point) bool {
			return p.path != settings.only && !strings.HasPrefix(p.path, settings.only+"/")
		})
	}
	if len(points) == 0 {
		return points
	}
	chance := dice(points[0].class.name + " " + points[0].workload.name)
	chance.Shuffle(len(points), func(i, j int) { points[i], points[j] = points[j], points[i] })
	if settings.sample > 0 && len(points) > settings.sample {
		points = points[:settings.sample]
	}
	return points
}

// reproduce is the command that runs one point again.
func (p *point) reproduce() string {
	return fmt.Sprintf("FAULTS_ALL=1 FAULTS_SEED=%d FAULTS_ONLY=%s go test -tags faults -count=1 -v ./test/faults -run TestFaults",
		settings.seed, p.path)
}
