// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package render

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestFunctions(t *testing.T) {
	cases := map[string]string{
		`{{ upper "a" }}{{ lower "B" }}{{ title "ab cd" }}{{ untitle "Ab" }}{{ swapcase "aB" }}`:                                                                     "AbAb CdabAb",
		`{{ snakecase "FirstName" }} {{ camelcase "http_server" }} {{ kebabcase "FirstName" }} {{ initials "Ab Cd" }}`:                                               "first_name HttpServer first-name AC",
		`{{ nospace " a b " }}{{ abbrev 5 "hello world" }}|{{ wrap 5 "ab cd ef" }}`:                                                                                  "abhe...|ab cd\nef",
		`{{ trim " a " }}{{ trimAll "$" "$5$" }}{{ trimPrefix "-" "-a" }}{{ trimSuffix "-" "a-" }}`:                                                                  "a5aa",
		`{{ contains "a" "cat" }} {{ hasPrefix "c" "cat" }} {{ hasSuffix "c" "cat" }}`:                                                                               "true true false",
		`{{ join "," (splitList "-" "a-b") }} {{ (split "-" "a-b")._1 }} {{ join "," "a" }}`:                                                                         "a,b b a",
		`{{ replace "a" "b" "aa" }}{{ cat "x" 1 }}{{ plural "one" "many" 2 }}{{ repeat 2 "ab" }}`:                                                                    "bbx 1manyabab",
		`{{ trunc 2 "héé" }}{{ trunc -1 "héé" }}{{ substr 1 2 "héé" }}{{ substr 1 -1 "abc" }}`:                                                                       "hééébc",
		`{{ sha1sum "a" | trunc 8 }} {{ sha256sum "a" | trunc 8 }} {{ sha512sum "a" | trunc 8 }} {{ adler32sum "a" }}`:                                               "86f7e437 ca978112 1f40fc92 6422626",
		`{{ base "/a/b.c" }}{{ dir "/a/b" }}{{ clean "/a/../b" }}{{ ext "a.c" }}{{ isAbs "/a" }}`:                                                                    "b.c/a/b.ctrue",
		`{{ print "a" 1 2 true }}|{{ println "a" }}|{{ printf "%05d %s %q %-4s|%v" 42 "a" "b" "c" 1.5 }}`:                                                            "a1 2 true|a\n|00042 a \"b\" c   |1.5",
		`{{ add 1 2 3 }} {{ sub 5 2 }} {{ mul 2 3 }} {{ div 7 2 }} {{ mod 7 2 }} {{ add1 1 }} {{ max 1 3 }} {{ min 1 3 }}`:                                           "6 3 6 3 1 2 3 1",
		`{{ addf 0.1 0.2 }} {{ subf 3 1.5 }} {{ mulf 1.5 2 }} {{ divf 1 4 }} {{ maxf 1 2.5 }} {{ minf 1 2.5 }}`:                                                      "0.3 1.5 3 0.25 2.5 1",
		`{{ ceil 1.2 }} {{ floor 1.8 }} {{ round 1.256 2 }} {{ int "12" }} {{ int64 3.9 }} {{ atoi "7" }} {{ float64 "0.5" }}`:                                       "2 1 1.26 12 3 7 0.5",
		`{{ until 3 | toJson }} {{ untilStep 4 0 -2 | toJson }} {{ seq 3 }} {{ seq 2 4 }} {{ seq 0 2 4 }} {{ seq 3 1 }}`:                                             "[0,1,2] [4,2] 1 2 3 2 3 4 0 2 4 3 2 1",
		`{{ default 1 0 }}{{ default 1 2 }}{{ coalesce 0 "" 3 }}{{ ternary 1 2 true }}{{ empty "" }}{{ all 1 0 }}{{ any 1 0 }}`:                                      "1231truefalsetrue",
		`{{ required "m" 1 }} {{ kindOf 1 }} {{ kindOf (list) }} {{ kindIs "map" (dict) }}`:                                                                          "1 int64 slice true",
		`{{ list 1 2 | toJson }} {{ first (list 1 2) }} {{ last (list 1 2) }} {{ rest (list 1 2) | toJson }} {{ initial (list 1 2) | toJson }}`:                      "[1,2] 1 2 [2] [1]",
		`{{ append (list 1) 2 | toJson }}{{ prepend (list 1) 0 | toJson }}{{ concat (list 1) (list 2) | toJson }}{{ reverse (list 1 2) | toJson }}`:                  "[1,2][0,1][1,2][2,1]",
		`{{ slice (list 1 2 3) 1 2 | toJson }}{{ chunk 2 (list 1 2 3) | toJson }}{{ compact (list 0 1 "") | toJson }}`:                                               "[2][[1,2],[3]][1]",
		`{{ uniq (list 1 1 "a" "a") | toJson }}{{ without (list 1 2) 1 | toJson }}{{ has 1 (list 1) }}{{ sortAlpha (list "b" "a") | toJson }}`:                       `[1,"a"][2]true["a","b"]`,
		`{{ toStrings (list 1 "a") | toJson }}{{ len (list 1) }}{{ len "hé" }}{{ len (dict) }}{{ index (list 1 2) 1 }}{{ index (dict "a" (list 5)) "a" 0 }}`:         `["1","a"]12025`,
		`{{ dict "b" 1 "a" 2 | toJson }}{{ get (dict "a" 1) "a" }}{{ hasKey (dict) "a" }}{{ set (dict) "a" 1 | toJson }}{{ unset (dict "a" 1) "a" | toJson }}`:       `{"a":2,"b":1}1false{"a":1}{}`,
		`{{ keys (dict "b" 1 "a" 2) | toJson }}{{ values (dict "b" 1 "a" 2) | toJson }}{{ pluck "a" (dict "a" 1) (dict) | toJson }}`:                                 `["a","b"][2,1][1]`,
		`{{ pick (dict "a" 1 "b" 2) "a" | toJson }}{{ omit (dict "a" 1 "b" 2) "a" | toJson }}{{ dig "a" "b" 9 (dict "a" (dict "b" 1)) }}{{ dig "x" 9 (dict) }}`:      `{"a":1}{"b":2}19`,
		`{{ merge (dict "a" 1) (dict "a" 2 "b" (dict "c" 3)) | toJson }}{{ mergeOverwrite (dict "a" 1) (dict "a" 2) | toJson }}{{ deepCopy (dict "a" 1) | toJson }}`: `{"a":1,"b":{"c":3}}{"a":2}{"a":1}`,
		`{{ (fromJson "{\"a\":[1,2.5,18446744073709551615]}").a | toJson }}{{ (fromYaml "a: [1, no-way]").a | toJson }}`:                                             `[1,2.5,18446744073709551615][1,"no-way"]`,
		`{{ toPrettyJson (dict "a" (list 1)) }}{{ toRawJson "<" }}`:                                                                                                  "{\n  \"a\": [\n    1\n  ]\n}\"<\"",
		`{{ b64enc "a" }}{{ b64dec "YQ==" }}{{ b32enc "a" }}{{ b32dec "ME======" }}`:                                                                                 "YQ==aME======a",
		`{{ (urlParse "https://u@h:1/p?q=1#f").hostname }}{{ (urlParse "https://h:1/p").port }}`:                                                                     "h1",
		`{{ (semver "1.2.3-rc.1").Minor }}{{ semverCompare ">=1.2" "1.3.0" }}`:                                                                                       "2true",
		`{{ regexMatch "^a+$" "aa" }}{{ regexFind "b." "abc" }}{{ regexFindAll "[0-9]" "1a2" -1 | toJson }}{{ regexFindAll "[0-9]" "1a2" 1 | toJson }}`:              `truebc["1","2"]["1"]`,
		`{{ regexReplaceAll "(a)(b)" "abab" "$2$1" }}{{ regexReplaceAllLiteral "a" "ab" "$1" }}{{ regexSplit "," "a,b" -1 | toJson }}{{ regexQuoteMeta "." }}`:       `baba$1b["a","b"]\.`,
		`{{ quantityBytes "1Ki" }} {{ quantityMi "2Gi" }} {{ quantityGi "1536Mi" }} {{ quantityKi "1Mi" }} {{ quantityMilli "1.5" }} {{ quantityMi 1048576 }}`:       "1024 2048 1 1024 1500 1",
		`{{ eq 1 1.0 }}{{ eq "a" "b" "a" }}{{ ne 1 2 }}{{ lt 1 2 }}{{ le 2 2 }}{{ gt "b" "a" }}{{ ge 1 2 }}{{ eq .Old nil }}{{ deepEqual (list 1) (list 1) }}`:       "truetruetruetruetruetruefalsetruetrue",
		`{{ and 1 0 2 }}{{ or 0 2 }}{{ not 1 }}{{ if and .Old .Old.x }}{{ end }}`:                                                                                    "02false",
		`{{ squote "a" 1 }}{{ quote "a" nil "b" }}{{ indent 2 "a\nb" }}{{ nindent 1 "a" }}{{ toString 5 }}`:                                                          "'a 1'\"a b\"  a\n  b\n a5",
	}
	for content, want := range cases {
		set, err := Compile([]Source{{Name: "t", Content: content}})
		if err != nil {
			t.Errorf("%s: %v", content, err)
			continue
		}
		got, err := set.RenderText("t", nil)
		if err != nil {
			t.Errorf("%s: %v", content, err)
			continue
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", content, diff)
		}
		for name := range set.used {
			exercised[name] = true
		}
	}
	for name := range functionTable {
		if _, alias := aliases[name]; !alias && !exercised[name] && name != "fail" && name != "include" && name != "toYaml" {
			t.Errorf("no case calls %s", name)
		}
	}
}

