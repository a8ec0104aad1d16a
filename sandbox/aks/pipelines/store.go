package pipelines

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
	"github.com/rclone/gofakes3"
	"github.com/rclone/gofakes3/s3mem"
	"k8s.io/apimachinery/pkg/types"
)

// bucket is the bucket of all releases.
const bucket = "mlpipeline"

// Keys are the credentials of the object store.
type Keys struct{ Access, Secret string }

// A Store is the object store: a real S3 server in memory, which knows the keys that its pod started with.
type Store struct {
	backend gofakes3.Backend

	mu      sync.Mutex
	keys    Keys
	pod     types.UID
	handler http.Handler
}

// NewStore creates an object store with an empty bucket.
func NewStore() (*Store, error) {
	backend := s3mem.New()
	return &Store{backend: backend}, backend.CreateBucket(context.Background(), bucket)
}

// Handler serves S3 in a pod of the object store. A pod keeps the keys that it started with.
func (s *Store) Handler(pod types.UID, now Keys) http.Handler {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.handler == nil || s.pod != pod {
		s.pod, s.keys = pod, now
		s.handler = gofakes3.New(s.backend, gofakes3.WithV4Auth(map[string]string{now.Access: now.Secret}), gofakes3.WithIntegrityCheck(false)).Server()
	}
	return s.handler
}

// Objects reads and writes objects as a client with these keys, over connections that dial opens.
type Objects struct{ client *minio.Client }

// NewObjects connects to an endpoint.
func NewObjects(endpoint string, keys Keys, dial func(ctx context.Context) (net.Conn, error)) (*Objects, error) {
	client, err := minio.New(endpoint, &minio.Options{
		Creds: credentials.NewStaticV4(keys.Access, keys.Secret, ""), Region: "us-east-1", MaxRetries: 1,
		Transport: &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) { return dial(ctx) }},
	})
	return &Objects{client}, err
}

// Put stores an object.
func (o *Objects) Put(ctx context.Context, key string, content []byte) error {
	_, err := o.client.PutObject(ctx, bucket, key, bytes.NewReader(content), int64(len(content)), minio.PutObjectOptions{DisableContentSha256: false})
	if err != nil {
		return fmt.Errorf("failed to put file: %w", err)
	}
	return nil
}

// Get reads an object.
func (o *Objects) Get(ctx context.Context, key string) ([]byte, error) {
	object, err := o.client.GetObject(ctx, bucket, key, minio.GetObjectOptions{})
	if err != nil {
		return nil, err
	}
	defer object.Close()
	return io.ReadAll(object)
}
