// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

// The manager runs Kudo's controllers and serves its admission webhooks.
package main

import (
	"context"
	"crypto/tls"
	"flag"
	"fmt"
	"os"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/selection"
	"k8s.io/apimachinery/pkg/types"
	utilruntime "k8s.io/apimachinery/pkg/util/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/config"
	"sigs.k8s.io/controller-runtime/pkg/healthz"
	"sigs.k8s.io/controller-runtime/pkg/log/zap"
	"sigs.k8s.io/controller-runtime/pkg/metrics/filters"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"
	"sigs.k8s.io/controller-runtime/pkg/webhook"

	"kudo.dev/kudo/apis/kudo/v1alpha1"
	"kudo.dev/kudo/controllers"
	"kudo.dev/kudo/internal/apply"
	"kudo.dev/kudo/internal/certs"
	"kudo.dev/kudo/internal/crdinstall"
	"kudo.dev/kudo/internal/graph"
	"kudo.dev/kudo/internal/preflight"
	"kudo.dev/kudo/internal/transport"
	"kudo.dev/kudo/webhooks"
)

// version is stamped by the build.
var version = "dev"

// Names of config/default.
const (
	defaultNamespace = "kudo-system"
	leaseName        = "kudo-manager.kudo.dev"
	caSecret         = "kudo-webhook-ca" //nolint:gosec // a name, not a credential
	webhookService   = "kudo-webhook-service"
	validatingConfig = "kudo-validating-webhook-configuration"
	mutatingConfig   = "kudo-mutating-webhook-configuration"
)

type options struct {
	namespace      string
	serviceAccount string
	leaderElect    bool
	metricsAddress string
	metricsSecure  bool
	probeAddress   string
	webhookHost    string
	webhookPort    int
	webhookCertDir string
	webhooks       bool
	zap            zap.Options
}

func parse(args []string) (*options, error) {
	o := &options{}
	fs := flag.NewFlagSet("manager", flag.ContinueOnError)
	fs.StringVar(&o.namespace, "namespace", fallback(os.Getenv("POD_NAMESPACE"), defaultNamespace), "Namespace that the manager runs in.")
	fs.StringVar(&o.serviceAccount, "service-account", "kudo-manager", "The manager's own ServiceAccount in that namespace.")
	fs.BoolVar(&o.leaderElect, "leader-elect", false, "Let one of several managers lead.")
	fs.StringVar(&o.metricsAddress, "metrics-bind-address", ":8443", "Address of the metrics; 0 for none.")
	fs.BoolVar(&o.metricsSecure, "metrics-secure", true, "Serve the metrics over HTTPS to who may read them.")
	fs.StringVar(&o.probeAddress, "health-probe-bind-address", ":8081", "Address of the probes; 0 for none.")
	fs.BoolVar(&o.webhooks, "webhooks", true, "Serve the admission webhooks.")
	fs.StringVar(&o.webhookHost, "webhook-host", "", "Address that the webhooks are served on; empty for all. The certificate holds it too.")
	fs.IntVar(&o.webhookPort, "webhook-port", 9443, "Port of the webhooks.")
	fs.StringVar(&o.webhookCertDir, "webhook-cert-dir", "", "Directory with tls.crt and tls.key, where cert-manager makes them; empty: the manager makes its own.")
	o.zap.BindFlags(fs)
	return o, fs.Parse(args)
}

func fallback(value, otherwise string) string {
	if value != "" {
		return value
	}
	return otherwise
}

func main() {
	o, err := parse(os.Args[1:])
	if err != nil {
		os.Exit(2)
	}
	ctrl.SetLogger(zap.New(zap.UseFlagOptions(&o.zap)))
	if err := run(ctrl.SetupSignalHandler(), o); err != nil {
		ctrl.Log.Error(err, "the manager ends")
		os.Exit(1)
	}
}

func run(ctx context.Context, o *options) error {
	scheme := runtime.NewScheme()
	utilruntime.Must(clientgoscheme.AddToScheme(scheme))
	utilruntime.Must(v1alpha1.AddToScheme(scheme))
	utilruntime.Must(apiextensionsv1.AddToScheme(scheme))
	restConfig, err := ctrl.GetConfig()
	if err != nil {
		return fmt.Errorf("reading the kubeconfig: %w", err)
	}
	// Priority and fairness in the API server is the rate limit.
	restConfig.QPS = -1
	restConfig.UserAgent = "kudo-manager/" + version
	restConfig.Wrap(transport.Finish(inFlight))
	direct, err := client.New(restConfig, client.Options{Scheme: scheme})
	if err != nil {
		return fmt.Errorf("connecting to the API server: %w", err)
	}
	if err := preflight.Check(ctx, direct); err != nil {
		return fmt.Errorf("checking the cluster: %w", err)
	}
	keeper, err := certificates(ctx, o, direct)
	if err != nil {
		return err
	}
	mgr, err := ctrl.NewManager(restConfig, managerOptions(o, scheme, keeper))
	if err != nil {
		return fmt.Errorf("setting up the manager: %w", err)
	}
	if err := wire(ctx, mgr, o, keeper); err != nil {
		return err
	}
	ctrl.Log.Info("starting", "version", version)
	if err := mgr.Start(ctx); err != nil {
		return fmt.Errorf("running the manager: %w", err)
	}
	return nil
}

