// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

// Package render turns the templates of a FrameworkVersion into Kubernetes
// objects. It is pure: no I/O, no clock, no randomness, no logging. The same
// templates and values give the same bytes, always.
//
// The pipeline is Compile (once per digest), Set.Render, Patch, Decorate, Gate.
//
// # Values are data
//
// A template is text, so a value that is printed into it could close a string,
// open a field or start a document. Here it cannot, by construction: a string
// that a template prints is written as a hole (two private-use runes around a
// number), the text with holes is parsed as YAML, and only then are the holes
// filled, inside the scalars and keys in which they stand. What no parser ever
// sees can change no structure. The consequences for an author:
//
//   - A string is a string wherever it is printed: "no", "010" and "1e3" stay
//     strings without quotes, and line breaks, ": " or "---" are harmless.
//   - Numbers and booleans keep their type too. Whoever wants the string "3"
//     from the number 3 writes quote or toString.
//   - Structure comes from the text of templates, include, toYaml and toJson
//     only. indent, nindent and trim keep it; any other function turns it into
//     a string, that is, data.
//   - In a block scalar (a configuration file in a ConfigMap), quote, toJson and
//     toYaml print what those formats need there, escapes included, because
//     nobody decodes the scalar any further; a plain string is inserted as it is.
//   - null, lists and maps are not printed: the error says which function to use.
//
// The literals yes, no, on and off are refused in templates, because YAML 1.1
// and 1.2 disagree about them.
//
// # Bounds
//
// text/template cannot be cancelled. The parse tree is therefore instrumented:
// every list of nodes charges its cost before it runs, every function charges
// the bytes that it reads and writes, output, depth and objects are capped. Any
// template ends, within about a second and 64 MiB.
//
// # Secrets
//
// Errors name templates, positions, paths and functions, and never a value.
// A message given to fail or required is the author's own and is shown.
package render
