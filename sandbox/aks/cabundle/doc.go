// Package cabundle simulates cert-manager's cainjector and operators that manage
// their own webhooks: once the Service of a webhook, a conversion webhook
// or an aggregated API has a ready endpoint, its caBundle becomes the sandbox's.
package cabundle
