// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"os"

	"github.com/spf13/cobra"
	"go.etcd.io/etcd/server/v3/etcdmain"
	_ "k8s.io/client-go/plugin/pkg/client/auth" // kubectl's ways to log in
	"k8s.io/component-base/cli"
	_ "k8s.io/component-base/logs/json/register"          // --logging-format=json
	_ "k8s.io/component-base/metrics/prometheus/clientgo" // metrics of the components
	_ "k8s.io/component-base/metrics/prometheus/version"
	kubectl "k8s.io/kubectl/pkg/cmd"
	kubectlutil "k8s.io/kubectl/pkg/cmd/util"
	apiserver "k8s.io/kubernetes/cmd/kube-apiserver/app"
	controllermanager "k8s.io/kubernetes/cmd/kube-controller-manager/app"
	scheduler "k8s.io/kubernetes/cmd/kube-scheduler/app"
)

// runProgram runs one of the programs this binary stands in for. It returns false if it knows none of that name.
func runProgram(name string, args []string) bool {
	switch name {
	case "etcd":
		etcdmain.Main(append([]string{name}, args...))
	case "kube-apiserver":
		runCommand(apiserver.NewAPIServerCommand(), args)
	case "kube-controller-manager":
		runCommand(controllermanager.NewControllerManagerCommand(), args)
	case "kube-scheduler":
		runCommand(scheduler.NewSchedulerCommand(), args)
	case "kubectl":
		runKubectl(args)
	default:
		return false
	}
	return true
}

func runCommand(c *cobra.Command, args []string) {
	c.SetArgs(args)
	os.Exit(cli.Run(c))
}

func runKubectl(args []string) {
	os.Args = append([]string{"kubectl"}, args...) // kubectl looks there for plugins and for its own name
	kubectlutil.CheckErr(cli.RunNoErrOutput(kubectl.NewDefaultKubectlCommand()))
}
