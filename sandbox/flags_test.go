package main

import (
	"reflect"
	"testing"
	"time"

	"github.com/spf13/pflag"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/sandbox/cluster"
)

func TestArguments(t *testing.T) {
	t.Run("the background process gets every option", func(t *testing.T) {
		want := cluster.Options{
			Name: "n", Kubernetes: "1.21", Nodes: 5, GPUNodes: 1, Runtime: "docker://19.3.14", Scenario: "guide",
			Without: []string{"enforcer"}, NetworkPolicy: true, IdentityProvider: true, APIOnly: true, StartDelay: time.Second,
			Delays: map[string]time.Duration{"pilot": 2 * time.Second}, PullFailures: []string{"gcr.io"}, Hanging: []string{"mysql"},
			LoadBalancerDelay: time.Minute, Latency: 120 * time.Millisecond, LoadBalancerFailure: "AuthorizationFailed", Kubeconfig: "k",
		}
		var got cluster.Options
		flags := pflag.NewFlagSet("run", pflag.ContinueOnError)
		bindOptions(flags, &got)
		if err := flags.Parse(arguments(want)); err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("got  %+v\nwant %+v", got, want)
		}
	})
	t.Run("a delay without a duration is refused", func(t *testing.T) {
		if err := new(delays).Set("pilot"); err == nil {
			t.Error("it was taken")
		}
	})
}
