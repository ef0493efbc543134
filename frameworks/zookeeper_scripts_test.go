// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package frameworks_test

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"kudo.dev/kudo/internal/render"
)

// needBash skips where the scripts cannot run as they do in a container.
func needBash(t *testing.T) {
	t.Helper()
	if runtime.GOOS != "linux" {
		t.Skip("the scripts are for Linux")
	}
	if _, err := exec.LookPath("bash"); err != nil {
		t.Skip("there is no bash")
	}
}

func run(t *testing.T, script string, environment ...string) (string, bool) {
	t.Helper()
	cmd := exec.Command("bash", "-c", script)
	cmd.Env = append([]string{"PATH=" + os.Getenv("PATH")}, environment...)
	out, err := cmd.CombinedOutput()
	return string(out), err == nil
}

// install puts a ZooKeeper below root, as the official image has it.
func install(t *testing.T, root string) {
	t.Helper()
	for _, name := range []string{"bin/zkServer.sh", "lib/zookeeper.jar", "lib/zookeeper-prometheus-metrics.jar"} {
		write(t, filepath.Join(root, name), "")
	}
}

// TestStart runs start.sh with a java that prints how it was called.
func TestStart(t *testing.T) {
	needBash(t)
	tests := map[string]struct {
		pod, myid string
		ok        bool
		want      string
	}{
		"first start":      {"zk-0", "", true, "org.apache.zookeeper.server.quorum.QuorumPeerMain"},
		"next start":       {"zk-2", "3", true, "-XX:MaxRAMPercentage=65"},
		"more options":     {"zk-1", "2", true, "-XX:+UseG1GC -Da=b"},
		"a foreign volume": {"zk-1", "3", false, "the volume belongs to server 3, but this is server 2"},
		"not a member":     {"zk-3", "", false, "server 4 is not a member of this ensemble"},
	}
	eachVersion(t, func(t *testing.T, zk *zookeeper) {
		config := zk.render(t, "config.yaml", render.Values{"Params": zk.defaults(t, nil)}).config.Data
		for name, test := range tests {
			t.Run(name, func(t *testing.T) {
				root := t.TempDir()
				write(t, root+"/config/zoo.cfg", config["zoo.cfg"])
				write(t, root+"/bin/java", "#!/bin/sh\necho java \"$@\"\n")
				install(t, root)
				write(t, root+"/run/zookeeper/x", "")
				write(t, root+"/data/x", "")
				if test.myid != "" {
					write(t, root+"/data/myid", test.myid+"\n")
				}
				script := config["start.sh"]
				for _, dir := range []string{"/config/", "/data/", "/run/"} {
					script = strings.ReplaceAll(script, dir, root+dir)
				}
				out, ok := run(t, script, "PATH="+root+"/bin:"+os.Getenv("PATH"), "POD_NAME="+test.pod, "HEAP_PERCENT=65", "JVM_OPTIONS=-XX:+UseG1GC  -Da=b")
				if ok != test.ok || !strings.Contains(out, test.want) {
					t.Fatalf("succeeded: %v, output:\n%s", ok, out)
				}
				if !ok {
					return
				}
				if id, err := os.ReadFile(root + "/data/myid"); err != nil || string(id) != fmt.Sprintln(test.pod[3]-'0'+1) {
					t.Errorf("myid is %q, %v", id, err)
				}
				if !strings.Contains(out, "-cp "+root+"/run/zookeeper:"+root+"/lib/*") {
					t.Errorf("the class path is wrong:\n%s", out)
				}
			})
		}
	})
}

func write(t *testing.T, name, content string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(content), 0o755); err != nil {
		t.Fatal(err)
	}
}

// ensemble answers srvr like servers in the given roles: l leads, f follows, - is
// down, x answers but does not serve. It returns their hosts and their common port.
func ensemble(t *testing.T, roles string) (hosts []string, port string) {
	t.Helper()
	port = "0"
	for i, role := range roles {
		host := fmt.Sprintf("127.0.3.%d", i+1)
		hosts = append(hosts, host)
		if role == '-' {
			continue
		}
		listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", host+":"+port)
		if err != nil {
			t.Skipf("listening on %s: %v", host, err)
		}
		t.Cleanup(func() { _ = listener.Close() })
		_, port, _ = net.SplitHostPort(listener.Addr().String())
		answer := map[rune]string{
			'l': "Zookeeper version: x\nMode: leader\nNode count: 5\n", 'f': "Zookeeper version: x\nMode: follower\nNode count: 5\n",
			'x': "This ZooKeeper instance is not currently serving requests\n",
		}[role]
		go func() {
			for {
				conn, err := listener.Accept()
				if err != nil {
					return
				}
				_, _ = conn.Read(make([]byte, 4))
				_, _ = conn.Write([]byte(answer))
				_ = conn.Close()
			}
		}()
	}
	return hosts, port
}

