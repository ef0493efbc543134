// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

// Package expr compiles and evaluates the CEL expressions of a version.
//
// An expression sees params, old, changed, version, instance, run and objects;
// readyWhen sees self too, and validations see params and old only. Parameters
// are typed by their schemas, so a misspelt name is found when the version is
// compiled. There is no now(): time is for a plan to say, not for an expression.
//
// An evaluation ends in one of three ways: a value; something missing, which
// until and readyWhen read as "not yet"; or an error. It is pure and bounded:
// by the length and depth of the source, by cost, and by the size of what
// functions make. Errors name places and fields, never values of objects.
package expr
