// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build faults

// Package faults lets things go wrong around every write of the manager, and expects the
// same end as if they had not. The manager is the real one, a process under its own
// ServiceAccount; all that it asks of the API server goes through a proxy, which kills
// it, refuses, loses or delays what a test names. Nothing in the manager knows of it.
//
//	make test-crash
//	make test-faults
//	make test-faults FAULTS_CLASS=b,frozen FAULTS_WORKLOAD=deploy FAULTS_SAMPLE=3
//	FAULTS_ONLY=upgrade/killed-after/7   one point, as a failure prints it
//	FAULTS_SEED=42                       the same chances again
//	FAULTS_LOGS=1                        the manager's log and the writes
//	FAULTS_TABLE=table.md                the table as a file
//
// docs/faults.md says what the classes and the rules are.
package faults
