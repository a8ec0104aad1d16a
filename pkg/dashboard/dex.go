package dashboard

import (
	"context"
	"net/url"
	"path"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/bounded"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
)

// A Dex is the cluster's own identity provider and its configuration.
type Dex struct {
	Workload *unstructured.Unstructured
	Config   Setting // its file
	Issuer   string
	Storage  string // its type: kubernetes, memory
	Clients  []DexClient
	Users    []DexUser // its own, whose passwords it knows
	Known    bool      // Config was read and understood
	Hidden   string    // why some of its settings are not known
	Refused  error     // what may not be read of them

	Connectors []map[string]any
}

// A DexClient is one of dex's staticClients.
type DexClient struct {
	ID, Secret   Setting
	RedirectURIs []string
}

// A DexUser is one of dex's staticPasswords.
type DexUser struct {
	Email string
	Hash  Setting // of the password, with bcrypt
}

// DexRef is dex as every release since 1.3 has it.
var DexRef = cluster.Ref{APIVersion: "apps/v1", Kind: "Deployment", Namespace: "auth", Name: "dex"}

// ReadDex reads the cluster's own dex; nil when there is none.
func ReadDex(ctx context.Context, view cluster.View) (*Dex, error) {
	workload, err := cluster.IgnoreNotFound(view.Get(ctx, DexRef))
	if workload == nil || err != nil {
		return nil, err
	}
	d := &Dex{Workload: workload}
	container, r := kube.TemplateContainer(workload, "dex"), &settingsReader{ctx: ctx, view: view}
	environment, hidden, err := r.environment(workload, container)
	if err != nil {
		return nil, err
	}
	d.Hidden = hidden
	if container["envFrom"] == nil { // its client may be where the releases have it
		client, err := r.data("Secret", DexRef.Namespace, "dex-oidc-client")
		if err != nil {
			return nil, err
		}
		for _, key := range dataKeys(client) {
			if _, given := environment[key]; !given {
				environment[key] = dataSetting(client, key)
			}
		}
	}
	for _, word := range append(kube.Texts(container, "command"), kube.Texts(container, "args")...) {
		for part := range strings.FieldsSeq(word) {
			if ext := path.Ext(part); strings.HasPrefix(part, "/") && (ext == ".yaml" || ext == ".yml") {
				if d.Config, err = r.file(workload, container, part); err != nil {
					return nil, err
				}
			}
		}
	}
	if !d.Config.Known { // where every release has it
		o, err := r.data("ConfigMap", DexRef.Namespace, DexRef.Name)
		if err != nil {
			return nil, err
		}
		if o != nil {
			d.Config = dataSetting(o, "config.yaml")
			d.Config.Known = d.Config.Set
		}
	}
	d.Refused = r.refused
	d.parse(environment)
	return d, nil
}

// parse reads dex's configuration.
func (d *Dex) parse(environment map[string]Setting) {
	var config map[string]any
	if !d.Config.Known || bounded.Unmarshal(d.Config.Value, &config) != nil {
		return
	}
	d.Known = true
	d.Issuer, d.Storage = kube.Text(config, "issuer"), kube.Text(config, "storage", "type")
	d.Connectors = kube.Items(config, "connectors")
	value := func(client map[string]any, field string) Setting {
		if name := kube.Text(client, field+"Env"); name != "" {
			if s, given := environment[name]; given {
				return s
			}
			return Setting{Known: d.Hidden == "" && !strings.Contains(name, "redacted-"), Object: d.Workload, Field: "spec.template.spec.containers"}
		}
		return Setting{Value: kube.Text(client, field), Set: client[field] != nil, Known: true, Object: d.Config.Object, Field: d.Config.Field}
	}
	for _, user := range kube.Items(config, "staticPasswords") {
		hash := Setting{Value: kube.Text(user, "hash"), Set: user["hash"] != nil, Known: true, Object: d.Config.Object, Field: d.Config.Field, Key: d.Config.Key}
		if kube.Text(user, "hashFromEnv") != "" {
			hash = value(map[string]any{"hashEnv": user["hashFromEnv"]}, "hash")
		}
		d.Users = append(d.Users, DexUser{Email: kube.Text(user, "email"), Hash: hash})
	}
	for _, client := range kube.Items(config, "staticClients") {
		d.Clients = append(d.Clients, DexClient{ID: value(client, "id"), Secret: value(client, "secret"), RedirectURIs: kube.Texts(client, "redirectURIs")})
	}
}

// Client returns the client with an ID; nil when dex has none of it.
func (d *Dex) Client(id string) *DexClient {
	for i := range d.Clients {
		if d.Clients[i].ID.Known && d.Clients[i].ID.Value == id {
			return &d.Clients[i]
		}
	}
	return nil
}

// User returns the user with an e-mail address, which dex compares without case; nil when dex has none.
func (d *Dex) User(email string) *DexUser {
	for i := range d.Users {
		if strings.EqualFold(d.Users[i].Email, email) {
			return &d.Users[i]
		}
	}
	return nil
}

// Sure reports whether dex's clients are all known, so that one which is not among them does not exist.
func (d *Dex) Sure() bool {
	for _, c := range d.Clients {
		if !c.ID.Known {
			return false
		}
	}
	return d.Known
}

// Serves reports whether an address is this dex's: its issuer, its Service, or a path of it at the gateway, such as /dex/auth.
func (d *Dex) Serves(address string) bool {
	u, err := url.Parse(address)
	if d == nil || address == "" || err != nil {
		return false
	}
	at := "/dex"
	if own, err := url.Parse(d.Issuer); err == nil && d.Issuer != "" {
		at = strings.TrimSuffix(own.Path, "/")
		if u.Host != "" && u.Host == own.Host {
			return within(u.Path, at)
		}
	}
	if u.Host == "" {
		return within(u.Path, at)
	}
	var a authenticator
	return a.at(u.Hostname()) && a.namespace == d.Workload.GetNamespace() && a.service == d.Workload.GetName()
}

func within(path, at string) bool { return path == at || strings.HasPrefix(path, at+"/") }
