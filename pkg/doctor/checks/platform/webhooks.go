package platform

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/agnivade/levenshtein"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/escape"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor/checks/webhooks"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor/checks/workloads"
)

const webhooksID = "platform/webhooks"

var Webhooks = &doctor.Check{
	ID:    webhooksID,
	Title: "All webhooks have ready endpoints",
	Why: "The API server calls Kubeflow's webhooks before it creates pods, notebooks and pipeline objects. If a webhook has no ready " +
		"endpoints, all of these are rejected in every namespace that it selects. Upgrades leave such webhooks behind when they rename the " +
		"Service.",
	FixNote: "No automatic fix, because a record of a changed webhook configuration could be misused: the finding's command sets the name of a Service that answers under " +
		"nearly the same name, removes only the webhook whose Service does not exist while others of the configuration answer, or deletes a configuration whose Service is gone.",
	Sources: []string{"kubeflow/manifests#2660", "kubeflow/manifests#2689"},
	Reads:   []schema.GroupKind{kube.MutatingWebhookConfigurationKind, kube.ValidatingWebhookConfigurationKind, kube.CustomResourceDefinitionKind, kube.ServiceKind, kube.EndpointSliceKind},
	Run: func(ctx context.Context, e doctor.Exam) ([]doctor.Finding, error) {
		var findings []doctor.Finding
		for _, kind := range []schema.GroupKind{kube.MutatingWebhookConfigurationKind, kube.ValidatingWebhookConfigurationKind} {
			configurations, err := e.List(ctx, kind, cluster.Scope{})
			if err != nil {
				return nil, err
			}
			for _, o := range configurations {
				f, err := webhookFindings(ctx, e, o)
				if err != nil {
					return nil, err
				}
				findings = append(findings, f...)
			}
		}
		converting, err := conversionFindings(ctx, e)
		return append(findings, converting...), err
	},
}

// webhookFindings judges a configuration entry by entry: each has its own Service. Of entries with the same Service one is reported.
func webhookFindings(ctx context.Context, e doctor.Exam, o *unstructured.Unstructured) ([]doctor.Finding, error) {
	var dead []deadWebhook
	answering := 0
	for i, w := range kube.Items(o.Object, "webhooks") {
		d := deadWebhook{configuration: o, webhook: w, at: i, namespace: kube.Text(w, "clientConfig", "service", "namespace"), name: kube.Text(w, "clientConfig", "service", "name")}
		if d.name == "" || !slices.Contains(workloads.Namespaces, d.namespace) {
			answering++
			continue
		}
		answers, err := d.answers(ctx, e)
		if err != nil {
			return nil, err
		}
		if answers {
			answering++
			continue
		}
		dead = append(dead, d)
	}
	var findings []doctor.Finding
	for i, d := range dead {
		if slices.ContainsFunc(dead[:i], func(o deadWebhook) bool { return o.namespace == d.namespace && o.name == d.name }) {
			continue
		}
		f := d.finding()
		if err := d.decide(ctx, e, &f, answering); err != nil {
			return nil, err
		}
		findings = append(findings, f)
	}
	return findings, nil
}

// A deadWebhook is an entry of a configuration whose Service does not answer.
type deadWebhook struct {
	configuration   *unstructured.Unstructured
	webhook         map[string]any
	at              int
	namespace, name string
	there           bool // the Service exists
}

// answers reports whether the Service of an entry has a ready pod; of manifests, whether they have the Service.
func (d *deadWebhook) answers(ctx context.Context, e doctor.Exam) (bool, error) {
	service, err := webhooks.ServiceOf(ctx, e, d.webhook)
	if err != nil {
		return false, err
	}
	d.there = service != nil
	if d.configuration.GetUID() == "" {
		return d.there, nil
	}
	state, err := webhooks.EndpointsOf(ctx, e, d.webhook)
	return state == webhooks.WillInject, err
}

func (d *deadWebhook) finding() doctor.Finding {
	f := doctor.Finding{
		Severity:    doctor.Error,
		About:       doctor.Subject{Ref: cluster.RefOf(d.configuration), Field: fmt.Sprintf("webhooks[%d].clientConfig.service", d.at)},
		Message:     fmt.Sprintf("%s has no ready endpoints: Service %s/%s has no ready pod", kube.KindName(d.configuration), d.namespace, d.name),
		Consequence: "The API server rejects every object that the webhook should review.",
		Needs:       []cluster.Ref{{APIVersion: "v1", Kind: "Service", Namespace: d.namespace, Name: d.name}},
	}
	if !d.there {
		f.Message = fmt.Sprintf("%s has no endpoints: Service %s/%s does not exist", kube.KindName(d.configuration), d.namespace, d.name)
	}
	if kube.Text(d.webhook, "failurePolicy") == "Ignore" {
		f.Severity, f.Consequence = doctor.Warning, "New objects are created without its validation or changes."
	}
	return f
}

