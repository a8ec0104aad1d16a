package inventory

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/bounded"
)

// The fields that an install owns of each object are as long as all its manifests, and compress to a thirtieth. They are beside the list of
// objects, in its order, so that this stays readable.
const (
	ownedKey = "owned"
	// maxOwned is how long the fields of one object may be: those of a CRD are a hundred times longer, and its hash is enough.
	maxOwned    = 32 << 10
	maxAllOwned = 16 << 20
)

// encodeOwned returns the fields of the objects in their order, "" if none has any, or if they are too long to be kept.
func encodeOwned(entries []Entry, most int) (string, error) {
	list, any := make([]json.RawMessage, len(entries)), false
	for i, e := range entries {
		if list[i] = json.RawMessage("null"); e.Owned != "" && len(e.Owned) <= maxOwned {
			list[i], any = json.RawMessage(e.Owned), true
		}
	}
	if !any {
		return "", nil
	}
	var packed bytes.Buffer
	to := gzip.NewWriter(&packed)
	if err := json.NewEncoder(to).Encode(list); err != nil {
		return "", fmt.Errorf("encoding the inventory: %w", err)
	}
	if err := to.Close(); err != nil {
		return "", fmt.Errorf("encoding the inventory: %w", err)
	}
	if base64.StdEncoding.EncodedLen(packed.Len()) > most {
		return "", nil // drift is then known, but not of which field
	}
	return base64.StdEncoding.EncodeToString(packed.Bytes()), nil
}

// decodeOwned adds the fields to the entries. Inventories of older versions have none.
func decodeOwned(text string, entries []Entry) error {
	if text == "" {
		return nil
	}
	if len(text) > maxSize {
		return fmt.Errorf("%d bytes are more than %d", len(text), maxSize)
	}
	from, err := gzip.NewReader(base64.NewDecoder(base64.StdEncoding, strings.NewReader(text)))
	if err != nil {
		return err
	}
	content, err := bounded.Start(from, maxAllOwned)
	if err != nil {
		return err
	}
	var list []json.RawMessage
	if err := json.Unmarshal(content, &list); err != nil {
		return err
	}
	if len(list) != len(entries) {
		return fmt.Errorf("it is about %d objects, and the inventory lists %d", len(list), len(entries))
	}
	for i, fields := range list {
		if len(fields) > maxOwned {
			return fmt.Errorf("number %d is too long", i+1)
		}
		if string(fields) != "null" {
			entries[i].Owned = string(fields)
		}
	}
	return nil
}
