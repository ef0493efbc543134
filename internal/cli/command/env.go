// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

// Package command is what the commands of the plugin share: access to the cluster, forms of
// output, questions, errors of use, completion.
package command

import (
	"fmt"
	"os"

	"github.com/spf13/cobra"
	"golang.org/x/term"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/runtime"
	utilruntime "k8s.io/apimachinery/pkg/util/runtime"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	"k8s.io/cli-runtime/pkg/genericiooptions"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
)

// Env is what a command works with.
type Env struct {
	genericiooptions.IOStreams

	// Config holds kubectl's flags: kubeconfig, context, namespace and the like.
	Config *genericclioptions.ConfigFlags
	// Clock is the time; tests set it.
	Clock clock.PassiveClock
	// Terminal says whether Out is one; tests set it.
	Terminal bool
}

// New returns an Env for streams.
func New(streams genericiooptions.IOStreams) *Env {
	e := &Env{IOStreams: streams, Config: genericclioptions.NewConfigFlags(true), Clock: clock.RealClock{}}
	if f, ok := streams.Out.(*os.File); ok {
		e.Terminal = term.IsTerminal(int(f.Fd()))
	}
	return e
}

// AddFlags gives a command and all below it kubectl's flags.
func (e *Env) AddFlags(cmd *cobra.Command) { e.Config.AddFlags(cmd.PersistentFlags()) }

// Scheme knows the kinds that commands read and write.
func Scheme() *runtime.Scheme {
	s := runtime.NewScheme()
	utilruntime.Must(clientgoscheme.AddToScheme(s))
	utilruntime.Must(apiextensionsv1.AddToScheme(s))
	utilruntime.Must(v1alpha1.AddToScheme(s))
	return s
}

// Client is one for the cluster that the flags and the kubeconfig name.
func (e *Env) Client() (client.WithWatch, error) {
	config, err := e.Config.ToRESTConfig()
	if err != nil {
		return nil, fmt.Errorf("reading the kubeconfig: %w", err)
	}
	config.WarningHandler = e.warnings()
	config.QPS, config.Burst = requests, burst
	mapper, err := e.Config.ToRESTMapper()
	if err != nil {
		return nil, fmt.Errorf("asking the cluster for its kinds: %w", err)
	}
	c, err := client.NewWithWatch(config, client.Options{Scheme: Scheme(), Mapper: mapper})
	if err != nil {
		return nil, fmt.Errorf("connecting to the cluster: %w", err)
	}
	return c, nil
}

// A command that looks at many objects must not wait for client-go's 5 requests a second: the
// API server has limits of its own.
const (
	requests = 50
	burst    = 300
)

// warnings of the API server and of webhooks go to people, once each, as kubectl shows them.
func (e *Env) warnings() rest.WarningHandler {
	return rest.NewWarningWriter(e.ErrOut, rest.WarningWriterOptions{Deduplicate: true})
}

// Namespace is the one that the flags or the context name.
func (e *Env) Namespace() (string, error) {
	namespace, _, err := e.Config.ToRawKubeConfigLoader().Namespace()
	if err != nil {
		return "", fmt.Errorf("reading the kubeconfig: %w", err)
	}
	return namespace, nil
}

// Printf writes to the standard output. What can not be written has no reader.
func (e *Env) Printf(format string, args ...any) { _, _ = fmt.Fprintf(e.Out, format, args...) }

// Warnf writes to the standard error.
func (e *Env) Warnf(format string, args ...any) { _, _ = fmt.Fprintf(e.ErrOut, format, args...) }