// decide adds what helps, the smallest change first: another name, one entry less, and only then the end of the configuration.
func (d *deadWebhook) decide(ctx context.Context, e doctor.Exam, f *doctor.Finding, answering int) error {
	if d.there {
		f.Advice = "Check why the pods of that Service are not ready."
		f.Command = fmt.Sprintf("kubectl describe service -n %s %s", escape.Word(d.namespace), escape.Word(d.name))
		return nil
	}
	onCluster := d.configuration.GetUID() != ""
	other, err := d.meant(ctx, e)
	switch {
	case err != nil:
		return err
	case other != "":
		f.Cause = fmt.Sprintf("Service %s/%s answers: the name is not right.", d.namespace, other)
		if f.Advice = "Use that Service in the webhook."; onCluster {
			f.Command = d.patch(func(at int) string {
				return fmt.Sprintf(`{"op":"replace","path":"/webhooks/%d/clientConfig/service/name","value":%q}`, at, other)
			})
		}
	case answering > 0 && onCluster:
		f.Advice = "The other webhooks of the configuration answer: remove only this entry, or install its component again."
		f.Command = d.patch(func(at int) string { return fmt.Sprintf(`{"op":"remove","path":"/webhooks/%d"}`, at) })
	case onCluster:
		f.Advice = "If an upgrade renamed the Service, delete the old webhook configuration; otherwise install again."
		f.Command = fmt.Sprintf("kubectl delete %s %s", escape.Word(strings.ToLower(d.configuration.GetKind())), escape.Word(d.configuration.GetName()))
	default:
		f.Advice = "Add the Service to the manifests, or remove the webhook from them."
	}
	return nil
}

// named reports whether a Service has the name of the configuration or of the entry, but for what kind of object each is:
// admission-webhook-service and admission-webhook-mutating-webhook-configuration. One word in common says nothing.
func (d *deadWebhook) named(service string) bool {
	words := strings.Split(service, "-")
	if n := len(words) - 1; slices.Contains([]string{"service", "svc", "server"}, words[n]) {
		words = words[:n]
	}
	entry, _, _ := strings.Cut(kube.Text(d.webhook, "name"), ".")
	return len(words) >= 2 && slices.ContainsFunc([]string{d.configuration.GetName(), entry}, func(name string) bool {
		return strings.HasPrefix(name+"-", strings.Join(words, "-")+"-")
	})
}

// meant returns the Service whose name the entry has in another spelling, or whose name is the webhook's; "" when there is none, or more than one.
func (d *deadWebhook) meant(ctx context.Context, e doctor.Exam) (string, error) {
	services, err := e.List(ctx, kube.ServiceKind, cluster.Scope{Namespace: d.namespace})
	if err != nil {
		return "", err
	}
	var near []string
	for _, s := range services {
		other := *d
		other.name = s.GetName()
		other.webhook = map[string]any{"clientConfig": map[string]any{"service": map[string]any{"namespace": d.namespace, "name": s.GetName()}}}
		if levenshtein.ComputeDistance(d.name, s.GetName()) > max(1, len(d.name)/5) && !d.named(s.GetName()) || !d.hasPort(s) {
			continue
		}
		answers, err := other.answers(ctx, e)
		if err != nil {
			return "", err
		}
		if answers {
			near = append(near, s.GetName())
		}
	}
	if len(near) != 1 {
		return "", nil
	}
	return near[0], nil
}

// hasPort reports whether a Service has the port that the entry asks for.
func (d *deadWebhook) hasPort(service *unstructured.Unstructured) bool {
	wanted := kube.Number(d.webhook, "clientConfig", "service", "port")
	if wanted == 0 {
		wanted = 443
	}
	ports := kube.Items(service.Object, "spec", "ports")
	return len(ports) == 0 || slices.ContainsFunc(ports, func(p map[string]any) bool { return kube.Number(p, "port") == wanted })
}

// patch returns the command that patches every entry with the dead Service, the last one first, and only while it has that Service.
func (d *deadWebhook) patch(operation func(at int) string) string {
	var steps []string
	for i, w := range slices.Backward(kube.Items(d.configuration.Object, "webhooks")) {
		if kube.Text(w, "clientConfig", "service", "name") == d.name && kube.Text(w, "clientConfig", "service", "namespace") == d.namespace {
			steps = append(steps, fmt.Sprintf(`{"op":"test","path":"/webhooks/%d/clientConfig/service/name","value":%q}`, i, d.name), operation(i))
		}
	}
	return fmt.Sprintf("kubectl patch %s %s --type=json -p %s", escape.Word(strings.ToLower(d.configuration.GetKind())), escape.Word(d.configuration.GetName()), escape.Word("["+strings.Join(steps, ",")+"]"))
}
