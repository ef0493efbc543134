// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package expr

import (
	"encoding/base64"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
	"github.com/google/cel-go/common/types/traits"
)

// maxResultWeight bounds the size of a result: values, plus text in units of 16 bytes.
const maxResultWeight = 500_000

var (
	errMissing = errors.New("missing")
	errTooBig  = errors.New("the result is too big")
)

// native turns a result into JSON. Times and durations become strings, an
// optional becomes its value or nil.
func native(v ref.Val) (any, error) {
	if weight(v, maxResultWeight) >= maxResultWeight {
		return nil, errTooBig
	}
	return toJSON(v)
}

func toJSON(v ref.Val) (any, error) {
	switch x := v.(type) {
	case types.Null:
		return nil, nil
	case types.Bool:
		return bool(x), nil
	case types.Int:
		return int64(x), nil
	case types.Uint:
		return uint64(x), nil
	case types.Double:
		if math.IsNaN(float64(x)) || math.IsInf(float64(x), 0) {
			return nil, errors.New("the result is not a finite number")
		}
		return float64(x), nil
	case types.String:
		return string(x), nil
	case types.Bytes:
		return base64.StdEncoding.EncodeToString(x), nil
	case types.Timestamp:
		return x.UTC().Format(time.RFC3339Nano), nil
	case types.Duration:
		return x.String(), nil
	case *types.Optional:
		if !x.HasValue() {
			return nil, nil
		}
		return toJSON(x.GetValue())
	case traits.Lister:
		return toList(x)
	case traits.Mapper:
		return toObject(x)
	case fmt.Stringer:
		return x.String(), nil
	}
	return nil, fmt.Errorf("the result has the type %s, which is no JSON", v.Type().TypeName())
}

func toList(list traits.Lister) (any, error) {
	out := []any{}
	for it := list.Iterator(); it.HasNext() == types.True; {
		v, err := toJSON(it.Next())
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return out, nil
}

func toObject(m traits.Mapper) (any, error) {
	out := map[string]any{}
	for it := m.Iterator(); it.HasNext() == types.True; {
		key := it.Next()
		name, ok := key.(types.String)
		if !ok {
			return nil, errors.New("the result has a map whose keys are not strings")
		}
		v, err := toJSON(m.Get(key))
		if err != nil {
			return nil, err
		}
		out[string(name)] = v
	}
	return out, nil
}

func kindOf(v any) string {
	switch v.(type) {
	case nil:
		return "null"
	case bool:
		return "true or false"
	case string:
		return "a string"
	case []any:
		return "a list"
	case map[string]any:
		return "an object"
	}
	return "a number"
}

// weight measures a value, up to a limit.
func weight(v ref.Val, limit int) int {
	switch x := v.(type) {
	case types.String:
		return min(limit, 1+len(x)/16)
	case types.Bytes:
		return min(limit, 1+len(x)/16)
	case *types.Optional:
		if x.HasValue() {
			return weight(x.GetValue(), limit)
		}
	case traits.Lister:
		total := 1
		for it := x.Iterator(); total < limit && it.HasNext() == types.True; {
			total += weight(it.Next(), limit-total)
		}
		return total
	case traits.Mapper:
		total := 1
		for it := x.Iterator(); total < limit && it.HasNext() == types.True; {
			key := it.Next()
			total += weight(key, limit-total)
			if total < limit {
				total += weight(x.Get(key), limit-total)
			}
		}
		return total
	}
	return 1
}
