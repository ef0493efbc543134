// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package controlplane

import (
	"context"
	"fmt"
	"net"
	"strings"

	"github.com/spf13/pflag"
	utilerrors "k8s.io/apimachinery/pkg/util/errors"
	"k8s.io/client-go/rest"
	cliflag "k8s.io/component-base/cli/flag"
	apiserver "k8s.io/kubernetes/cmd/kube-apiserver/app"
	apiserveroptions "k8s.io/kubernetes/cmd/kube-apiserver/app/options"
	controllermanager "k8s.io/kubernetes/cmd/kube-controller-manager/app"
	controllermanageroptions "k8s.io/kubernetes/cmd/kube-controller-manager/app/options"
	scheduler "k8s.io/kubernetes/cmd/kube-scheduler/app"
	scheduleroptions "k8s.io/kubernetes/cmd/kube-scheduler/app/options"

	"kudo.dev/kudo/hack/devcluster/internal/access"
	"kudo.dev/kudo/hack/devcluster/internal/home"
)

const serviceRange = "10.96.0.0/16"

// ServiceIP returns the address of the Service "kubernetes", the first one of the range.
func ServiceIP() net.IP { return net.IPv4(10, 96, 0, 1) }

// options are the parsed flags of the three components. The components' commands cannot be used: each installs the
// process's signal handler, and the second one to do so panics.
type options struct {
	apiserver         *apiserveroptions.ServerRunOptions
	controllerManager *controllermanageroptions.KubeControllerManagerOptions
	scheduler         *scheduleroptions.Options
}

func newOptions(cfg Config) (*options, error) {
	manager, err := controllermanageroptions.NewKubeControllerManagerOptions()
	if err != nil {
		return nil, fmt.Errorf("making the controller manager's options: %w", err)
	}
	o := &options{
		apiserver: apiserveroptions.NewServerRunOptions(), controllerManager: manager, scheduler: scheduleroptions.NewOptions(),
	}
	apiserverFlags := o.apiserver.Flags()
	managerFlags := manager.Flags(
		controllermanager.KnownControllers(), controllermanager.ControllersDisabledByDefault(), controllermanager.ControllerAliases())
	manager.ParsedFlags = &managerFlags
	apiserverArgs, err := apiserverArgs(cfg)
	if err != nil {
		return nil, err
	}
	for _, c := range []struct {
		name  string
		flags cliflag.NamedFlagSets
		args  []string
	}{
		{"kube-apiserver", apiserverFlags, apiserverArgs},
		{"kube-controller-manager", managerFlags, managerArgs(cfg.Access)},
		{"kube-scheduler", *o.scheduler.Flags, clientArgs(cfg.Access.Scheduler)},
	} {
		if err := parse(c.flags, c.args); err != nil {
			return nil, fmt.Errorf("parsing the flags of %s: %w", c.name, err)
		}
	}
	o.apiserver.SecureServing.Listener = cfg.Listener
	// All components share this registry: it must be set once, after all of them have registered their flags.
	if err := o.apiserver.GenericServerRunOptions.ComponentGlobalsRegistry.Set(); err != nil {
		return nil, fmt.Errorf("setting feature gates: %w", err)
	}
	rest.SetDefaultWarningHandler(rest.NoWarnings{})
	return o, nil
}

func parse(sets cliflag.NamedFlagSets, args []string) error {
	all := pflag.NewFlagSet("", pflag.ContinueOnError)
	for _, set := range sets.FlagSets {
		all.AddFlagSet(set)
	}
	return all.Parse(args)
}

func apiserverArgs(cfg Config) ([]string, error) {
	a := cfg.Access
	args := []string{
		"--etcd-servers=" + etcdClientURL,
		"--bind-address=127.0.0.1", "--advertise-address=127.0.0.1",
		fmt.Sprintf("--secure-port=%d", home.Port(cfg.Listener)),
		"--endpoint-reconciler-type=none", // a Service cannot have a loopback endpoint
		"--tls-cert-file=" + a.ServerCert, "--tls-private-key-file=" + a.ServerKey, "--client-ca-file=" + a.CA,
		"--service-account-issuer=https://kubernetes.default.svc.cluster.local",
		"--service-account-key-file=" + a.ServiceAccountKey, "--service-account-signing-key-file=" + a.ServiceAccountKey,
		"--service-cluster-ip-range=" + serviceRange,
		"--shutdown-watch-termination-grace-period=1s", // without it open watches delay the end by up to a minute
		"--authorization-mode=Node,RBAC", "--enable-admission-plugins=NodeRestriction", "--allow-privileged=true",
		// Pods leave a lost node after 15 s instead of 5 minutes.
		"--default-not-ready-toleration-seconds=15", "--default-unreachable-toleration-seconds=15",
	}
	if cfg.AuditLog != "" {
		audit, err := auditArgs(cfg.Home, cfg.AuditLog)
		if err != nil {
			return nil, err
		}
		args = append(args, audit...)
	}
	for _, arg := range cfg.APIServerArgs {
		args = append(args, "--"+strings.TrimLeft(arg, "-"))
	}
	return args, nil
}

func managerArgs(a access.Files) []string {
	return append(clientArgs(a.ControllerManager),
		"--root-ca-file="+a.CA, "--service-account-private-key-file="+a.ServiceAccountKey,
		"--use-service-account-credentials=true",
		"--controllers=*,-garbage-collector-controller", // it runs beside the manager, see collector.go
		// A node counts as lost 10 s after its last heartbeat; simulated nodes send one every 2 s.
		"--node-monitor-period=2s", "--node-monitor-grace-period=10s",
	)
}

// clientArgs are the flags of a component that serves nothing. With the default rates the clients of the controller
// manager alone would make the start 5 s longer.
func clientArgs(kubeconfig string) []string {
	return []string{
		"--kubeconfig=" + kubeconfig, "--authentication-kubeconfig=" + kubeconfig, "--authorization-kubeconfig=" + kubeconfig,
		"--leader-elect=false", "--secure-port=0", "--kube-api-qps=300", "--kube-api-burst=600",
	}
}

func (o *options) runAPIServer(ctx context.Context) error {
	completed, err := o.apiserver.Complete(ctx)
	if err != nil {
		return fmt.Errorf("completing options: %w", err)
	}
	if errs := completed.Validate(); len(errs) > 0 {
		return fmt.Errorf("validating options: %w", utilerrors.NewAggregate(errs))
	}
	return apiserver.Run(ctx, completed)
}

func (o *options) runControllerManager(ctx context.Context) error {
	cfg, err := o.controllerManager.Config(ctx,
		controllermanager.KnownControllers(), controllermanager.ControllersDisabledByDefault(), controllermanager.ControllerAliases())
	if err != nil {
		return fmt.Errorf("completing options: %w", err)
	}
	return controllermanager.Run(ctx, cfg.Complete())
}

func (o *options) runScheduler(ctx context.Context) error {
	cfg, sched, err := scheduler.Setup(ctx, o.scheduler)
	if err != nil {
		return fmt.Errorf("completing options: %w", err)
	}
	return scheduler.Run(ctx, cfg, sched)
}
