// Package tenancy checks Profiles and their namespaces.
package tenancy
