package redact

import "strings"

// Args masks a list of arguments: "--flag=value", "--flag value", and others.
func Args(list []any, replace func(i int, value string) string) []any {
	out := make([]any, len(list))
	flag := ""
	for i, item := range list {
		arg, ok := item.(string)
		if !ok {
			out[i], flag = item, ""
			continue
		}
		hide := func(value string) string { return replace(i, value) }
		name, value, assigned := strings.Cut(arg, "=")
		switch {
		case strings.Contains(arg, "\n"):
			out[i], flag = Config(arg, "", nil, hide), ""
		case strings.HasPrefix(arg, "-") && assigned:
			if !Known(name) {
				name = hide(name)
			}
			if !Setting(name, value) {
				value = hide(value)
			}
			out[i], flag = name+"="+value, ""
		case strings.HasPrefix(arg, "-") && Known(arg):
			out[i], flag = arg, arg
		case flag != "":
			if !Setting(flag, arg) {
				arg = hide(arg)
			}
			out[i], flag = arg, ""
		case (i == 0 || strings.HasPrefix(arg, "/")) && Known(arg) || Plain(arg):
			out[i] = arg
		default:
			out[i] = hide(arg)
		}
	}
	return out
}
