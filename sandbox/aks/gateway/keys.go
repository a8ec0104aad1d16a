package gateway

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// refresh is how long keys are kept. Istio keeps them for 20 minutes, Kubeflow's for one; tests do not wait so long.
const refresh = 5 * time.Second

// Keys are the public keys of issuers, fetched as istiod does: from within the cluster.
type Keys struct {
	client *http.Client

	mu      sync.Mutex
	fetched map[string]keys
}

type keys struct {
	at  time.Time
	set jose.JSONWebKeySet
}

// NewKeys fetches keys by connections of this kind.
func NewKeys(transport *http.Transport) *Keys {
	return &Keys{client: &http.Client{Timeout: 5 * time.Second, Transport: transport}, fetched: map[string]keys{}}
}

// of returns the keys of a rule: its own, or those at its jwksUri or of its issuer's discovery.
func (k *Keys) of(ctx context.Context, rule jwtRule) (jose.JSONWebKeySet, error) {
	if rule.JWKS != "" {
		var set jose.JSONWebKeySet
		err := json.Unmarshal([]byte(rule.JWKS), &set)
		return set, err
	}
	if k == nil {
		return jose.JSONWebKeySet{}, errors.New("there is no network")
	}
	from := rule.JWKSURI
	if from == "" {
		from = strings.TrimSuffix(rule.Issuer, "/") + "/.well-known/openid-configuration"
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if had, ok := k.fetched[from]; ok && time.Since(had.at) < refresh {
		return had.set, nil
	}
	set, err := k.fetch(ctx, rule.JWKSURI, from)
	if err == nil {
		k.fetched[from] = keys{time.Now(), set}
	}
	return set, err
}

func (k *Keys) fetch(ctx context.Context, uri, discovery string) (set jose.JSONWebKeySet, err error) {
	if uri == "" {
		var found struct {
			JWKSURI string `json:"jwks_uri"`
		}
		if err := k.get(ctx, discovery, &found); err != nil {
			return set, err
		}
		uri = found.JWKSURI
	}
	err = k.get(ctx, uri, &set)
	return set, err
}

func (k *Keys) get(ctx context.Context, url string, into any) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	response, err := k.client.Do(r)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answers %s", url, response.Status)
	}
	return json.NewDecoder(io.LimitReader(response.Body, 1<<20)).Decode(into)
}
