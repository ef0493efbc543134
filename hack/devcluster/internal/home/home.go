// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

// Package home is the data directory of a cluster: its files, its lock and what it tells other processes.
package home

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// Names of the files in a data directory that more than one package uses.
const (
	Kubeconfig       = "kubeconfig"
	LogFile          = "log"
	pidFile          = "pid"
	stateFile        = "state.json"
	portFile         = "port"
	markerFile       = "devcluster"
	markerFileLegend = "Data of a devcluster: `devcluster down --dir` removes this directory.\n"
)

// Home is the data directory of a cluster.
type Home struct {
	path string
}

// State is what a running cluster tells about itself once it is ready.
type State struct {
	PID     int       `json:"pid"`
	Server  string    `json:"server"`
	Nodes   int       `json:"nodes"`
	Started time.Time `json:"started"`
	Ready   time.Time `json:"ready"`
}

// At returns the home at path, which need not exist.
func At(path string) (Home, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return Home{}, fmt.Errorf("finding %s: %w", path, err)
	}
	return Home{path: abs}, nil
}

// Path returns the directory as an absolute path.
func (h Home) Path() string { return h.path }

// File returns the absolute path of a file in the directory.
func (h Home) File(name string) string { return filepath.Join(h.path, name) }

// Create makes the directory. It refuses one that holds something else, because `down` will remove it.
func (h Home) Create() error {
	entries, err := os.ReadDir(h.path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("reading the data directory: %w", err)
	}
	if len(entries) > 0 && !h.isOurs() {
		return fmt.Errorf("%s is neither empty nor a devcluster's data directory", h.path)
	}
	if err := os.MkdirAll(h.path, 0o700); err != nil {
		return fmt.Errorf("making the data directory: %w", err)
	}
	if err := os.WriteFile(h.File(markerFile), []byte(markerFileLegend), 0o600); err != nil {
		return fmt.Errorf("marking the data directory: %w", err)
	}
	return nil
}

// Remove removes the directory and everything in it.
func (h Home) Remove() error {
	if _, err := os.Stat(h.path); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if !h.isOurs() {
		return fmt.Errorf("%s is not a devcluster's data directory: not removed", h.path)
	}
	if err := os.RemoveAll(h.path); err != nil {
		return fmt.Errorf("removing the data directory: %w", err)
	}
	return nil
}

func (h Home) isOurs() bool {
	_, err := os.Stat(h.File(markerFile))
	return err == nil
}

// WriteState publishes that the cluster is ready.
func (h Home) WriteState(s State) error {
	data, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return fmt.Errorf("encoding the state: %w", err)
	}
	return h.WriteFile(stateFile, append(data, '\n'))
}

// ReadState returns what WriteState wrote; fs.ErrNotExist means that the cluster is not ready.
func (h Home) ReadState() (State, error) {
	var s State
	data, err := os.ReadFile(h.File(stateFile))
	if err != nil {
		return s, fmt.Errorf("reading the state: %w", err)
	}
	if err := json.Unmarshal(data, &s); err != nil {
		return s, fmt.Errorf("decoding the state: %w", err)
	}
	return s, nil
}

// ClearState takes back that the cluster is ready.
func (h Home) ClearState() error {
	if err := os.Remove(h.File(stateFile)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("clearing the state: %w", err)
	}
	return nil
}

// WriteFile writes a file in one step: a reader sees the old content or the new one.
func (h Home) WriteFile(name string, data []byte) error {
	tmp := h.File(name + ".new")
	if err := os.WriteFile(tmp, data, 0o600); err != nil {
		return fmt.Errorf("writing %s: %w", name, err)
	}
	if err := os.Rename(tmp, h.File(name)); err != nil {
		return fmt.Errorf("writing %s: %w", name, err)
	}
	return nil
}
