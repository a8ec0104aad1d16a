package kubeflow

import (
	"context"
	"crypto/x509"
	"sync"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor/checks"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/expose"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/expose/loadbalancer"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/expose/probe"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/expose/tls"
)

// ReadExposure fills in how the dashboard can be reached now, whether it answers, and what could be better.
func ReadExposure(ctx context.Context, client *cluster.Client, into *expose.Exposure) error {
	view := client.View()
	t, err := expose.Read(ctx, view)
	if err != nil {
		return err
	}
	into.SetTarget(t)
	askAll(ctx, client, into.Endpoints, tls.CA(ctx, view, t))
	for _, e := range into.Endpoints {
		if e.URL != "" && (into.URL == "" || e.Answer != nil && e.Answer.Healthy()) {
			into.URL = e.URL
		}
	}
	into.Advise()
	return nil
}

// askAll requests each endpoint's page, or asks why it has no address, in parallel.
func askAll(ctx context.Context, client *cluster.Client, endpoints []expose.Endpoint, roots *x509.CertPool) {
	var asking sync.WaitGroup
	for i := range endpoints {
		e := &endpoints[i]
		asking.Go(func() {
			if e.URL != "" {
				answer := probe.Do(ctx, probe.Request{URL: e.URL, Address: e.Address, Roots: roots})
				e.Answer = &answer
			} else if e.Via == "LoadBalancer" {
				e.Pending = loadbalancer.WhyPending(ctx, client, e.About).What
			}
		})
	}
	asking.Wait()
}

// PlainHTTP returns what does not work for a dashboard that is reached over plain HTTP.
func PlainHTTP(ctx context.Context, view cluster.View) ([]doctor.Finding, error) {
	cookies, err := checks.Find("exposure/secure-cookies")
	if err != nil {
		return nil, err
	}
	var findings []doctor.Finding
	for _, check := range doctor.Diagnose(ctx, view, cookies, doctor.Options{}).Checks {
		findings = append(findings, check.Findings...)
	}
	return findings, nil
}
