// Package identity makes users sign in with another identity provider, and undoes that. [Prepare] decides, asks the provider, and changes
// nothing; [Plan.Apply] carries it out in stages, verifies it, and restores the sign-in that there was if that fails.
package identity
