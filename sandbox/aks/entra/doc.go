// Package entra is a stand-in for Microsoft Entra ID and Microsoft Graph, as far as a sign-in to Kubeflow meets them.
//
// It answers below /TENANT: the v2.0 discovery, keys, the authorize page with a login form, and the token endpoint with a client
// secret or with the token of a Kubernetes ServiceAccount (a federated credential), in Microsoft's words (AADSTS50011 for a redirect
// URI that is not registered, AADSTS700016, AADSTS7000215, AADSTS70021, AADSTS50020). Graph has /v1.0/me, memberOf and
// transitiveMemberOf. Issuer and URLs have the host that was asked, so it is login.microsoftonline.com for programs in the cluster,
// whose requests go through package egress, and 127.0.0.1 for others.
//
// Two tenants exist, Tenant and OtherTenant, with the users in users.go: one without an e-mail, one with groups as large as a token
// holds, one with more, whose groups are in Graph alone. Everybody's password is Password. Application Client is registered in
// Tenant for the paths of oauth2-proxy and dex at every host.
//
// Graph also registers applications in Tenant for whoever has AzToken, which stands for an administrator's sign-in of az: applications by
// uniqueName and service principals by appId are upserts (PATCH with Prefer: create-if-missing), addPassword shows a secret once, and the
// first requests about a new object meet a server that does not know it. Everybody else's token is answered Authorization_RequestDenied.
//
// Left out: consent, sign-out, other flows. The library mockoidc has one user and one path, so it is not used.
package entra
