package aks

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/sandbox/aks/entra"
)

// microsoft are the hosts that the stand-in for Entra ID is, for programs in the cluster.
var microsoft = []string{"login.microsoftonline.com", "login.windows.net", "sts.windows.net", "graph.microsoft.com"}

// An IdentityProvider is where the stand-in for Entra ID is, and what it has registered.
type IdentityProvider struct {
	URL    string `json:"url"`    // of the stand-in, for clients outside
	Proxy  string `json:"proxy"`  // HTTPS_PROXY, by which it is login.microsoftonline.com for clients outside too
	CAFile string `json:"caFile"` // what signed its certificate

	Tenant       string   `json:"tenant"`
	OtherTenant  string   `json:"otherTenant"`
	ClientID     string   `json:"clientID"`
	ClientSecret string   `json:"clientSecret"`
	Users        []string `json:"users"`
	Password     string   `json:"password"`
	AzToken      string   `json:"azToken"` // that an az of an administrator of the tenant would have
}

// IdentityProvider returns the stand-in for Entra ID, nil if none was asked for.
func (a *AKS) IdentityProvider() *IdentityProvider {
	if a.provider == nil {
		return nil
	}
	return &IdentityProvider{
		URL: "https://" + a.provider.Addr().String(), Proxy: "http://" + a.egress.Address(), Tenant: entra.Tenant, OtherTenant: entra.OtherTenant,
		ClientID: entra.Client, ClientSecret: entra.Secret, Users: entra.Users(), Password: entra.Password, AzToken: entra.AzToken,
	}
}

func (a *AKS) listenAsEntra() (err error) {
	if a.o.IdentityProvider {
		a.provider, err = net.Listen("tcp", "127.0.0.1:0")
	}
	return err
}

// identityProvider serves the stand-in for Entra ID.
type identityProvider struct{ *AKS }

// Run serves until ctx ends.
func (a identityProvider) Run(ctx context.Context, log io.Writer) {
	handler, err := entra.New(a.federatedKeys)
	if err != nil {
		_, _ = io.WriteString(log, "identity provider: "+err.Error()+"\n")
		return
	}
	server := &http.Server{Handler: handler, ReadHeaderTimeout: time.Minute}
	stop := context.AfterFunc(ctx, func() { _ = server.Close() })
	defer stop()
	certify := a.board.As(append(microsoft, "127.0.0.1", "localhost")...)
	_ = server.Serve(tls.NewListener(a.provider, &tls.Config{
		MinVersion: tls.VersionTLS12, GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return certify() },
	}))
}

// federatedKeys are the keys of ServiceAccount tokens, which Entra reads at the cluster's OIDC issuer.
func (a *AKS) federatedKeys(ctx context.Context) (set jose.JSONWebKeySet, err error) {
	text, err := a.client.Discovery().RESTClient().Get().AbsPath("/openid/v1/jwks").DoRaw(ctx)
	if err != nil {
		return set, err
	}
	err = json.Unmarshal(text, &set)
	return set, err
}
