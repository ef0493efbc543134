// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build faults

package faults

import (
	"fmt"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// TestErrors refuses every write of the reference runs once, in each of the ways in which
// an API server can, or loses the answer to it. Nothing crashes. The end must be the same.
func TestErrors(t *testing.T) {
	if os.Getenv("FAULTS_ALL") == "" {
		t.Skip("set FAULTS_ALL=1: it takes minutes")
	}
	h := newHarness(t, build(t), "error")
	references := h.references(t)
	var points []*point
	for i := range workloads {
		w := &workloads[i]
		for k, write := range references[w.name].trace {
			points = append(points, h.newPoint(w, "lost", k+1, fault{write: write}))
			for _, status := range []int{
				http.StatusConflict, http.StatusTooManyRequests, http.StatusInternalServerError, http.StatusServiceUnavailable,
			} {
				points = append(points, h.newPoint(w, strconv.Itoa(status), k+1, fault{write: write, status: status}))
			}
		}
	}
	only := os.Getenv("FAULTS_ONLY")
	points = slices.DeleteFunc(points, func(p *point) bool {
		return only != "" && p.reproduce != only && !strings.HasPrefix(p.reproduce, only+"/")
	})
	survived := h.survivors(t, references, points)
	summary = append(summary, fmt.Sprintf("%d errors, %d survived", len(points), survived))
}
