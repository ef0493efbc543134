#!/usr/bin/env bash
# run.sh BIN: runs BIN/manager as a process against the cluster of the current kubeconfig,
# as the manager's ServiceAccount and with no other rights than its roles give.
set -euo pipefail
bin=$1
kubectl=${KUBECTL:-kubectl}
config=$bin/run.kubeconfig

token=$("$kubectl" -n kudo-system create token kudo-manager --duration=8h)
(
	umask 077
	"$kubectl" config view --minify --flatten --raw -o json > "$config.admin"
	server=$("$kubectl" --kubeconfig "$config.admin" config view -o jsonpath='{.clusters[0].cluster.server}')
	"$kubectl" --kubeconfig "$config.admin" config view --raw -o jsonpath='{.clusters[0].cluster.certificate-authority-data}' |
		base64 -d > "$config.ca"
	rm -f "$config.admin" "$config"
	"$kubectl" --kubeconfig "$config" config set-cluster kudo --server="$server" --certificate-authority="$config.ca" --embed-certs
	"$kubectl" --kubeconfig "$config" config set-credentials manager --token="$token"
	"$kubectl" --kubeconfig "$config" config set-context kudo --cluster=kudo --user=manager --namespace=kudo-system
	"$kubectl" --kubeconfig "$config" config use-context kudo
	rm -f "$config.ca"
) > /dev/null
# The certificate of the webhooks must name the host on which config/overlays/dev calls them.
exec env KUBECONFIG="$config" POD_NAMESPACE=kudo-system "$bin/manager" --webhook-host=127.0.0.1 "${@:2}"
