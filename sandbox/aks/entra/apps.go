package entra

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"
)

// replication is how many requests about a new application meet a server that does not know it.
const replication = 2

// An app is an application that was registered through Graph.
type app struct {
	fields    map[string]any // as Graph shows it
	secrets   map[string]string
	federated map[string]map[string]any // by name
	principal bool
	unknown   int
}

func newID() string {
	b := make([]byte, 16)
	_, _ = rand.Read(b)
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

func refuse(w http.ResponseWriter, status int, code, why string) {
	reply(w, status, map[string]any{"error": map[string]string{"code": code, "message": why}})
}

// administers reports whether a request may write applications. It responds if it may not.
func (s *Server) administers(w http.ResponseWriter, r *http.Request) bool {
	token := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
	if token == AzToken {
		return true
	}
	if _, ok := s.get(token); ok || token == "token-of-a-member" {
		refuse(w, http.StatusForbidden, "Authorization_RequestDenied", "Insufficient privileges to complete the operation.")
	} else {
		refuse(w, http.StatusUnauthorized, "InvalidAuthenticationToken", "Access token is empty or invalid.")
	}
	return false
}

// object answers for applications(uniqueName='…') and servicePrincipals(appId='…').
func (s *Server) object(w http.ResponseWriter, r *http.Request) {
	if !s.administers(w, r) {
		return
	}
	kind, key, _ := strings.Cut(strings.TrimSuffix(r.PathValue("object"), "')"), "='")
	var sent map[string]any
	_ = json.NewDecoder(r.Body).Decode(&sent)
	s.mu.Lock()
	defer s.mu.Unlock()
	switch kind {
	case "applications(uniqueName":
		s.byName(w, r, key, sent)
	case "servicePrincipals(appId":
		s.servicePrincipal(w, r, key)
	default:
		refuse(w, http.StatusBadRequest, "BadRequest", "Resource not found for the segment '"+kind+"'.")
	}
}

func (s *Server) byName(w http.ResponseWriter, r *http.Request, name string, sent map[string]any) {
	var found *app
	for _, a := range s.apps {
		if a.fields["uniqueName"] == name {
			found = a
		}
	}
	switch {
	case r.Method == http.MethodGet && found != nil:
		reply(w, http.StatusOK, found.shown())
	case r.Method == http.MethodPatch && found != nil:
		maps.Copy(found.fields, sent)
		w.WriteHeader(http.StatusNoContent)
	case r.Method == http.MethodPatch && r.Header.Get("Prefer") == "create-if-missing" && sent["displayName"] != nil:
		a := &app{fields: map[string]any{"id": newID(), "appId": newID(), "uniqueName": name, "signInAudience": "AzureADandPersonalMicrosoftAccount", "createdDateTime": time.Now().UTC().Format(time.RFC3339)},
			secrets: map[string]string{}, federated: map[string]map[string]any{}, unknown: replication}
		maps.Copy(a.fields, sent)
		s.apps[a.fields["appId"].(string)] = a
		reply(w, http.StatusCreated, a.shown())
	default:
		refuse(w, http.StatusNotFound, "Request_ResourceNotFound", "Resource '"+name+"' does not exist or one of its queried reference-property objects are not present.")
	}
}

func (s *Server) servicePrincipal(w http.ResponseWriter, r *http.Request, client string) {
	a := s.apps[client]
	switch {
	case r.Method == http.MethodPatch && (a == nil || a.late()):
		refuse(w, http.StatusBadRequest, "Request_BadRequest", "The appId '"+client+"' of the service principal does not reference a valid application object.")
	case a == nil || r.Method == http.MethodGet && !a.principal:
		refuse(w, http.StatusNotFound, "Request_ResourceNotFound", "Resource '"+client+"' does not exist.")
	case r.Method == http.MethodPatch && !a.principal:
		a.principal = true
		reply(w, http.StatusCreated, map[string]any{"id": newID(), "appId": client})
	default:
		reply(w, http.StatusOK, map[string]any{"id": "principal", "appId": client})
	}
}

// application answers for an application by its object ID.
func (s *Server) application(w http.ResponseWriter, r *http.Request) {
	if !s.administers(w, r) {
		return
	}
	var sent map[string]any
	_ = json.NewDecoder(r.Body).Decode(&sent)
	s.mu.Lock()
	defer s.mu.Unlock()
	var a *app
	for _, one := range s.apps {
		if one.fields["id"] == r.PathValue("id") {
			a = one
		}
	}
	if a == nil || a.late() {
		refuse(w, http.StatusNotFound, "Request_ResourceNotFound", "Resource '"+r.PathValue("id")+"' does not exist or one of its queried reference-property objects are not present.")
		return
	}
	switch part, key, _ := strings.Cut(strings.TrimSuffix(r.PathValue("part"), "')"), "(name='"); {
	case part == "addPassword":
		reply(w, http.StatusOK, a.addPassword(sent))
	case part == "removePassword":
		id, _ := sent["keyId"].(string)
		delete(a.secrets, id)
		a.fields["passwordCredentials"] = slices.DeleteFunc(a.passwords(), func(p map[string]any) bool { return p["keyId"] == id })
		w.WriteHeader(http.StatusNoContent)
	case part == "federatedIdentityCredentials" && key != "":
		sent["name"] = key
		a.federated[key] = sent
		reply(w, http.StatusCreated, sent)
	case part == "federatedIdentityCredentials":
		reply(w, http.StatusOK, map[string]any{"value": slices.Collect(maps.Values(a.federated))})
	default:
		reply(w, http.StatusOK, a.shown())
	}
}

func (a *app) late() bool {
	a.unknown--
	return a.unknown >= 0
}

func (a *app) passwords() []map[string]any {
	all, _ := a.fields["passwordCredentials"].([]map[string]any)
	return slices.Clone(all)
}

func (a *app) shown() map[string]any { return maps.Clone(a.fields) }

func (a *app) addPassword(sent map[string]any) map[string]any {
	of, _ := sent["passwordCredential"].(map[string]any)
	p := map[string]any{"keyId": newID(), "displayName": of["displayName"], "endDateTime": time.Now().UTC().AddDate(2, 0, 0).Format(time.RFC3339)}
	a.fields["passwordCredentials"] = append(a.passwords(), p)
	secret := rand.Text() + "~." + rand.Text()[:8]
	a.secrets[p["keyId"].(string)] = secret
	with := maps.Clone(p)
	with["secretText"], with["hint"] = secret, secret[:3]
	return with
}

// knows reports whether a tenant has a client. An application without a service principal is known to nobody.
func (s *Server) knows(tenant, client string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	a := s.apps[client]
	return client == Client || a != nil && a.principal && (tenant == Tenant || a.fields["signInAudience"] != "AzureADMyOrg")
}

func (s *Server) redirects(client, uri string) bool {
	if client == Client {
		return registered(uri)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	web, _ := s.apps[client].fields["web"].(map[string]any)
	uris, _ := web["redirectUris"].([]any)
	return slices.Contains(uris, any(uri))
}

func (s *Server) proves(client, secret string) bool {
	if client == Client {
		return secret == Secret
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Contains(slices.Collect(maps.Values(s.apps[client].secrets)), secret)
}

func (s *Server) federates(client, issuer, subject string) bool {
	if client == Client {
		return slices.Contains(subjects, subject)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.apps[client].federated {
		if c["issuer"] == issuer && c["subject"] == subject {
			return true
		}
	}
	return false
}
