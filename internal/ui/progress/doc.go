// Package progress draws what goes on: an [Install], an [Uninstall], and a [Busy] line wherever a command would otherwise be silent.
//
// Drawing over a few lines is what [ui.Region] does; programs for whole screens take over the keyboard and the cursor, and a
// command that ends with a result on a pipe has use for neither.
package progress
