//go:build unix

package identity

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/sandboxtest"
)

// A chromium is a real browser without a screen, driven by its DevTools protocol.
type chromium struct {
	t    *testing.T
	conn *websocket.Conn
	last int
}

var listening = regexp.MustCompile(`DevTools listening on (ws://\S+)`)

// startBrowser starts a browser that reaches the tenant through its proxy.
func startBrowser(t *testing.T, e tenant) *chromium {
	t.Helper()
	cmd := exec.Command(sandboxtest.Browser(), "--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--ignore-certificate-errors",
		"--remote-debugging-port=0", "--user-data-dir="+t.TempDir(), "--proxy-server=https="+strings.TrimPrefix(e.Proxy, "http://"), "about:blank")
	errors, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	address := make(chan string, 1)
	go func() {
		lines := bufio.NewScanner(errors)
		for lines.Scan() {
			if found := listening.FindStringSubmatch(lines.Text()); found != nil {
				address <- found[1]
			}
		}
	}()
	select {
	case to := <-address:
		conn, _, err := websocket.DefaultDialer.Dial(to, nil)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = conn.Close() })
		return &chromium{t: t, conn: conn}
	case <-time.After(time.Minute):
		t.Fatal("the browser does not start")
	}
	return nil
}

// call makes a call of the protocol in a session, "" for the browser itself.
func (c *chromium) call(session, method string, params map[string]any) map[string]any {
	c.t.Helper()
	c.last++
	sent := map[string]any{"id": c.last, "method": method, "params": params}
	if session != "" {
		sent["sessionId"] = session
	}
	if err := c.conn.WriteJSON(sent); err != nil {
		c.t.Fatal(err)
	}
	for {
		var got struct {
			ID     int
			Result map[string]any
			Error  json.RawMessage
		}
		_ = c.conn.SetReadDeadline(time.Now().Add(time.Minute))
		if err := c.conn.ReadJSON(&got); err != nil {
			c.t.Fatalf("%s: %v", method, err)
		}
		if got.ID == c.last { // the others are events
			return got.Result
		}
	}
}

// A tab is a page with cookies of its own.
type tab struct {
	*chromium
	session string
}

func (c *chromium) open() tab {
	c.t.Helper()
	context := c.call("", "Target.createBrowserContext", map[string]any{})["browserContextId"]
	target := c.call("", "Target.createTarget", map[string]any{"url": "about:blank", "browserContextId": context})["targetId"]
	session, _ := c.call("", "Target.attachToTarget", map[string]any{"targetId": target, "flatten": true})["sessionId"].(string)
	return tab{c, session}
}

// eval returns what an expression is in the page; "" while the page changes.
func (p tab) eval(expression string) string {
	result, _ := p.call(p.session, "Runtime.evaluate", map[string]any{"expression": expression, "returnByValue": true, "awaitPromise": true})["result"].(map[string]any)
	value, _ := result["value"].(string)
	return value
}

// A page is what the browser shows.
type page struct {
	URL, Body, State string
	Status           int
	Form             bool
}

func (p tab) look() (now page) {
	_ = json.Unmarshal([]byte(p.eval(`JSON.stringify({url: location.href, state: document.readyState, form: !!document.querySelector("input[type=password], input[name=password]"), body: document.body ? document.body.innerText.slice(0, 300) : "",
		status: (performance.getEntriesByType("navigation")[0] || {}).responseStatus || 0})`)), &now)
	return now
}

// signIn signs a user in as a person does: it opens the dashboard, chooses the provider, and submits the form. It returns the page that the
// user ends at.
func (p tab) signIn(at, user, password string) page {
	p.t.Helper()
	connector := "entra"
	if strings.HasSuffix(user, "@example.com") {
		connector = "local"
	}
	p.call(p.session, "Page.navigate", map[string]any{"url": at + "/oauth2/start?rd=%2Foauth2%2Fuserinfo"})
	submitted := ""
	var now page
	for end := time.Now().Add(45 * time.Second); time.Now().Before(end); time.Sleep(150 * time.Millisecond) {
		now = p.look()
		switch {
		case now.State != "complete" || strings.HasPrefix(now.URL, "about:"):
		case submitted != "" && (!now.Form || now.Status >= 400 || strings.Contains(now.Body, "AADSTS") || strings.Contains(now.Body, "nvalid")):
			return now
		case submitted == "" && now.Form:
			submitted = now.URL
			p.eval(fmt.Sprintf(`(() => { const set = (q, v) => { const i = document.querySelector(q); if (i) i.value = v }
				set("input[name=login]", %q); set("input[name=password]", %q); document.querySelector("form").submit(); return "" })()`, user, password))
			time.Sleep(300 * time.Millisecond)
		case submitted == "":
			p.eval(fmt.Sprintf(`(() => { const a = [...document.querySelectorAll("a")].find(a => a.href.includes("/auth/%s")); if (a) a.click(); return "" })()`, connector))
		}
	}
	return now
}

// in reports whether the page tells that a user is signed in, and the gateway lets the user's requests to the dashboard through.
func (p tab) in(now page, user string) bool {
	return strings.HasSuffix(now.URL, "/oauth2/userinfo") && strings.Contains(now.Body, user) && p.passes()
}

// passes reports whether the gateway lets requests of the page's session through, and does not lead them to a login page.
func (p tab) passes() bool {
	status := p.eval(`fetch("/", {redirect: "manual"}).then(r => r.type + " " + r.status, () => "failed")`)
	return strings.HasPrefix(status, "basic ") && status != "basic 401" && status != "basic 403"
}
