package dex

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"
	"time"

	"golang.org/x/crypto/bcrypt"
	"sigs.k8s.io/yaml"
)

// A Config is dex's configuration file.
type Config struct {
	Issuer  string `json:"issuer"`
	Storage struct {
		Type string `json:"type"`
	} `json:"storage"`
	Web struct {
		HTTP  string `json:"http"`
		HTTPS string `json:"https"`
	} `json:"web"`
	Expiry struct {
		IDTokens string `json:"idTokens"`
	} `json:"expiry"`
	EnablePasswordDB bool        `json:"enablePasswordDB"`
	StaticPasswords  []password  `json:"staticPasswords"`
	StaticClients    []client    `json:"staticClients"`
	Connectors       []connector `json:"connectors"`

	path     string        // of the issuer
	validFor time.Duration // of tokens
}

type password struct {
	Email             string   `json:"email"`
	Hash              string   `json:"hash"`
	HashFromEnv       string   `json:"hashFromEnv"`
	Username          string   `json:"username"`
	PreferredUsername string   `json:"preferredUsername"`
	UserID            string   `json:"userID"`
	Groups            []string `json:"groups"`
}

type client struct {
	ID           string   `json:"id"`
	IDEnv        string   `json:"idEnv"`
	Secret       string   `json:"secret"`
	SecretEnv    string   `json:"secretEnv"`
	Name         string   `json:"name"`
	RedirectURIs []string `json:"redirectURIs"`
	Public       bool     `json:"public"`
}

type connector struct {
	Type   string         `json:"type"`
	ID     string         `json:"id"`
	Name   string         `json:"name"`
	Config map[string]any `json:"config"`
}

// ReadConfig reads a configuration and the environment that it names. Its errors are those with which dex exits.
func ReadConfig(text []byte, env map[string]string) (*Config, error) {
	c := &Config{}
	if err := yaml.Unmarshal(text, c); err != nil {
		return nil, fmt.Errorf("error parse config file: %w", err)
	}
	if err := c.validate(); err != nil {
		return nil, err
	}
	for i := range c.StaticClients {
		if err := c.StaticClients[i].resolve(env); err != nil {
			return nil, err
		}
	}
	for i := range c.StaticPasswords {
		p := &c.StaticPasswords[i]
		if p.HashFromEnv != "" && p.Hash == "" {
			p.Hash = env[p.HashFromEnv]
		}
		if p.Hash == "" {
			return nil, errors.New("no password hash provided")
		}
		if err := p.decode(); err != nil {
			return nil, err
		}
	}
	for i, found := range c.Connectors {
		if env["DEX_EXPAND_ENV"] != "false" { // what dex does with the settings of connectors
			c.Connectors[i].Config, _ = expand(found.Config, env).(map[string]any)
		}
		if found.ID == "" || found.Name == "" || found.Type == "" {
			return nil, errors.New("invalid config: ID, Type and Name fields are required for a connector")
		}
	}
	if c.EnablePasswordDB {
		c.Connectors = append(c.Connectors, connector{Type: local, ID: local, Name: "Email"})
	}
	if len(c.Connectors) == 0 {
		return nil, errors.New("failed to initialize server: server: no connectors specified")
	}
	return c, nil
}

// expand replaces $NAME and ${NAME} in all texts of a value.
func expand(value any, env map[string]string) any {
	switch v := value.(type) {
	case string:
		return os.Expand(v, func(name string) string { return env[name] })
	case []any:
		for i := range v {
			v[i] = expand(v[i], env)
		}
	case map[string]any:
		for key := range v {
			v[key] = expand(v[key], env)
		}
	}
	return value
}

// decode accepts a hash, and the base64 of one.
func (p *password) decode() error {
	_, err := bcrypt.Cost([]byte(p.Hash))
	if err == nil {
		return nil
	}
	decoded, wrong := base64.StdEncoding.DecodeString(p.Hash)
	if wrong != nil {
		return fmt.Errorf("malformed bcrypt hash: %w", err)
	}
	if _, err := bcrypt.Cost(decoded); err != nil {
		return fmt.Errorf("malformed bcrypt hash: %w", err)
	}
	p.Hash = string(decoded)
	return nil
}

func (c *Config) validate() error {
	var wrong []string
	for message, bad := range map[string]bool{
		"no issuer specified in config file":                           c.Issuer == "",
		"cannot specify static passwords without enabling password db": !c.EnablePasswordDB && len(c.StaticPasswords) > 0,
		"no storage supplied in config file":                           c.Storage.Type == "",
		"must supply a HTTP/HTTPS  address to listen on":               c.Web.HTTP == "" && c.Web.HTTPS == "",
	} {
		if bad {
			wrong = append(wrong, message)
		}
	}
	if len(wrong) > 0 {
		return fmt.Errorf("invalid Config:\n\t-\t%s", strings.Join(wrong, "\n\t-\t"))
	}
	issuer, err := url.Parse(c.Issuer)
	if err != nil {
		return fmt.Errorf("failed to initialize server: server: can't parse issuer URL")
	}
	c.path, c.validFor = strings.TrimSuffix(issuer.Path, "/"), 24*time.Hour
	if c.Expiry.IDTokens != "" {
		if c.validFor, err = time.ParseDuration(c.Expiry.IDTokens); err != nil {
			return fmt.Errorf("invalid config value %q for id token expiry: %w", c.Expiry.IDTokens, err)
		}
	}
	return nil
}

func (c *client) resolve(env map[string]string) error {
	switch {
	case c.Name == "":
		return errors.New("invalid config: Name field is required for a client")
	case c.ID == "" && c.IDEnv == "":
		return errors.New("invalid config: ID or IDEnv field is required for a client")
	case c.ID != "" && c.IDEnv != "":
		return fmt.Errorf("invalid config: ID and IDEnv fields are exclusive for client %q", c.ID)
	case c.Secret == "" && c.SecretEnv == "" && !c.Public:
		return fmt.Errorf("invalid config: Secret or SecretEnv field is required for client %q", c.ID)
	case c.Secret != "" && c.SecretEnv != "":
		return fmt.Errorf("invalid config: Secret and SecretEnv fields are exclusive for client %q", c.ID)
	}
	if c.IDEnv != "" {
		c.ID = env[c.IDEnv]
	}
	if c.SecretEnv != "" {
		c.Secret = env[c.SecretEnv]
	}
	return nil
}
