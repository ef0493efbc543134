// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package params

import (
	"errors"
	"fmt"
	"regexp"
	"sort"

	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/kube-openapi/pkg/validation/strfmt"
)

const formatQuantity = "quantity"

// stringFormats gives a valid sample for every format of a string.
var stringFormats = map[string]string{
	formatQuantity:   "1Gi",
	"byte":           "AAAA",
	"cidr":           "10.0.0.0/8",
	"date":           "2024-01-01",
	"date-time":      "2024-01-01T00:00:00Z",
	"duration":       "10s",
	"email":          "a@example.com",
	"hostname":       "example.com",
	"ipv4":           "10.0.0.1",
	"ipv6":           "::1",
	"k8s-long-name":  "a.b",
	"k8s-short-name": "a",
	"mac":            "00:00:5e:00:53:01",
	"password":       "a",
	"uri":            "https://example.com/",
	"uuid":           "3b241101-e2bb-4255-8caf-4136c566a962",
}

var numberFormats = map[string][]string{
	typeInteger: {"int32", "int64"},
	typeNumber:  {"float", "double"},
}

func formatsOf(typ string) []string {
	if typ != typeString {
		return numberFormats[typ]
	}
	names := make([]string, 0, len(stringFormats))
	for name := range stringFormats {
		names = append(names, name)
	}
	sort.Strings(names)
	return names
}

// checkFormat says what is wrong with a string, or nothing.
func checkFormat(format, s string) string {
	if format == formatQuantity {
		if _, err := ParseQuantity(s); err != nil {
			return "must be a quantity such as 512Mi or 0.5"
		}
		return ""
	}
	if !strfmt.Default.Validates(format, s) {
		return fmt.Sprintf("must have the format %s, for example %s", format, stringFormats[format])
	}
	return ""
}

// plainQuantity bounds the exponent: comparing quantities multiplies it out.
var plainQuantity = regexp.MustCompile(`^[+-]?[0-9.]{1,40}([a-zA-Z]{0,2}|[eE][+-]?[0-9]{1,2})$`)

// ParseQuantity reads a Kubernetes quantity whose size is within reason.
func ParseQuantity(s string) (resource.Quantity, error) {
	if !plainQuantity.MatchString(s) {
		return resource.Quantity{}, errors.New("not a quantity")
	}
	q, err := resource.ParseQuantity(s)
	if err != nil {
		return resource.Quantity{}, errors.New("not a quantity")
	}
	return q, nil
}
