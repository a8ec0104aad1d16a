package ui

import (
	"testing"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/escape"
)

func TestWideLettersTakeTwoColumns(t *testing.T) {
	for text, want := range map[string]int{"kubeflow": 8, "控制台": 6, escape.Style("31") + "错误" + escape.Style("0"): 4, "✓ ok": 4, "é": 1} {
		if got := columns(text); got != want {
			t.Errorf("%q is %d columns wide, want %d", text, got, want)
		}
	}
	if got := Clip("控制台没有回答", 8); columns(got) > 8 {
		t.Errorf("%q does not fit into 8 columns", got)
	}
	if got := fold("控制台 没有 回答", 6, ""); got != "控制台\n没有\n回答" {
		t.Errorf("%q", got)
	}
}
