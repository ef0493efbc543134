// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package graph

import (
	"sync"

	"k8s.io/apimachinery/pkg/util/validation/field"
	"k8s.io/utils/lru"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
)

// cacheSize bounds how many versions are kept compiled; a cluster has few in use.
const cacheSize = 256

// Cache keeps compiled versions by digest. The zero value is not usable: see NewCache.
type Cache struct {
	mu       sync.Mutex
	versions *lru.Cache
}

// NewCache returns an empty cache.
func NewCache() *Cache { return &Cache{versions: lru.New(cacheSize)} }

// cached is compiled once, by whoever asks first; the others wait for that one only.
type cached struct {
	once    sync.Once
	version *Version
	errs    field.ErrorList
}

// Compile returns the compiled version of a spec, from the cache where it is known.
func (c *Cache) Compile(spec *v1alpha1.FrameworkVersionSpec) (*Version, field.ErrorList) {
	digest, err := Digest(spec)
	if err != nil {
		return nil, field.ErrorList{field.InternalError(field.NewPath("spec"), err)}
	}
	entry := c.entry(digest)
	entry.once.Do(func() { entry.version, entry.errs = Compile(spec) })
	return entry.version, entry.errs
}

// Forget drops a version that is gone: compiled, it is a hundred times its size.
func (c *Cache) Forget(spec *v1alpha1.FrameworkVersionSpec) {
	digest, err := Digest(spec)
	if err != nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.versions.Remove(digest)
}

func (c *Cache) entry(digest string) *cached {
	c.mu.Lock()
	defer c.mu.Unlock()
	if found, ok := c.versions.Get(digest); ok {
		if entry, ok := found.(*cached); ok {
			return entry
		}
	}
	entry := &cached{}
	c.versions.Add(digest, entry)
	return entry
}
