package redact_test

import (
	"strings"
	"testing"
	"time"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kubetest"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/redact"
)

// Every shape of a credential is planted where programs log them: alone, in sentences, as settings, in JSON, between colours.
func TestALogShowsNoCredentialOfAnyShape(t *testing.T) {
	p := kubetest.NewPlanter()
	for round := range 4 {
		var log strings.Builder
		for _, shape := range kubetest.SecretShapes {
			for _, around := range kubetest.LogLines {
				log.WriteString(strings.ReplaceAll(around, "%s", p.Plant(shape, around)) + "\n")
			}
		}
		began := time.Now()
		shown := strings.Join(redact.Log(log.String(), 1<<20), "\n")
		t.Logf("%d kB took %s", log.Len()/1024, time.Since(began))
		for _, secret := range p.Readable(shown) {
			t.Errorf("round %d: %s is readable", round, secret)
		}
		if again := strings.Join(redact.Log(shown, 1<<20), "\n"); len(p.Readable(again)) > 0 {
			t.Error("masking twice shows what once did not")
		}
	}
	t.Logf("%d secrets of %d shapes", p.Planted(), len(kubetest.SecretShapes))
}

func TestALogStaysReadable(t *testing.T) {
	for _, line := range []string{
		`2026-03-01T12:00:00.123456Z	INFO	controller-runtime.metrics	Starting metrics server	{"bindAddress": ":8080"}`,
		`I0301 12:00:00.123456       1 leaderelection.go:250] attempting to acquire leader lease kubeflow/profile-controller-leader...`,
		`time="2026-03-01T12:00:00Z" level=error msg="failed to list *v1alpha1.Workflow: workflows.argoproj.io is forbidden" namespace=kubeflow`,
		`ts=1772366400.123 caller=reflector.go:561 pods ml-pipeline-7d9f8b6c5d-x2x4z and ml-pipeline-persistenceagent-5f6d8c9b7-abcde are not ready`,
		`E0301 pod volume 9f8b7a6c-1234-4abc-8def-0123456789ab not mounted at /var/lib/kubelet/pods/9f8b7a6c-1234-4abc-8def-0123456789ab/volumes/kubernetes.io~csi`,
		`[ERROR] [MY-010457] [Server] --initialize specified but the data directory has files in it. Aborting.`,
		`	at org.springframework.beans.factory.support.DefaultListableBeanFactory.getBean(DefaultListableBeanFactory.java:353)`,
		`k8s.io/client-go/tools/cache.(*Reflector).ListAndWatch(0xc000123456, 0xc000abcdef)`,
		`goroutine 17 [running]: main.reconcileNotebook(...) /workspace/controllers/notebook_controller.go:143 +0x1b2`,
		`Traceback (most recent call last): File "/opt/conda/lib/python3.11/site-packages/sqlalchemy/engine/base.py", line 145, in __init__`,
		`ERROR 1045 (28000): Access denied for user 'root'@'10.244.1.7' (using password: YES)`,
		`io.grpc.netty.shaded.io.grpc.netty.NettyClientTransport$3.run Http2ConnectionHandler Base64Decoder OAuth2Authentication utf8mb4_0900_ai_ci`,
		`Notebook控制台已启动，监听端口 8888`, `Привет, сервер запущен на порту 8080`,
	} {
		if got := redact.Log(line, 1000); len(got) != 1 || got[0] != line {
			t.Errorf("%s\nis shown as\n%s", line, strings.Join(got, "\n"))
		}
	}
}

// What no form tells from a word is a credential by its name alone, which may be coloured, quoted, or on the line before.
func TestALogShowsNoPasswordThatIsAWord(t *testing.T) {
	for _, line := range []string{
		"password=correcthorse", "\x1b[36mpassword\x1b[0m=\x1b[33mcorrecthorse\x1b[0m", "\u009b36mclient_secret\u009b0m=correcthorse", `{"db_password": "correcthorse"}`, `"{\"token\":\"correcthorse\"}"`,
		"bindPW:\n  correcthorse", "\x1b]8;;https://u:correcthorse@h/\x07link\x1b]8;;\x07 password: correcthorse", "--client-secret correcthorse", "mysql://root:correcthorse@mysql:3306/db",
		"waiting: password=correcthorse", `level=info msg="login: password=correcthorse"`, "-----BEGIN PRIVATE KEY-----\ncorrecthorse\nbattery\n-----END PRIVATE KEY-----", "api_key: 'correcthorse'", "Authorization: Basic correcthorse",
	} {
		if got := strings.Join(redact.Log(line, 1000), "\n"); strings.Contains(got, "correcthorse") {
			t.Errorf("%q is shown as %q", line, got)
		}
	}
}

func TestTheLinesOfALogAreBounded(t *testing.T) {
	got := redact.Log(strings.Repeat("a ", 1000)+"\n"+strings.Repeat("語", 12)+"\r\n\nend", 10)
	if len(got) != 4 || got[0] != "a a a a a ..." || got[1] != strings.Repeat("語", 10)+"..." || got[2] != "" || got[3] != "end" {
		t.Errorf("%q", got)
	}
}
