// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

// Package archtest holds no code, only tests of the rules that no compiler
// checks: who may import whom, what the pure packages may touch, how large files
// and functions are, what the roles in config/ grant, that every condition reason
// is used and documented, and that the examples in docs/spec are valid.
//
// A rule is never weakened to let code pass: either the code changes, or a
// record in docs/design says why the rule did.
package archtest
