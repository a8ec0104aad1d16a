package dashboard_test

import (
	"fmt"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kubetest"
)

// Routes at random, in a profile's namespace, beside those of the sign-in: while the chain is proven no sample of a path that needs no
// authentication leads to a profile's Service, by an evaluation of the routes that knows none of the package's shapes.
func TestNoRouteOfAProfileAnswersWhereNoAuthenticationIsNeeded(t *testing.T) {
	base := slices.DeleteFunc(kubetest.Shapes(t, "testdata/signin.yaml"), func(s kubetest.Shape) bool {
		return s.About != "the sign-in's own routes and the dashboard's"
	})[0].Objects(t, "testdata/signin")
	random := rand.New(rand.NewPCG(7, 3))
	proven, refused := 0, 0
	for n := range 3000 {
		route := randomRoute(random)
		answered := answeredPath(route)
		switch got := authentication(t, append(slices.Clone(base), route)); {
		case got.Proven && answered != "":
			t.Fatalf("%d: proven (%s), but the profile answers at %s: %v", n, got.Reason, answered, route.Object["spec"])
		case got.Proven:
			proven++
		default:
			refused++
		}
	}
	if proven < 300 || refused < 300 {
		t.Errorf("%d are proven and %d are not: the test is about nothing", proven, refused)
	}
	t.Logf("%d are proven and %d are not", proven, refused)
}

func randomRoute(random *rand.Rand) *unstructured.Unstructured {
	pick := func(values ...any) any { return values[random.IntN(len(values))] }
	match := map[string]any{}
	switch random.IntN(5) {
	case 0:
		match["uri"] = map[string]any{"exact": pick("/dex/auth", "/oauth2/start", "/dex", "/notebook/", "/x")}
	case 1, 2:
		match["uri"] = map[string]any{"prefix": pick("/dex/", "/d", "/oauth2/x", "/notebook/alice/", "/", "/dexter", "/OAUTH2/")}
	case 3:
		match["uri"] = map[string]any{"regex": pick("/dex/.*", "/.*", "/(dex|x)/.*", "/notebook/.*", "/oauth[0-9]/.*", "/[a-z]*/auth", "^/dex/auth$")}
	}
	if random.IntN(5) == 0 {
		match["ignoreUriCase"] = true
	}
	if random.IntN(4) == 0 {
		match["headers"] = map[string]any{"x": map[string]any{"exact": "z"}}
	}
	route := map[string]any{"route": []any{map[string]any{"destination": map[string]any{"host": pick("page", "page.alice.svc.cluster.local", "page.alice")}}}}
	if random.IntN(4) > 0 {
		route["match"] = []any{match}
	}
	return &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "networking.istio.io/v1", "kind": "VirtualService", "metadata": map[string]any{"name": "own", "namespace": "alice"},
		"spec": map[string]any{"gateways": []any{pick("kubeflow/kubeflow-gateway", "kubeflow/kubeflow-gateway", "mesh", "kubeflow-gateway")}, "hosts": []any{pick("*", "*", "*.com", "20.1.2.3")}, "http": []any{route}},
	}}
}

// answeredPath returns a sample path of the sign-in that a route of another gets; "" if it gets none. Istio puts a route for every path after
// the others, and the sign-in has its own.
func answeredPath(o *unstructured.Unstructured) string {
	if !slices.Contains(kube.Texts(o.Object, "spec", "gateways"), "kubeflow/kubeflow-gateway") {
		return ""
	}
	match := map[string]any{}
	if all := kube.Items(kube.Items(o.Object, "spec", "http")[0], "match"); len(all) > 0 {
		match = all[0]
	}
	uri := kube.Map(match, "uri")
	if kube.Map(match, "headers") == nil && (uri == nil || kube.Text(uri, "prefix") == "/" || kube.Text(uri, "regex") == "/.*") {
		return ""
	}
	for _, path := range []string{"/dex/", "/dex/auth", "/oauth2/start", "/oauth2/x", "/dex/x/auth"} {
		compared, fold := path, kube.Flag(match, "ignoreUriCase")
		is := func(text string) string {
			if fold {
				return strings.ToLower(text)
			}
			return text
		}
		exact, prefix, expression := kube.Text(uri, "exact"), kube.Text(uri, "prefix"), kube.Text(uri, "regex")
		switch {
		case uri == nil,
			exact != "" && is(exact) == compared,
			prefix != "" && strings.HasPrefix(compared, is(prefix)),
			expression != "" && regexp.MustCompile(fmt.Sprintf("^(?:%s)$", expression)).MatchString(path):
			return path
		}
	}
	return ""
}
