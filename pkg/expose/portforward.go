package expose

// PortForward is the method that only reaches this computer.
var PortForward = Method{
	Name: "port-forward", Flag: "--port-forward", Summary: "on this computer alone, while the command runs; changes nothing on the cluster",
}
