package cluster

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// NodeScope are all nodes, with what is read of them: a node also lists its images, which are most of it.
var NodeScope = Scope{Keep: "metadata/labels metadata/annotations metadata/creationTimestamp metadata/deletionTimestamp spec " +
	"status/allocatable status/capacity status/conditions status/nodeInfo status/addresses"}

// A Node is what a person wants to know of a node at a glance.
type Node struct {
	Name, Kubernetes, Runtime, OSImage string
	Labels                             map[string]string
	Ready                              bool
}

// Nodes lists the nodes as the server's own table has them: a tenth of the whole objects, which carry the names of all
// their images. A cluster may have five thousand.
func (c *Client) Nodes(ctx context.Context) ([]Node, error) {
	var nodes []Node
	next := ""
	for {
		answer, err := c.Kube.CoreV1().RESTClient().Get().Resource("nodes").
			SetHeader("Accept", "application/json;as=Table;v=v1;g=meta.k8s.io").
			Param("limit", strconv.Itoa(page)).Param("continue", next).DoRaw(ctx)
		if err != nil {
			return nil, err
		}
		var table metav1.Table
		if err := json.Unmarshal(answer, &table); err != nil {
			return nil, fmt.Errorf("reading the table of nodes: %w", err)
		}
		if nodes, err = appendNodes(nodes, &table); err != nil {
			return nil, err
		}
		if next = table.Continue; next == "" {
			return nodes, nil
		}
	}
}

func appendNodes(nodes []Node, table *metav1.Table) ([]Node, error) {
	for _, row := range table.Rows {
		var about metav1.PartialObjectMetadata
		if err := json.Unmarshal(row.Object.Raw, &about); err != nil {
			return nil, fmt.Errorf("reading the table of nodes: %w", err)
		}
		node := Node{Name: about.Name, Labels: about.Labels}
		for i, column := range table.ColumnDefinitions {
			if i == len(row.Cells) {
				break
			}
			cell, _ := row.Cells[i].(string)
			switch column.Name {
			case "Status":
				status, _, _ := strings.Cut(cell, ",") // "Ready,SchedulingDisabled"
				node.Ready = status == "Ready"
			case "Version":
				node.Kubernetes = cell
			case "OS-Image":
				node.OSImage = cell
			case "Container-Runtime":
				node.Runtime = cell
			}
		}
		nodes = append(nodes, node)
	}
	return nodes, nil
}
