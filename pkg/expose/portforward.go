package expose

var portForward = Method{
	Name: "port-forward", Flag: "--port-forward", Summary: "on this computer alone, while the command runs; changes nothing on the cluster",
}
