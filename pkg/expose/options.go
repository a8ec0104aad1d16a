package expose

// Manager is the field manager of everything that expose writes.
const Manager = "kubectl-kubeflow"

// A Method is one way to make the dashboard reachable.
type Method struct {
	Name    string // as in Exposure.Method: "lb"
	Flag    string // what to type: "--lb"
	Summary string // what one gets, in a line
}

// Options are what the user asked for. A zero field was not asked for: what is there stays as it is.
type Options struct {
	Port         int32     // the outside port; 80 for a new Service
	Internal     *bool     // only inside the virtual network
	SourceRanges *[]string // the CIDRs that may connect; an empty list lifts the limit

	IP          *string           // the address itself; "" lets Azure choose
	IPGroup     *string           // the resource group of the public address, where it is not the nodes' own
	DNSLabel    *string           // the name below REGION.cloudapp.azure.com; "" gives it up
	Host        *string           // the name of the user's own zone under which visitors come
	TLS         *TLS              // where the gateway's certificate comes from
	Annotations map[string]string // others of the Service's; "" takes one off
}

// Where a certificate comes from.
const (
	SelfSigned  = "self-signed" // an authority of the dashboard's own, made by cert-manager
	LetsEncrypt = "letsencrypt" // Let's Encrypt, asked by cert-manager; needs a name that the internet knows
	FromSecret  = "secret"      // a Secret that is there already
	NoTLS       = "none"        // takes back what an earlier run made
)

// TLS says where the certificate comes from.
type TLS struct {
	From   string // one of the above
	Secret string // FromSecret: its name, in the gateway's namespace
	Email  string // LetsEncrypt: who hears of certificates that end; may be ""
}
