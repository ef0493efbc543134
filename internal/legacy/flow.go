// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package legacy

import (
	"strconv"
	"strings"
)

// onlyMarks says whether a text holds printing actions, and nothing else.
func onlyMarks(body string) (bool, bool) {
	some := false
	for _, r := range body {
		if r < mark {
			return false, false
		}
		some = true
	}
	return some, true
}

// balance counts the brackets that a text opens and does not close.
func balance(text string) int {
	n := 0
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '"', '\'':
			if i = yamlClosing(text, i); i < 0 {
				return n
			}
		case '[', '{':
			n++
		case ']', '}':
			n--
		}
	}
	return n
}

// key reads a key: its name, the bytes it takes, and those up to its value.
func key(body string) (name string, bytes, size int) {
	var end int
	switch body[0] {
	case '"', '\'':
		if end = yamlClosing(body, 0); end < 0 || end+1 >= len(body) || body[end+1] != ':' {
			return "", 0, 0
		}
		name, _ = strconv.Unquote(body[:end+1])
		if body[0] == '\'' {
			name = body[1:end]
		}
		end++
	case '[', '{', '|', '>', '&', '*', '!', '%', '@', '`':
		return "", 0, 0
	default:
		end = strings.Index(body, ": ")
		if end < 0 && strings.HasSuffix(body, ":") {
			end = len(body) - 1
		}
		if end <= 0 || strings.ContainsAny(body[:end], `"'{}[]`) {
			return "", 0, 0
		}
		name = strings.TrimRight(body[:end], " ")
	}
	if rest := body[end+1:]; rest != "" && rest[0] != ' ' {
		return "", 0, 0
	}
	return name, end, end + 1
}

// commentIn finds a comment that ends a line of plain or quoted text.
func commentIn(body string) int {
	for i := 0; i < len(body); i++ {
		switch c := body[i]; {
		case c == '#' && (i == 0 || body[i-1] == ' '):
			return i
		case (c == '"' || c == '\'') && (i == 0 || strings.IndexByte(" [{,:", body[i-1]) >= 0):
			if i = yamlClosing(body, i); i < 0 {
				return -1
			}
		}
	}
	return -1
}

// yamlClosing finds the end of a quoted scalar that starts at i: between single quotes a
// backslash means nothing, and a quote is doubled.
func yamlClosing(text string, i int) int {
	if text[i] == '"' {
		return closing(text, i)
	}
	for i++; i < len(text); i++ {
		switch {
		case text[i] != '\'':
		case i+1 < len(text) && text[i+1] == '\'':
			i++
		default:
			return i
		}
	}
	return -1
}
