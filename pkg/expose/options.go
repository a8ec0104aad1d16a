package expose

// Manager is the field manager of everything that expose applies.
const Manager = "kubectl-kubeflow"

// A Method is one way to make the dashboard reachable.
type Method struct {
	Name    string // as in Exposure.Method: "lb"
	Flag    string // on the command line: "--lb"
	Summary string // what it gives, in a line
}

// Options are what the user asked for. A zero field keeps the current setting.
type Options struct {
	Port         int32     // the external port; 80 for a new Service
	Internal     *bool     // only inside the virtual network
	SourceRanges *[]string // the CIDRs that may connect; an empty list removes the limit

	IP          *string           // the address itself; "" lets Azure choose
	IPGroup     *string           // the resource group of the public address, if it is not that of the nodes
	DNSLabel    *string           // the name below REGION.cloudapp.azure.com; "" removes it
	Host        *string           // the dashboard's name in the user's own DNS zone
	TLS         *TLS              // where the gateway's certificate comes from
	Annotations map[string]string // further ones of the Service; "" removes one
}

// Where a certificate comes from.
const (
	SelfSigned  = "self-signed" // a private CA, created by cert-manager
	LetsEncrypt = "letsencrypt" // Let's Encrypt, through cert-manager; needs a public DNS name
	FromSecret  = "secret"      // an existing Secret
	NoTLS       = "none"        // removes what an earlier run set up
)

// TLS is the source of the certificate.
type TLS struct {
	From   string // one of the above
	Secret string // FromSecret: its name, in the gateway's namespace
	Email  string // LetsEncrypt: receives expiry notices; may be ""
}
