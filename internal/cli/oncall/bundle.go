// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package oncall

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"
	"k8s.io/client-go/kubernetes"

	"kudo.dev/kudo/internal/cli/bundle"
	"kudo.dev/kudo/internal/cli/command"
)

// stamp is the time in the name of a file.
const stamp = "20060102T150405Z"

type bundleOptions struct{ file, namespace string }

func newBundle(env *command.Env) *cobra.Command {
	o := &bundleOptions{}
	cmd := &cobra.Command{
		Use:   "support-bundle NAME",
		Short: "Write an archive of what tells how an Instance is, without its secrets",
		Long: `Writes the objects of Kudo, the metadata and status of the objects of the Instance and of their
pods, events, the diagnosis, the manager's logs and versions. Left out are the content of Secrets and
ConfigMaps, specs, values of secret parameters and of outputs, and what programs printed. Look
through it before you send it.`,
		Example:           "  kubectl kudo support-bundle zk -o zk.tar.gz",
		Args:              command.Args(1, 1),
		ValidArgsFunction: CompleteNames(env, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return o.run(cmd.Context(), env, args[0], cmd.Root().Version)
		},
	}
	cmd.Flags().StringVarP(&o.file, "output", "o", "", "File to write, - for the standard output (default kudo-NAMESPACE-NAME-TIME.tar.gz)")
	cmd.Flags().StringVar(&o.namespace, "manager-namespace", "kudo-system", "Namespace of Kudo's manager")
	return cmd
}

func (o *bundleOptions) run(ctx context.Context, env *command.Env, name, version string) error {
	s, err := find(ctx, env, name)
	if err != nil {
		return err
	}
	config, err := env.Config.ToRESTConfig()
	if err != nil {
		return fmt.Errorf("reading the kubeconfig: %w", err)
	}
	clients, err := kubernetes.NewForConfig(config)
	if err != nil {
		return fmt.Errorf("connecting to the cluster: %w", err)
	}
	c := &bundle.Collector{Client: s.client, Clients: clients, Namespace: o.namespace, Version: version, Server: "unknown", Now: env.Clock.Now()}
	if server, err := clients.Discovery().ServerVersion(); err == nil {
		c.Server = server.GitVersion
	}
	b, gaps := c.Collect(ctx, s.inst)
	dir := fmt.Sprintf("kudo-%s-%s-%s", s.inst.Namespace, s.inst.Name, c.Now.UTC().Format(stamp))
	for _, line := range gapLines(gaps) {
		env.Warnf("%s\n", line)
	}
	if o.file == "-" {
		return bundle.Write(env.Out, dir, b.Files(), c.Now)
	}
	if o.file == "" {
		o.file = dir + ".tar.gz"
	}
	if err := write(o.file, dir, b, c); err != nil {
		return err
	}
	env.Printf("%s: %d files. Look through it before you send it: tar -xzf %s\n", o.file, len(b.Files()), o.file)
	return nil
}

// write makes a new file that only its owner reads.
func write(file, dir string, b *bundle.Bundle, c *bundle.Collector) error {
	const private = 0o600
	f, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_EXCL, private)
	if errors.Is(err, os.ErrExist) {
		return command.Misuse("%s exists: name another file with -o, or remove it", file)
	}
	if err != nil {
		return fmt.Errorf("writing the bundle: %w", err)
	}
	return errors.Join(bundle.Write(f, dir, b.Files(), c.Now), f.Close())
}
