//go:build unix

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/armtest"
)

type armKey struct{}

// TestClusters runs "cluster" as a user types it, against a stand-in for Azure Resource Manager that permits what the least
// role permits. Each file of testdata/cluster is a case.
func TestClusters(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:           "testdata/cluster",
		UpdateScripts: *update,
		Setup: func(env *testscript.Env) error {
			server := armtest.New(env.T().(testing.TB), "../..")
			env.Values[armKey{}] = server
			env.Setenv("HOME", env.WorkDir)
			env.Setenv("KUBECONFIG", filepath.Join(env.WorkDir, "kubeconfig"))
			env.Setenv("NO_COLOR", "1")
			env.Setenv("LANG", "C.UTF-8")
			return toAzure(env.WorkDir, server, env.Getenv, env.Setenv)
		},
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){"arm": arm, "exits": exits},
	})
}

// toAzure makes a script's programs reach the stand-in: with an az and a kubelogin that are found before others.
func toAzure(folder string, server *armtest.Server, get func(string) string, set func(name, value string)) error {
	bin := filepath.Join(folder, "bin")
	if err := armtest.FakeAz(bin); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(bin, "kubelogin"), []byte("#!/bin/sh\nexit 1\n"), 0o755); err != nil {
		return err
	}
	set("PATH", bin+string(filepath.ListSeparator)+get("PATH"))
	set("SSL_CERT_FILE", server.CA)
	set("AZURE_SUBSCRIPTION_ID", armtest.Subscription)
	set("ARM", server.URL)
	return nil
}

// startAzure starts a stand-in whose clusters are the sandbox of the script, in which the caller is an administrator.
func startAzure(ts *testscript.TestScript, _ bool, _ []string) {
	config, err := clientcmd.LoadFromFile(ts.Getenv("KUBECONFIG"))
	ts.Check(err)
	current := config.Contexts[config.CurrentContext]
	cluster, user := config.Clusters[current.Cluster], config.AuthInfos[current.AuthInfo]
	server := ts.Value(armKey{}).(*armtest.Server)
	server.Change(func() {
		server.KubeServer, server.KubeCA = cluster.Server, cluster.CertificateAuthorityData
		server.KubeUser = map[string]any{"client-certificate-data": user.ClientCertificateData, "client-key-data": user.ClientKeyData}
	})
	ts.Check(toAzure(ts.MkAbs("."), server, ts.Getenv, ts.Setenv))
	ts.Setenv("KUBECONFIG", ts.MkAbs("kubeconfig"))
}

// arm changes the stand-in, or looks at it: the words are in the cases.
func arm(ts *testscript.TestScript, neg bool, args []string) {
	s := ts.Value(armKey{}).(*armtest.Server)
	number := func(text string) int {
		n, err := strconv.Atoi(text)
		ts.Check(err)
		return n
	}
	switch args[0] {
	case "fail": // METHOD PATH TIMES STATUS CODE [RETRY-AFTER]
		f := armtest.Fault{Method: args[1], Path: args[2], Times: number(args[3]), Status: number(args[4]), Code: args[5], Message: "The request is refused by the test."}
		if len(args) > 6 {
			f.RetryAfter = args[6]
		}
		s.Fail(f)
	case "lose": // METHOD PATH
		s.Fail(armtest.Fault{Method: args[1], Path: args[2], Times: 1, Status: 503, Code: "ServiceUnavailable", Message: "The answer is lost.", Lost: true})
	case "fail-operation":
		s.Change(func() { s.FailOperation = args[1] })
	case "quota":
		s.Change(func() { s.Quota[args[1]] = number(args[2]) })
	case "addresses":
		s.Change(func() { s.Addresses = number(args[1]) })
	case "restrict":
		s.Change(func() { s.Restricted[args[1]] = args[2] })
	case "unregister":
		s.Change(func() { s.Unregistered = append(s.Unregistered, args[1]) })
	case "permit":
		s.Change(func() { s.Permissions = args[1:] })
	case "subscription":
		s.Change(func() { s.SubscriptionState = args[1] })
	case "others":
		s.Put(args[1], args[2])
	case "others-gone":
		s.Remove(args[1], args[2])
	case "offer":
		s.Change(func() { s.Offer = args[1] })
	case "add":
		s.Add(args[1], args[2], args[3])
	case "expire":
		s.Expire(args[1] == "true")
	case "hold":
		s.Hold(1, args[1], false)
	case "held":
		select {
		case <-s.Held():
		case <-time.After(20 * time.Second):
			ts.Fatalf("the request did not come")
		}
	case "release":
		s.Release()
	case "has": // each argument is a line of the state
		if got := s.State(); !slices.Equal(got, args[1:]) {
			ts.Fatalf("there is %q", got)
		}
	case "created":
		if got := s.Creations(); got != number(args[1]) {
			ts.Fatalf("%d creations were accepted", got)
		}
	case "requested":
		count := 0
		for _, r := range s.Requests() {
			if strings.Contains(r, args[1]) {
				count++
			}
		}
		if (count > 0) == neg {
			ts.Fatalf("%d requests have %s:\n%s", count, args[1], strings.Join(s.Requests(), "\n"))
		}
	default:
		ts.Fatalf("arm %v is unknown", args)
	}
}

// TestAKilledCreationIsContinued kills a creation with SIGKILL at each of its requests, before Azure has it and after, and runs
// the same command again: there is one cluster, it was created once, and its credentials are there.
func TestAKilledCreationIsContinued(t *testing.T) {
	if testing.Short() {
		t.Skip("it starts the program many times")
	}
	for _, after := range []bool{false, true} {
		t.Run(fmt.Sprint(after), func(t *testing.T) {
			t.Parallel()
			folder := t.TempDir()
			killed := 0
			for n := 1; n <= 40; n++ {
				if !killAt(t, filepath.Join(folder, strconv.Itoa(n)), n, after) {
					break
				}
				killed++
			}
			if killed < 10 {
				t.Errorf("only %d moments", killed)
			}
			t.Logf("killed at %d moments", killed)
		})
	}
}