// TestPreflight asks ensembles in all sorts of states whether they can spare a server.
func TestPreflight(t *testing.T) {
	needBash(t)
	tests := map[string]struct {
		roles    string
		old, new int64
		ok       bool
		want     string
	}{
		"healthy":                            {"ffl", 3, 3, true, "can spare a server"},
		"the last is down":                   {"fl-", 3, 3, true, "can spare a server"},
		"another one is down":                {"-fl", 3, 3, false, "with 1 servers down, restarting another one loses the quorum"},
		"one does not serve":                 {"xfl", 3, 3, false, "with 1 servers down"},
		"five, one down":                     {"f-lff", 5, 5, true, "can spare a server"},
		"five, two down":                     {"f-l-f", 5, 5, false, "with 2 servers down"},
		"five, two down, the last of them":   {"f-lf-", 5, 5, true, "can spare a server"},
		"alone":                              {"l", 1, 1, true, "can spare a server"},
		"no quorum":                          {"xxx", 3, 3, true, "there is no quorum to lose"},
		"all down":                           {"---", 3, 3, true, "there is no quorum to lose"},
		"two leaders":                        {"lfl", 3, 3, false, "2 servers lead instead of one"},
		"growing":                            {"fl-", 3, 5, true, "can spare a server"},
		"growing from one":                   {"l", 1, 3, true, "can spare a server"},
		"shrinking":                          {"fflff", 5, 3, true, "can spare a server"},
		"shrinking, one that stays is down":  {"f-lff", 5, 3, false, "must serve before the ensemble shrinks to 4"},
		"shrinking, one that leaves is down": {"fflf-", 5, 3, true, "can spare a server"},
		"shrinking without a quorum":         {"xx-", 3, 1, false, "0 servers lead"},
		"left at five, wanted three":         {"fflff", 3, 3, false, "Set nodeCount to 5"},
		"left at four, wanted three":         {"fflf", 3, 3, true, "can spare a server"},
		"left at four, wanted one":           {"fflf", 1, 1, false, "Set nodeCount to 3"},
	}
	eachVersion(t, func(t *testing.T, zk *zookeeper) {
		for name, test := range tests {
			t.Run(name, func(t *testing.T) {
				hosts, port := ensemble(t, test.roles)
				values := render.Values{"Params": zk.defaults(t, map[string]any{"nodeCount": test.new}), "Old": map[string]any{"nodeCount": test.old}}
				spec := zk.render(t, "preflight.yaml", values).podSpec()
				root := t.TempDir()
				install(t, root)
				live := filepath.Join(root, "live")
				var cfg strings.Builder
				cfg.WriteString("dataDir=/data\n")
				for i, host := range hosts {
					fmt.Fprintf(&cfg, "server.%d=%s:2888:3888\n", i+1, host)
				}
				write(t, filepath.Join(live, "zoo.cfg"), cfg.String())
				script := strings.NewReplacer("/live/", live+"/", "/2181", "/"+port).Replace(spec.Containers[0].Args[0])
				out, ok := run(t, script, "PATH="+root+"/bin:"+os.Getenv("PATH"), "PATIENCE=0", "TARGET="+env(spec)["TARGET"])
				if ok != test.ok || !strings.Contains(out, test.want) {
					t.Errorf("succeeded: %v, output:\n%s", ok, out)
				}
			})
		}
	})
}

func TestPreflightBeforeAnythingRuns(t *testing.T) {
	needBash(t)
	eachVersion(t, func(t *testing.T, zk *zookeeper) {
		spec := zk.render(t, "preflight.yaml", render.Values{"Params": zk.defaults(t, nil)}).podSpec()
		root := t.TempDir()
		install(t, root)
		out, ok := run(t, strings.ReplaceAll(spec.Containers[0].Args[0], "/live/", t.TempDir()+"/"),
			"PATH="+root+"/bin:"+os.Getenv("PATH"), "PATIENCE=0", "TARGET=3")
		if !ok || !strings.Contains(out, "there is no configuration yet") {
			t.Errorf("succeeded: %v, output:\n%s", ok, out)
		}
	})
}

