// Package access asks the API server what the programs of Kubeflow ask it about their users: who a token belongs to, and whether a
// user may do something.
package access

import (
	"context"
	"strings"

	authentication "k8s.io/api/authentication/v1"
	authorization "k8s.io/api/authorization/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
)

// A User is who sent a request.
type User struct {
	Name   string
	Groups []string
}

// May reports whether a user may do verb on a resource of a namespace.
func May(ctx context.Context, client kubernetes.Interface, user User, group, resource, verb, namespace string) (bool, error) {
	review, err := client.AuthorizationV1().SubjectAccessReviews().Create(ctx, &authorization.SubjectAccessReview{
		Spec: authorization.SubjectAccessReviewSpec{User: user.Name, Groups: user.Groups, ResourceAttributes: &authorization.ResourceAttributes{
			Namespace: namespace, Verb: verb, Group: group, Resource: resource,
		}},
	}, metav1.CreateOptions{})
	if err != nil {
		return false, err
	}
	return review.Status.Allowed, nil
}

// Token returns the user of a bearer token for an audience, and why there is none.
func Token(ctx context.Context, client kubernetes.Interface, header, audience string) (user User, why string) {
	token, ok := strings.CutPrefix(header, "Bearer ")
	if !ok || token == "" {
		return User{}, "Request header error: there is no user identity header."
	}
	review, err := client.AuthenticationV1().TokenReviews().Create(ctx, &authentication.TokenReview{
		Spec: authentication.TokenReviewSpec{Token: token, Audiences: []string{audience}},
	}, metav1.CreateOptions{})
	switch {
	case err != nil:
		return User{}, err.Error()
	case review.Status.Error != "":
		return User{}, "Review.Status.Error: " + review.Status.Error
	case !review.Status.Authenticated:
		return User{}, "Failed to authenticate token review"
	}
	return User{review.Status.User.Username, review.Status.User.Groups}, ""
}
