# Writes a report of doctor -o json as the result of "k8sgpt analyze -o json", for programs that read that.
[.checks[] | .id as $id | (.findings // [])[] | . + {check: $id}]
| sort_by({"error": 0, "warning": 1, "info": 2}[.severity])
| {
    provider: "kubectl-kubeflow",
    errors: null,
    status: (if any(.[]; .severity != "info") then "ProblemDetected" else "OK" end),
    problems: length,
    results: [.[] | {
      kind: .about.kind,
      name: ([.about.namespace, .about.name] | map(select(. != null)) | join("/")),
      error: [{Text: .message, KubernetesDoc: (.page // ""), Sensitive: []}],
      details: ([.consequence, .cause, .advice] | map(select(. != null)) | join(" ")),
      parentObject: .check
    }]
  }
