// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package cluster

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"time"
)

// Audit reads the API server's audit log.
type Audit struct {
	path string
}

// Mark is a moment in the audit log.
type Mark int64

// Request is one request that the API server answered.
type Request struct {
	// At is when it came.
	At time.Time
	// User who asked.
	User string
	// Credential tells the tokens of one user apart.
	Credential string
	// As is the user that was impersonated; empty for none.
	As string
	// Verb as RBAC has it: get, list, watch, create, update, patch, delete.
	Verb string
	// Group of the resource; empty for the core group and for what is no resource.
	Group string
	// Resource with its subresource, for example instances/status; empty for discovery and probes.
	Resource string
	// Namespace of the object.
	Namespace string
	// Name of the object.
	Name string
	// URI as it was asked for.
	URI string
	// Agent is the program's own name for itself.
	Agent string
	// Code of the answer.
	Code int
}

// event is the part of an audit event that is read.
type event struct {
	Stage      string    `json:"stage"`
	Verb       string    `json:"verb"`
	RequestURI string    `json:"requestURI"`
	UserAgent  string    `json:"userAgent"`
	Received   time.Time `json:"requestReceivedTimestamp"`
	User       struct {
		Username string              `json:"username"`
		Extra    map[string][]string `json:"extra"`
	} `json:"user"`
	ImpersonatedUser *struct {
		Username string `json:"username"`
	} `json:"impersonatedUser"`
	ObjectRef *struct {
		Resource    string `json:"resource"`
		Namespace   string `json:"namespace"`
		Name        string `json:"name"`
		APIGroup    string `json:"apiGroup"`
		Subresource string `json:"subresource"`
	} `json:"objectRef"`
	ResponseStatus *struct {
		Code int `json:"code"`
	} `json:"responseStatus"`
}

// Now returns the present moment.
func (a *Audit) Now() (Mark, error) {
	info, err := os.Stat(a.path)
	if err != nil {
		return 0, fmt.Errorf("reading the audit log: %w", err)
	}
	return Mark(info.Size()), nil
}

// Between returns the requests that were answered between two moments, in that order. A
// watch counts when it is opened.
func (a *Audit) Between(from, to Mark) ([]Request, error) {
	file, err := os.Open(a.path)
	if err != nil {
		return nil, fmt.Errorf("reading the audit log: %w", err)
	}
	defer func() { _ = file.Close() }()
	var out []Request
	in := bufio.NewReader(io.NewSectionReader(file, int64(from), int64(to-from)))
	for {
		line, err := in.ReadBytes('\n')
		if err == io.EOF { //nolint:errorlint // it is never wrapped, and an unfinished line is a request that goes on
			return out, nil
		}
		if err != nil {
			return nil, fmt.Errorf("reading the audit log: %w", err)
		}
		request, counts, err := parse(bytes.TrimSpace(line))
		if err != nil {
			return nil, err
		}
		if counts {
			out = append(out, request)
		}
	}
}

// Since returns the requests that were answered since a moment.
func (a *Audit) Since(from Mark) ([]Request, error) {
	now, err := a.Now()
	if err != nil {
		return nil, err
	}
	return a.Between(from, now)
}

// parse reads one line. A watch has two: only that of its start counts.
func parse(line []byte) (r Request, counts bool, err error) {
	if len(line) == 0 {
		return r, false, nil
	}
	var e event
	if err := json.Unmarshal(line, &e); err != nil {
		return r, false, fmt.Errorf("reading a line of the audit log: %w", err)
	}
	r = Request{At: e.Received, User: e.User.Username, Verb: e.Verb, URI: e.RequestURI, Agent: e.UserAgent}
	r.Credential = strings.Join(e.User.Extra["authentication.kubernetes.io/credential-id"], " ")
	if e.ImpersonatedUser != nil {
		r.As = e.ImpersonatedUser.Username
	}
	if o := e.ObjectRef; o != nil {
		r.Group, r.Resource, r.Namespace, r.Name = o.APIGroup, o.Resource, o.Namespace, o.Name
		if o.Subresource != "" {
			r.Resource = o.Resource + "/" + o.Subresource
		}
	}
	if e.ResponseStatus != nil {
		r.Code = e.ResponseStatus.Code
	}
	if r.Verb == "watch" && r.Code == 200 {
		return r, e.Stage == "ResponseStarted", nil
	}
	return r, e.Stage == "ResponseComplete" || e.Stage == "Panic", nil
}
