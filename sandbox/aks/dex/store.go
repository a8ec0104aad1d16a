package dex

import (
	"crypto/rand"
	"crypto/rsa"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// A Store holds what dex stores, of each namespace that has a dex.
type Store struct {
	mu  sync.Mutex
	all map[string]*state
}

// NewStore creates an empty store.
func NewStore() *Store { return &Store{all: map[string]*state{}} }

// A state is what one dex stores: its key, and what it issued.
type state struct {
	key jose.JSONWebKey

	mu       sync.Mutex
	requests map[string]authRequest // by their IDs
	codes    map[string]grant
	refresh  map[string]grant
}

// An authRequest is a sign-in that a client began.
type authRequest struct {
	client, redirectURI, state, nonce, challenge, method string
	scopes                                               []string
	expires                                              time.Time
}

// A grant is who signed in, for a client.
type grant struct {
	authRequest
	identity
}

// An identity is who a connector says that signed in.
type identity struct {
	connector, userID, username, preferred, email string
	verified                                      bool
	groups                                        []string
}

// of returns the state of a namespace's dex.
func (s *Store) of(namespace string) (*state, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.all[namespace] == nil {
		key, err := rsa.GenerateKey(rand.Reader, 2048)
		if err != nil {
			return nil, err
		}
		s.all[namespace] = &state{
			key:      jose.JSONWebKey{Key: key, KeyID: rand.Text(), Algorithm: "RS256", Use: "sig"},
			requests: map[string]authRequest{}, codes: map[string]grant{}, refresh: map[string]grant{},
		}
	}
	return s.all[namespace], nil
}

// put stores a value under a new name.
func put[T any](s *state, in map[string]T, value T) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	name := rand.Text()
	in[name] = value
	return name
}

// take removes a value.
func take[T any](s *state, from map[string]T, name string) (T, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	value, ok := from[name]
	delete(from, name)
	return value, ok
}

func look[T any](s *state, in map[string]T, name string) (T, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	value, ok := in[name]
	return value, ok
}
