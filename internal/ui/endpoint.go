package ui

import (
	"fmt"
	"strings"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/escape"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/dashboard"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/expose"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/expose/probe"
)

// reaches says who can connect, for people.
var reaches = map[dashboard.Reach]string{
	dashboard.Public:     "from the whole internet",
	dashboard.Restricted: "from its source ranges only",
	dashboard.Internal:   "from inside the virtual network",
	dashboard.InCluster:  "from inside the cluster",
	dashboard.Local:      "from this computer",
}

// Exposure says how the dashboard can be reached now, and the ways there are.
func (s *Screen) Exposure(e *expose.Exposure, methods []expose.Method) {
	fmt.Fprintf(s.Out, "%s\n\n", s.Paint(Bold, fmt.Sprintf("The dashboard on context %s (%s)", escape.Line(e.Context), escape.Line(e.Server))))
	for _, endpoint := range e.Endpoints {
		s.endpoint(endpoint)
	}
	if e.Gateway != "" {
		s.line(s.bad(), "The gateway is not ready: "+e.Gateway+".")
	}
	switch {
	case e.Authentication.Proven:
		s.line(s.ok(), fmt.Sprintf("Requests are authenticated: %s.", e.Authentication.Reason))
	case e.Authentication.Unread != nil:
		s.line(s.Paint(Yellow, "?"), fmt.Sprintf("Cannot tell whether requests are authenticated: %s.", strings.TrimSuffix(e.Authentication.Reason, ".")))
	default:
		s.line(s.bad(), fmt.Sprintf("Requests are not authenticated: %s.", e.Authentication.Reason))
	}
	if len(e.Next) > 0 {
		fmt.Fprintf(s.Out, "\n%s\n", s.Paint(Bold, "Next steps"))
	}
	for _, step := range e.Next {
		fmt.Fprintf(s.Out, "  %s\n      %s\n", step.Command, fold(step.Why, s.Width-6, "      "))
	}
	fmt.Fprintf(s.Out, "\n%s\n", s.Paint(Bold, "Methods"))
	for _, m := range methods {
		fmt.Fprintf(s.Out, "  kubectl kubeflow expose %s\n", escape.Words(m.Flag))
		fmt.Fprintf(s.Out, "      %s\n", fold(m.Summary, s.Width-6, "      "))
	}
	for _, endpoint := range e.Endpoints {
		if endpoint.CreatedByExpose {
			fmt.Fprintf(s.Out, "\nUndo with: kubectl kubeflow expose --remove\n")
			break
		}
	}
}

// endpoint draws one way in: what it is, who can connect, what answered.
func (s *Screen) endpoint(e expose.Endpoint) {
	sign, what := "-", ""
	switch {
	case e.URL == "" && e.Via == "LoadBalancer":
		sign, what = s.warning(), strings.TrimSuffix("no address yet: "+e.Pending, ": ")
	case e.URL == "":
		what = "reachable " + reaches[e.Reach]
	case e.Answer == nil:
		what = e.URL
	default:
		sign, what = s.bad(), e.URL+" "+e.Answer.Message
		if e.Answer.Healthy() {
			sign = s.ok()
		}
	}
	s.line(sign, what)
	detail := fmt.Sprintf("%s %s/%s", e.Via, e.About.Namespace, e.About.Name)
	if e.URL != "" || e.Via == "LoadBalancer" {
		detail += ", " + reaches[e.Reach]
		if len(e.SourceRanges) > 0 {
			detail += " (" + strings.Join(e.SourceRanges, ", ") + ")"
		}
	}
	if e.CreatedByExpose {
		detail += ", created by expose"
	}
	fmt.Fprintf(s.Out, "  %s\n", s.Paint(Dim, fold(detail, s.Width-2, "  ")))
	s.certificate(e.Answer)
	if len(e.Blocked) > 0 && e.Via != "ClusterIP" {
		fmt.Fprintf(s.Out, "  %s\n", fold(fmt.Sprintf("NetworkPolicies block port %s of the gateway; expose --lb adds one that allows it", joined(e.Blocked)), s.Width-2, "  "))
	}
}

// Reached says where the dashboard is now, and what answered there.
func (s *Screen) Reached(url string, reach dashboard.Reach, answer probe.Result) {
	sign := s.ok()
	if !answer.Healthy() {
		sign = s.warning()
	}
	s.line(sign, url+" "+answer.Message)
	fmt.Fprintf(s.Out, "  reachable %s\n", reaches[reach])
	s.certificate(&answer)
	switch {
	case answer.What == probe.NoAnswer && reach == dashboard.Internal:
		fmt.Fprintln(s.Out, "  "+fold("This is expected if this computer is outside the virtual network. Inside it, the address should respond.", s.Width-2, "  "))
	case answer.What == probe.NoAnswer && reach == dashboard.Restricted:
		fmt.Fprintln(s.Out, "  "+fold("This is expected if this computer's address is outside the source ranges.", s.Width-2, "  "))
	case answer.What == probe.Unhealthy:
		fmt.Fprintln(s.Out, "  To find the cause: kubectl kubeflow doctor")
	}
}

// certificate says what a page showed over HTTPS.
func (s *Screen) certificate(answer *probe.Result) {
	if answer == nil || answer.Certificate == nil {
		return
	}
	fmt.Fprintf(s.Out, "  %s\n", fold(answer.Certificate.String(), s.Width-2, "  "))
}

// Left says how the dashboard can still be reached after a removal.
func (s *Screen) Left(endpoints []expose.Endpoint) {
	open := 0
	for _, e := range endpoints {
		if e.Via != "LoadBalancer" && e.Via != "Ingress" && e.Via != "HTTPRoute" {
			continue
		}
		open++
		where := e.URL
		if where == "" {
			where = "no address yet"
		}
		kind := strings.ToLower(e.About.Kind)
		s.line(s.warning(), fmt.Sprintf("Kept, because expose did not create it: %s %s/%s (%s)", e.Via, e.About.Namespace, e.About.Name, where))
		fmt.Fprintf(s.Out, "  Delete it with: kubectl delete %s -n %s %s\n", escape.Word(kind), e.About.Namespace, escape.Word(e.About.Name))
	}
	if open == 0 {
		s.line(s.ok(), "The dashboard has no address outside the cluster. Reach it with: kubectl kubeflow expose --port-forward")
	}
}

func (s *Screen) line(sign, text string) {
	fmt.Fprintf(s.Out, "%s %s\n", sign, fold(text, s.Width-2, "  "))
}

func (s *Screen) ok() string      { return s.Paint(Green, s.Sign("✓", "+")) }
func (s *Screen) bad() string     { return s.Paint(Red, s.Sign("✗", "x")) }
func (s *Screen) warning() string { return s.Paint(Yellow, "!") }

// fold breaks text between words so that lines are at most width wide; those after the first begin with indent.
func fold(text string, width int, indent string) string {
	return strings.Join(wrap(text, width, width), "\n"+indent)
}

func joined(numbers []int32) string {
	return strings.Trim(strings.Join(strings.Fields(fmt.Sprint(numbers)), ", "), "[]")
}
