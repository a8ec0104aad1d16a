package exposure

import (
	"context"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/escape"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/text"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/dashboard"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor/checks/workloads"
)

const secureCookiesVariable = "APP_SECURE_COOKIES"

var SecureCookies = &doctor.Check{
	ID:    "exposure/secure-cookies",
	Title: "Web app cookies work at the public address",
	Why: "The web apps for notebooks, volumes and tensorboards set cookies that browsers keep only over HTTPS. If the dashboard's public address is plain HTTP, " +
		"every action there fails with \"Could not find CSRF cookie XSRF-TOKEN\". A port-forward to localhost is not affected.",
	FixNote: "TLS is the better fix. --fix --allow-restart sets APP_SECURE_COOKIES=false on the web apps, which restarts their pods.",
	Sources: []string{"kubeflow/kubeflow#5803", "kubeflow/manifests#2594"},
	Reads:   slices.Concat(dashboard.GatewayKinds, []schema.GroupKind{kube.DeploymentKind}),
	Writes:  []doctor.Write{{Kind: kube.DeploymentKind, In: []string{workloads.Namespace}, Fields: []string{"/spec/template/spec/containers/*/env/*/value"}}},
	Run: func(ctx context.Context, e doctor.Exam) ([]doctor.Finding, error) {
		gateway, services, err := LoadBalancers(ctx, e)
		if err != nil {
			return nil, err
		}
		plain := slices.ContainsFunc(services, func(s exposingService) bool { // a proxy in front of the others may terminate TLS
			return dashboard.HasAddress(s.Service) && !dashboard.IsInternal(s.Service) && s.Annotations[dashboard.TagsAnnotation] == ""
		})
		if !plain || gateway.IstioGateway == nil || gateway.Encrypts() {
			return nil, nil
		}
		deployments, err := e.List(ctx, kube.DeploymentKind, cluster.Scope{Namespace: workloads.Namespace})
		if err != nil {
			return nil, err
		}
		apps := slices.DeleteFunc(slices.Clone(deployments), func(d *unstructured.Unstructured) bool { return !sendsSecure(d) })
		if len(apps) == 0 {
			return nil, nil
		}
		return []doctor.Finding{judgeCookies(apps)}, nil
	},
}

// cookieSettings returns the entries of a Deployment's environment that restrict cookies to HTTPS.
func cookieSettings(deployment *unstructured.Unstructured) []map[string]any {
	var found []map[string]any
	for _, c := range kube.Items(deployment.Object, "spec", "template", "spec", "containers") {
		for _, variable := range kube.Items(c, "env") {
			if variable["name"] == secureCookiesVariable {
				found = append(found, variable)
			}
		}
	}
	return found
}

func sendsSecure(deployment *unstructured.Unstructured) bool {
	return slices.ContainsFunc(cookieSettings(deployment), func(v map[string]any) bool { return v["value"] == "true" })
}

func judgeCookies(apps []*unstructured.Unstructured) doctor.Finding {
	fix := &doctor.Fix{Title: "Allow " + text.Plural(len(apps), "web app") + " to send cookies over plain HTTP", Impact: doctor.RestartsPods}
	for _, app := range apps {
		fix.Changes = append(fix.Changes, cluster.Edit(app, func(o *unstructured.Unstructured) {
			for _, variable := range cookieSettings(o) {
				variable["value"] = "false"
			}
		}))
	}
	return doctor.Finding{
		Severity:    doctor.Error,
		About:       doctor.Subject{Ref: cluster.RefOf(apps[0]), Field: "spec.template.spec.containers[0].env"},
		Message:     "the dashboard's public address is plain HTTP, and web apps set cookies for HTTPS only: " + text.Names(apps, text.Most, (*unstructured.Unstructured).GetName),
		Consequence: "Users of that address cannot create notebooks, volumes or tensorboards: browsers drop the cookie, and the app answers 403.",
		Cause:       secureCookiesVariable + " is true, and Gateway kubeflow-gateway has no HTTPS.",
		Advice:      "Serve the dashboard over HTTPS, or use a port-forward; otherwise allow the web apps to send cookies over HTTP.",
		Command:     "kubectl set env -n " + workloads.Namespace + " deployment/" + escape.Word(apps[0].GetName()) + " " + secureCookiesVariable + "=false",
		Fix:         fix,
	}
}