// certificates makes the webhooks' certificate before they are served, unless
// someone else makes it.
func certificates(ctx context.Context, o *options, direct client.Client) (*certs.Keeper, error) {
	if !o.webhooks || o.webhookCertDir != "" {
		return nil, nil
	}
	opts := certs.Options{
		Secret:     types.NamespacedName{Namespace: o.namespace, Name: caSecret},
		Service:    types.NamespacedName{Namespace: o.namespace, Name: webhookService},
		Validating: validatingConfig, Mutating: mutatingConfig,
	}
	if o.webhookHost != "" {
		opts.ExtraHosts = []string{o.webhookHost}
	}
	keeper, err := certs.New(opts)
	if err != nil {
		return nil, fmt.Errorf("setting up the webhooks' certificate: %w", err)
	}
	if err := keeper.Bootstrap(ctx, direct); err != nil {
		return nil, fmt.Errorf("making the webhooks' certificate: %w", err)
	}
	return keeper, nil
}

const (
	// shutdown bounds how long an orderly stop takes.
	shutdown = 10 * time.Second
	// inFlight bounds how long a write that was under way may still take then.
	inFlight = 5 * time.Second
)

// With client-go's jitter a standby looks at the lease every 1.76 s at least. It takes over
// within 12 s + 2 x 1.76 s after a crash and 1.76 s after a release: docs/design/0013.
const (
	leaseDuration = 12 * time.Second
	renewDeadline = 8 * time.Second
	retryPeriod   = 800 * time.Millisecond
)

// reconciliation bounds one reconciliation; all of them resume where they were.
const reconciliation = 2 * time.Minute

func managerOptions(o *options, scheme *runtime.Scheme, keeper *certs.Keeper) ctrl.Options {
	timeout, yes := shutdown, true
	lease, renew, retry := leaseDuration, renewDeadline, retryPeriod
	metrics := metricsserver.Options{BindAddress: o.metricsAddress, SecureServing: o.metricsSecure}
	if o.metricsSecure {
		metrics.FilterProvider = filters.WithAuthenticationAndAuthorization
	}
	server := webhook.Options{Host: o.webhookHost, Port: o.webhookPort, CertDir: o.webhookCertDir}
	if keeper != nil {
		server.TLSOpts = []func(*tls.Config){func(c *tls.Config) { c.GetCertificate = keeper.GetCertificate }}
	}
	return ctrl.Options{
		Scheme:                        scheme,
		Metrics:                       metrics,
		WebhookServer:                 webhook.NewServer(server),
		HealthProbeBindAddress:        o.probeAddress,
		LeaderElection:                o.leaderElect,
		LeaderElectionID:              leaseName,
		LeaderElectionNamespace:       o.namespace,
		LeaderElectionReleaseOnCancel: true,
		LeaseDuration:                 &lease,
		RenewDeadline:                 &renew,
		RetryPeriod:                   &retry,
		GracefulShutdownTimeout:       &timeout,
		Controller: config.Controller{
			// A standby fills its caches before it leads.
			EnableWarmup: &yes,
			// A read that waits for a stalled watch must not hold a worker for ever.
			ReconciliationTimeout: reconciliation,
		},
		Cache: cacheOptions(),
		Client: client.Options{Cache: &client.CacheOptions{
			// A status that was just written is what the next reconciliation reads.
			EnableReadYourWritesConsistency: &yes,
		}},
	}
}

// cacheOptions keep what the manager holds in memory small: of revisions, only
// Kudo's own, and of everything nothing that Kudo does not read.
func cacheOptions() cache.Options {
	owned, err := labels.NewRequirement(v1alpha1.LabelRevision, selection.Exists, nil)
	utilruntime.Must(err)
	return cache.Options{
		ByObject: map[client.Object]cache.ByObject{
			&appsv1.ControllerRevision{}:                {Label: labels.NewSelector().Add(*owned)},
			&apiextensionsv1.CustomResourceDefinition{}: {Transform: crdinstall.Trim},
		},
		DefaultTransform: apply.Trim,
	}
}

func wire(ctx context.Context, mgr ctrl.Manager, o *options, keeper *certs.Keeper) error {
	versions := graph.NewCache()
	if err := controllers.Setup(ctx, mgr, versions); err != nil {
		return fmt.Errorf("setting up the controllers: %w", err)
	}
	if o.webhooks {
		err := webhooks.Setup(mgr, webhooks.Options{
			Versions: versions, Manager: "system:serviceaccount:" + o.namespace + ":" + o.serviceAccount,
		})
		if err != nil {
			return fmt.Errorf("setting up the webhooks: %w", err)
		}
		if err := mgr.AddReadyzCheck("webhooks", mgr.GetWebhookServer().StartedChecker()); err != nil {
			return fmt.Errorf("adding the readiness check: %w", err)
		}
	}
	if keeper != nil {
		if err := keeper.SetupWithManager(mgr); err != nil {
			return fmt.Errorf("keeping the webhooks' certificate: %w", err)
		}
		if err := mgr.AddReadyzCheck("certificates", keeper.Check); err != nil {
			return fmt.Errorf("adding the readiness check: %w", err)
		}
	}
	// Also without webhooks: a probe that nothing answers is a failure.
	if err := mgr.AddReadyzCheck("ping", healthz.Ping); err != nil {
		return fmt.Errorf("adding the readiness check: %w", err)
	}
	if err := mgr.AddHealthzCheck("ping", healthz.Ping); err != nil {
		return fmt.Errorf("adding the liveness check: %w", err)
	}
	return nil
}
