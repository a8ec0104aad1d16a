package auth

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/bounded"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/problem"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/signin"
)

func (o *addOptions) readFile(ctx context.Context) ([]signin.Grant, error) {
	content, err := o.ReadFile(ctx, o.file, bounded.Config)
	if err != nil {
		return nil, &problem.Error{Usage: true, What: "-f: " + err.Error(), Next: "Specify a CSV file"}
	}
	grants, err := parseUsers(content)
	if err != nil {
		return nil, &problem.Error{Usage: true, What: o.file + ": " + err.Error(), Next: "The first line names the columns: email,profile,contributor-of,role,quota"}
	}
	return grants, nil
}

func parseQuota(words []string) (map[string]string, error) {
	quota := map[string]string{}
	for _, word := range words {
		name, amount, found := strings.Cut(word, "=")
		if !found || name == "" {
			return nil, fmt.Errorf("%q is not RESOURCE=AMOUNT", word)
		}
		quota[name] = amount
	}
	return quota, nil
}

// mostUsers limits the users of a file: each is compared with all others.
const mostUsers = 5000

// parseUsers reads a CSV file whose first line names its columns. Several values in one field are separated by spaces or commas.
func parseUsers(content string) ([]signin.Grant, error) {
	r := csv.NewReader(strings.NewReader(strings.TrimPrefix(content, "\ufeff")))
	r.TrimLeadingSpace, r.Comment = true, '#'
	columns, err := r.Read()
	if err != nil {
		return nil, fmt.Errorf("it has no line with the names of its columns: %w", err)
	}
	var grants []signin.Grant
	for {
		fields, err := r.Read()
		if errors.Is(err, io.EOF) {
			return grants, nil
		}
		if err != nil {
			return nil, err
		}
		if len(grants) == mostUsers {
			return nil, fmt.Errorf("it holds more than %d users", mostUsers)
		}
		var g signin.Grant
		for i, value := range fields {
			value = strings.TrimSpace(value)
			words := strings.FieldsFunc(value, func(r rune) bool { return r == ' ' || r == ',' || r == ';' })
			switch column := strings.ToLower(strings.TrimSpace(columns[i])); column {
			case "email":
				g.User = value
			case "profile":
				g.Profile = value
			case "contributor-of":
				g.ContributorOf = words
			case "role":
				g.Role = value
			case "quota":
				if g.Quota, err = parseQuota(words); err != nil {
					return nil, err
				}
			default:
				return nil, fmt.Errorf("there is no column %q", column)
			}
		}
		line, _ := r.FieldPos(0)
		if err := g.Check(); err != nil {
			return nil, fmt.Errorf("line %d: %w", line, err)
		}
		if g.Profile == "" && len(g.ContributorOf) == 0 {
			return nil, fmt.Errorf("line %d: %s gets neither a Profile nor a share of one", line, g.User)
		}
		grants = append(grants, g)
	}
}
