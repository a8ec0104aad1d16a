package bounded

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"go.yaml.in/yaml/v3"
	objectyaml "sigs.k8s.io/yaml"
)

// Nodes limits the values in one YAML or JSON text, with what its aliases stand for. Each takes some hundred bytes of memory
// when it is parsed, also if it takes two bytes in the text. The largest file of Kubeflow 26.03 has 40,000.
const Nodes = 1_000_000

// FieldNodes limits the values in the text of one field of an object, which is YAML within YAML. Those of Kubeflow have some hundred.
const FieldNodes = 100_000

// YAML checks a text before it is parsed. Text that is not YAML passes: its parser has the better message. (Parsers limit
// the depth themselves.)
func YAML(content []byte) error {
	if int64(len(content)) > Manifests {
		return tooLarge(Manifests)
	}
	if Values(content) > Nodes {
		return errNodes
	}
	return aliases(content, 3)
}

var errNodes = &Error{fmt.Sprintf("it holds more than %d values", Nodes)}

// Unmarshal parses the YAML or JSON in a field of an object, such as a configuration in a ConfigMap.
func Unmarshal(text string, into any) error {
	content := []byte(text)
	if err := field(content); err != nil {
		return err
	}
	return objectyaml.Unmarshal(content, into)
}

// Text checks the text of a field of an object before it is parsed.
func Text(text string) error { return field([]byte(text)) }

func field(content []byte) error {
	if len(content) > Field {
		return tooLarge(Field)
	}
	if Values(content) > FieldNodes {
		return &Error{fmt.Sprintf("it holds more than %d values", FieldNodes)}
	}
	return aliases(content, 3)
}

// Values counts at least as many values as a parser would make, in one pass.
func Values(content []byte) int {
	n := 1
	for i, c := range content {
		switch c {
		case ',', '[', '{':
			n++
		case ':', '-', '?': // these count only before a space, the end of a line or a value in JSON
			if i+1 == len(content) || content[i+1] <= ' ' || bytes.IndexByte([]byte(`"'[{`), content[i+1]) >= 0 {
				n++
			}
		case '\\': // YAML in a quoted string of YAML may have its signs escaped
			if i+1 < len(content) && strings.IndexByte("xuU", content[i+1]) >= 0 && written.Match(content[i:min(i+10, len(content))]) {
				n++
			}
		}
	}
	return n
}

var document = regexp.MustCompile(`(?m)^---`)

// anchored reports whether a text may define an anchor: an ampersand where a value begins, and a name after it. Every file of a
// release comes through here, so it must not cost more than looking for a byte.
func anchored(content []byte) bool {
	for at := 0; ; at++ {
		next := bytes.IndexByte(content[at:], '&')
		if next < 0 {
			return false
		}
		at += next
		begins := at == 0 || strings.IndexByte(" \t\n\f\r[{,:?-", content[at-1]) >= 0
		if begins && at+1 < len(content) && strings.IndexByte(" \t\n\f\r&,[]{}", content[at+1]) < 0 {
			return true
		}
	}
}

// written matches the signs that [Values] counts, escaped in a string.
var written = regexp.MustCompile(`^\\(x|u00|U000000)(2[cCdD]|3[aAfF]|5[bB]|7[bB])`)

// aliases checks that what the aliases of a text stand for is not too much: kustomize expands them without a limit, and also
// parses YAML within the strings of YAML.
func aliases(content []byte, depth int) error {
	if depth == 0 || !anchored(content) || !bytes.Contains(content, []byte("*")) {
		return nil
	}
	for _, part := range document.Split(string(content), -1) {
		var top yaml.Node
		if yaml.Unmarshal([]byte(part), &top) != nil {
			continue // no parser reads it
		}
		e := expansion{sizes: map[*yaml.Node]int{}, depth: depth}
		if e.size(&top) > Nodes {
			return errNodes
		}
		if e.err != nil {
			return e.err
		}
	}
	return nil
}

// An expansion counts the values of a node with those that its aliases stand for, once for each node.
type expansion struct {
	sizes map[*yaml.Node]int
	depth int
	err   error
}

func (e *expansion) size(n *yaml.Node) int {
	if n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	if have, ok := e.sizes[n]; ok {
		return have
	}
	e.sizes[n] = Nodes + 1 // for an alias within what it stands for
	sum := 1
	for _, part := range n.Content {
		sum = min(sum+e.size(part), Nodes+1)
	}
	e.sizes[n] = sum
	if n.Kind == yaml.ScalarNode && strings.Contains(n.Value, "\n") {
		e.err = errors.Join(e.err, aliases([]byte(n.Value), e.depth-1))
	}
	return sum
}
