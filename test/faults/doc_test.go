// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build faults

// Package faults crashes the manager around every one of its writes and expects the
// same end as without a crash. The manager is the real one, a process under its own
// ServiceAccount; all that it asks of the API server goes through a proxy, which kills
// it before or after the write that a test names. Nothing in the manager knows of it.
//
//	make test-crash
//	FAULTS_ONLY=upgrade        go test -tags faults -v ./test/faults -run TestCrash
//	FAULTS_ONLY=upgrade/after/7 ...   one crash point
//	FAULTS_ALL=1 ...                  also refusals and lost replies, for every write
//	FAULTS_LOGS=1 ...                 the manager's log and the trace of writes
package faults