// TestPreflightLooksAtTheImage: servers that can not start are not tried.
func TestPreflightLooksAtTheImage(t *testing.T) {
	needBash(t)
	tests := map[string]struct {
		version, absent, metrics string
		ok                       bool
		want                     string
	}{
		"no ZooKeeper":           {"3.8.4", "lib/zookeeper*", "", false, "this image has no ZooKeeper in"},
		"no provider of metrics": {"3.9.3", "lib/zookeeper-prometheus-metrics.jar", "true", false, "set metrics to false, or take another image"},
		"none is needed":         {"3.9.3", "lib/zookeeper-prometheus-metrics.jar", "false", true, "there is no configuration yet"},
		"complete":               {"3.9.3", "", "true", true, "there is no configuration yet"},
	}
	eachVersion(t, func(t *testing.T, zk *zookeeper) {
		for name, test := range tests {
			if test.version != zk.Version.Spec.Version {
				continue
			}
			t.Run(name, func(t *testing.T) {
				root := t.TempDir()
				install(t, root)
				if test.absent != "" {
					names, err := filepath.Glob(filepath.Join(root, test.absent))
					if err != nil {
						t.Fatal(err)
					}
					for _, file := range names {
						if err := os.Remove(file); err != nil {
							t.Fatal(err)
						}
					}
				}
				changed := map[string]any{}
				if test.metrics != "" {
					changed["metrics"] = test.metrics == "true"
				}
				spec := zk.render(t, "preflight.yaml", render.Values{"Params": zk.defaults(t, changed)}).podSpec()
				out, ok := run(t, strings.ReplaceAll(spec.Containers[0].Args[0], "/live/", t.TempDir()+"/"),
					"PATH="+root+"/bin:"+os.Getenv("PATH"), "PATIENCE=0", "TARGET=3")
				if ok != test.ok || !strings.Contains(out, test.want) {
					t.Errorf("succeeded: %v, output:\n%s", ok, out)
				}
			})
		}
	})
}

// TestVerify runs verify with a client that remembers one value.
func TestVerify(t *testing.T) {
	needBash(t)
	tests := map[string]struct {
		roles, write, client string
		ok                   bool
		want                 string
	}{
		"healthy":             {"flf", "true", `case "$*" in *" create "*) echo Created ;; *" get "*) echo uid-1-1 ;; esac`, true, "every server serves and holds what was written"},
		"nothing to write":    {"flf", "false", "exit 1", true, "writing was not asked for"},
		"one down":            {"fl-", "true", "exit 1", false, "expected one leader and 2 followers"},
		"no leader":           {"fff", "true", "exit 1", false, "expected one leader and 2 followers"},
		"the value is absent": {"flf", "true", "echo 'Node does not exist'", false, "does not hold what was written: Node does not exist"},
		"written before":      {"flf", "true", `case "$*" in *" create "*) echo exists; exit 1 ;; *" get "*) echo uid-1-1 ;; esac`, true, "every server serves"},
	}
	eachVersion(t, func(t *testing.T, zk *zookeeper) {
		spec := zk.render(t, "verify.yaml", render.Values{"Params": zk.defaults(t, nil)}).podSpec()
		for name, test := range tests {
			t.Run(name, func(t *testing.T) {
				hosts, port := ensemble(t, test.roles)
				root := t.TempDir()
				write(t, root+"/bin/java", "#!/bin/sh\n"+test.client+"\n")
				install(t, root)
				script := strings.NewReplacer("/tmp/", root+"/", "/2181", "/"+port, `sleep "$try"`, ":").Replace(spec.Containers[0].Args[0])
				out, ok := run(t, script, "PATH="+root+"/bin:"+os.Getenv("PATH"), "PATIENCE=0", "SERVERS="+strings.Join(hosts, " "),
					"CLIENT="+hosts[0], "WRITE="+test.write, "PLAN_EXECUTION_ID=uid-1", "ATTEMPT=1")
				if ok != test.ok || !strings.Contains(out, test.want) {
					t.Errorf("succeeded: %v, output:\n%s", ok, out)
				}
			})
		}
	})
}
