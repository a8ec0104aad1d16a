// Package fixes applies the fixes that a report proposes, records each step when it happens, and undoes them.
//
// [Apply] carries a [doctor.FixPlan] out in rounds, waits for restarts and diagnoses again; a [Run] is the record that it keeps
// in the cluster, and [Undo] reverts exactly the steps that were made and that no other client changed since.
package fixes
