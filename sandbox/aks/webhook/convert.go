package webhook

import (
	"encoding/json"
	"fmt"
)

type convertRequest struct {
	UID               string           `json:"uid"`
	DesiredAPIVersion string           `json:"desiredAPIVersion"`
	Objects           []map[string]any `json:"objects"`
}

type convertResponse struct {
	UID              string            `json:"uid"`
	ConvertedObjects []map[string]any  `json:"convertedObjects"`
	Result           map[string]string `json:"result"`
}

// convert sets the requested version on the objects and changes nothing else.
func convert(request json.RawMessage) (convertResponse, error) {
	var asked convertRequest
	if err := json.Unmarshal(request, &asked); err != nil {
		return convertResponse{}, fmt.Errorf("reading the request: %w", err)
	}
	for _, object := range asked.Objects {
		object["apiVersion"] = asked.DesiredAPIVersion
	}
	return convertResponse{UID: asked.UID, ConvertedObjects: asked.Objects, Result: map[string]string{"status": "Success"}}, nil
}