var exercised = map[string]bool{}

func TestFunctionsRefuseWrongArguments(t *testing.T) {
	cases := map[string]string{
		`{{ upper }}`:                          "upper takes 1 argument, not 0",
		`{{ dict "a" }}`:                       "dict: keys and values must come in pairs",
		`{{ add 9223372036854775807 1 }}`:      "add: the result does not fit in 64 bits",
		`{{ mul 9223372036854775807 2 }}`:      "mul: the result does not fit",
		`{{ div 1 0 }}`:                        "div: division by zero",
		`{{ int "x" }}`:                        "int: a string is not an integer in decimal",
		`{{ int nil }}`:                        "int: an integer is expected, not a null",
		`{{ b64dec "%" }}`:                     "b64dec: the string is not base64",
		`{{ b64dec "/w==" }}`:                  "the string is not valid UTF-8; use b64enc for binary data",
		`{{ fromJson "{" }}`:                   "fromJson: the text is not JSON",
		`{{ fromJson "1 2" }}`:                 "fromJson: text follows the JSON value",
		`{{ fromYaml "a: 1\na: 2" }}`:          `fromYaml: the text is not acceptable YAML: the key "a" stands twice in a map`,
		`{{ fromYaml "a\n---\nb" }}`:           "fromYaml: the text holds more than one YAML document",
		`{{ quantityMi "1 GB" }}`:              `quantityMi: the text is not a quantity; write it like "512Mi"`,
		`{{ semver "x" }}`:                     "semver: the text is not a semantic version",
		`{{ printf "%d" "x" }}`:                "printf: the format does not fit its arguments",
		`{{ printf "%p" 1 }}`:                  "printf: the verb %p is not available",
		`{{ index (list 1) 5 }}`:               "index: the index is outside the list of 1",
		`{{ slice (list 1) 2 }}`:               "slice: the bounds are outside the list of 1",
		`{{ eq 1 "a" }}`:                       "eq: a integer cannot be compared with a string",
		`{{ ternary 1 2 3 }}`:                  "ternary: the condition must be a boolean",
		`{{ required "set .Params.x" .Old }}`:  "required: set .Params.x",
		`{{ fail "no" }}`:                      "template t:1:4: fail: no",
		`{{ include "nope" . | print }}`:       "there is no template nope",
		`{{ $n := "nope" }}{{ include $n . }}`: "include: there is no template nope",
		`{{ until 20000 | len }}`:              "until: more than 10000 numbers are asked for",
		`{{ 3i | print }}`:                     "is a complex number",
		`{{ upper "a" "b" }}`:                  "upper takes 1 argument, not 2",
		`{{ substr 1 2 }}`:                     "substr takes 3 arguments, not 2",
		`{{ seq }}`:                            "seq takes 1 to 3 arguments, not 0",
		`{{ cat }}`:                            "cat takes at least 1 arguments (at most 64), not 0",
		`{{ .Name "x" }}`:                      "is not a function, but is given arguments",
		`{{ first "a" }}`:                      "first: a list is expected, not a string",
		`{{ merge 1 }}`:                        "merge: a map is expected, not a integer",
		`{{ round 1 -1 }}`:                     "round: the number of decimals is negative",
		`{{ mulf 1e300 2 }}`:                   "mulf: a number is out of the range of decimal arithmetic",
		`{{ divf 1 0 }}`:                       "divf does not accept these arguments",
		`{{ regexFindAll "a" "a" "x" }}`:       "regexFindAll: a string is not an integer",
	}
	for content, want := range cases {
		set, err := Compile([]Source{{Name: "t", Content: content}})
		if err == nil {
			_, err = set.RenderText("t", params("x", 1))
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", content, err, want)
		}
	}
}
