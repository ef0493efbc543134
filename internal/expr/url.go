// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package expr

import (
	"net/url"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
)

var urlType = cel.ObjectType("kubernetes.URL")

// urls declares the functions of Kubernetes' URL library.
func urls() cel.EnvOption {
	text, one := []*cel.Type{cel.StringType}, []*cel.Type{urlType}
	part := func(name, id string, read func(*url.URL) string) cel.EnvOption {
		return cel.Function(name, cel.MemberOverload(id, one, cel.StringType,
			on1(func(u *url.URL) ref.Val { return types.String(read(u)) })))
	}
	return options(
		cel.Function("url", cel.Overload("string_to_url", text, urlType, onText(newURL))),
		cel.Function("isURL", cel.Overload("is_url_string", text, cel.BoolType, onText(func(s string) ref.Val {
			_, err := url.ParseRequestURI(s)
			return types.Bool(err == nil)
		}))),
		part("getScheme", "url_get_scheme", func(u *url.URL) string { return u.Scheme }),
		part("getHost", "url_get_host", func(u *url.URL) string { return u.Host }),
		part("getHostname", "url_get_hostname", (*url.URL).Hostname),
		part("getPort", "url_get_port", (*url.URL).Port),
		part("getEscapedPath", "url_get_escaped_path", (*url.URL).EscapedPath),
		cel.Function("getQuery", cel.MemberOverload("url_get_query", one,
			cel.MapType(cel.StringType, cel.ListType(cel.StringType)),
			on1(func(u *url.URL) ref.Val {
				return types.DefaultTypeAdapter.NativeToValue(map[string][]string(u.Query()))
			}))),
	)
}

func newURL(s string) ref.Val {
	u, err := url.ParseRequestURI(s)
	if err != nil {
		return types.NewErr("the argument of url() is neither an absolute URL nor an absolute path")
	}
	return &opaque[*url.URL]{
		value: u, kind: urlType,
		text:  (*url.URL).String,
		equal: func(a, b *url.URL) bool { return a.String() == b.String() },
	}
}
