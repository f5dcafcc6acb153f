package exampletest

// What the system says.
const (
	FullDiskText  = "file system full"
	NoFileText    = "does not exist"
	RefusedText   = "connection refused"
	PortInUseText = "address in use"
)
