// Package mutants breaks rendered manifests, one fault at a time, to measure what the doctor explains. [References] breaks what one
// object says of another, [Values] sets fields to random values. It knows nothing of the doctor's tables: a reference is any text that
// equals a name, key, port or label elsewhere in the manifests, and the API server says which values are faults.
package mutants
