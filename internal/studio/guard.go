package studio

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// guard decides which requests are answered.
//
//   - Host must be a name of this machine or one that was allowed: a page that
//     rebinds its own name to 127.0.0.1 has another one.
//   - A change must come from the page itself: by Origin, or by what the browser
//     says of the request where it sends no Origin.
//   - Everything but the empty page and its modules needs the cookie that the
//     token of the printed address was changed for, pictures and events too.
type guard struct {
	hosts  []string
	cookie string // name
	link   func(token string)
	root   *os.Root

	mu     sync.Mutex
	tokens map[string]bool // true: used
	known  []string        // SHA-256 of the cookies' values in hex, the latest last
}

const (
	sessionsFile = own + "/sessions.json"
	maxSessions  = 16
	maxTokens    = 64
)

func newGuard(root *os.Root, cookie string, hosts []string) *guard {
	g := &guard{cookie: cookie, root: root, tokens: map[string]bool{}}
	for _, h := range hosts {
		g.hosts = append(g.hosts, strings.ToLower(strings.Trim(h, "[]")))
	}
	// Sessions outlive the server, so that an open page goes on after a restart.
	if text, err := root.ReadFile(sessionsFile); err == nil {
		_ = json.Unmarshal(text, &g.known) // a damaged file means that every browser needs a new token
	}
	return g
}

func secret() string {
	var b [24]byte
	rand.Read(b[:])
	return base64.RawURLEncoding.EncodeToString(b[:])
}

func digest(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:])
}

func (g *guard) newToken() string {
	g.mu.Lock()
	defer g.mu.Unlock()
	for t := range g.tokens {
		if len(g.tokens) < maxTokens {
			break
		}
		delete(g.tokens, t)
	}
	t := secret()
	g.tokens[digest(t)] = false
	return t
}

// enter exchanges a token for the value of a cookie. used reports whether the token
// was valid once and is used up.
func (g *guard) enter(token string) (value string, used bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	was, ok := g.tokens[digest(token)]
	if !ok || was {
		return "", was
	}
	g.tokens[digest(token)] = true
	value = secret()
	g.known = append(g.known, digest(value))
	g.known = g.known[max(0, len(g.known)-maxSessions):]
	if text, err := json.Marshal(g.known); err == nil {
		_ = writeRoot(g.root, sessionsFile, text) // if it fails, the session ends with the server
	}
	return value, false
}

func (g *guard) entered(r *http.Request) bool {
	c, err := r.Cookie(g.cookie)
	if err != nil {
		return false
	}
	sum := digest(c.Value)
	g.mu.Lock()
	defer g.mu.Unlock()
	return slices.ContainsFunc(g.known, func(k string) bool { return subtle.ConstantTimeCompare([]byte(k), []byte(sum)) == 1 })
}

// hostOf returns the host of "host:port", "[::1]:port", or a host without a port.
func hostOf(hostport string) string {
	host, _, err := net.SplitHostPort(hostport)
	if err != nil {
		host = hostport
	}
	return strings.ToLower(strings.TrimSuffix(strings.Trim(host, "[]"), "."))
}

func (g *guard) knowsHost(hostport string) bool {
	host := hostOf(hostport)
	if host == "localhost" || slices.Contains(g.hosts, host) {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}

// fromPage reports whether a request was made by the page itself.
func fromPage(r *http.Request) bool {
	if site := r.Header.Get("Sec-Fetch-Site"); site != "" && site != "same-origin" {
		return false
	}
	origin := r.Header.Get("Origin")
	if origin == "" {
		return r.Header.Get("Sec-Fetch-Site") == "same-origin"
	}
	u, err := url.Parse(origin)
	return err == nil && u.Host == r.Host && (u.Scheme == "http" || u.Scheme == "https")
}

const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; connect-src 'self'; " +
	"manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// wrap passes the requests that the guard allows to next.
func (g *guard) wrap(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cache-Control", "no-store")
		switch {
		case !g.knowsHost(r.Host):
			refuse(w, http.StatusMisdirectedRequest, problem{Message: "this server does not go by the name " + hostOf(r.Host) + "; start it with --allow-host to let it"})
		case r.Method != http.MethodGet && r.Method != http.MethodHead && !fromPage(r):
			refuse(w, http.StatusForbidden, problem{Message: "only the page itself may change anything"})
		case strings.HasPrefix(r.URL.Path, "/api/") && !g.entered(r):
			refuse(w, http.StatusUnauthorized, problem{Message: "this browser has not opened the address that the program printed"})
		case strings.HasPrefix(r.URL.Path, "/api/") && crossSite(r):
			refuse(w, http.StatusForbidden, problem{Message: "only the page itself may read this"})
		default:
			// The deadline keeps a slow body from holding a connection for ever.
			_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(time.Duration(readTime.Load())))
			r.Body = http.MaxBytesReader(w, r.Body, maxUpload)
			next.ServeHTTP(w, r)
		}
	})
}

// readTime is how long a request's body may take, in nanoseconds.
var readTime atomic.Int64

func init() { readTime.Store(int64(2 * time.Minute)) }

func crossSite(r *http.Request) bool {
	site := r.Header.Get("Sec-Fetch-Site")
	return site != "" && site != "same-origin" && site != "none"
}

// page serves the empty page, which holds no data of the user. If its address has a
// token, the browser gets the cookie for it.
func (s *Studio) page(w http.ResponseWriter, r *http.Request) {
	if token := r.URL.Query().Get("token"); token != "" {
		value, used := s.guard.enter(token)
		if value != "" {
			http.SetCookie(w, &http.Cookie{Name: s.guard.cookie, Value: value, Path: "/", HttpOnly: true,
				SameSite: http.SameSiteStrictMode, MaxAge: 90 * 24 * 3600})
		} else if used && !s.guard.entered(r) && s.guard.link != nil {
			s.guard.link(s.guard.newToken()) // another browser: print a new address for the person at the terminal
		}
		// The redirect removes the token from the address, the history and
		// bookmarks.
		http.Redirect(w, r, "/", http.StatusSeeOther)
		return
	}
	f, err := web.Open("web/index.html")
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	defer f.Close()
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = io.Copy(w, f)
}
