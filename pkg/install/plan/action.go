package plan

// An Action is what an install does with an object.
type Action string

const (
	Create    Action = "create"
	Adopt     Action = "adopt" // take over an existing object that an install never applied
	Change    Action = "change"
	Recreate  Action = "recreate" // it cannot be changed in place
	Unchanged Action = "unchanged"
	Delete    Action = "delete"
	Keep      Action = "keep"
	Unknown   Action = "unknown" // the server could not tell, for example because the kind does not exist yet
	Rejected  Action = "refused"
)

// actions is the order of a component's steps.
var actions = []Action{Create, Adopt, Change, Recreate, Rejected, Delete, Keep}
