//go:build !noserver

package farm

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"
	"time"
)

// tlsServer tells a process of TestTLS where the server is.
const tlsServer = "IMPASTO_TEST_TLS_SERVER"

// TestTLS: an encrypted server is spoken to by whoever trusts its authority, and
// by nobody else, whether the URL says tls:// or not. Another process, for the
// authorities of the system are read once.
func TestTLS(t *testing.T) {
	if url := os.Getenv(tlsServer); url != "" {
		q := open(t, Options{URL: url, Secret: "a secret of theirs"})
		paintAll(t, q, 2)
		return
	}
	t.Parallel()
	if runtime.GOOS != "linux" {
		t.Skip("SKIPPED: only on Linux does a variable name the authorities to trust")
	}
	certificate, key := certify(t)
	srv := start(t, fmt.Sprintf(`
		listen: "127.0.0.1:-1"
		authorization { token: "a secret of theirs", timeout: 60 }
		tls { cert_file: %q, key_file: %q, timeout: 60 }
		jetstream { store_dir: %q, max_file_store: 1GB, max_memory_store: 64MB }
	`, certificate, key, t.TempDir()))
	for _, scheme := range []string{"tls://", "nats://"} {
		url := scheme + srv.Addr().String()
		_, err := Open(t.Context(), Options{URL: url, Secret: "a secret of theirs", Patience: calm})
		if err == nil || !strings.Contains(err.Error(), "unknown authority") {
			t.Errorf("a server that nobody vouches for, as %s: %v", scheme, err)
		}
		friend := exec.Command(os.Args[0], "-test.run=^TestTLS$", "-test.v")
		friend.Env = append(os.Environ(), tlsServer+"="+url, "SSL_CERT_FILE="+certificate)
		if out, err := friend.CombinedOutput(); err != nil || !strings.Contains(string(out), "PASS: TestTLS") {
			t.Errorf("as %s: %v\n%s", scheme, err, out)
		}
	}
}

// authority signs certificates for a test.
type authority struct {
	about *x509.Certificate
	key   *ecdsa.PrivateKey
	pem   []byte
}

func newAuthority(t *testing.T, name string) *authority {
	t.Helper()
	a := &authority{about: &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}}
	a.key, a.pem = sign(t, a, a.about)
	return a
}

// sign makes a key, and a certificate for it by an authority.
func sign(t *testing.T, by *authority, about *x509.Certificate) (*ecdsa.PrivateKey, []byte) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	signer := by.key
	if signer == nil { // its own
		signer = key
	}
	public, err := x509.CreateCertificate(rand.Reader, about, by.about, &key.PublicKey, signer)
	if err != nil {
		t.Fatal(err)
	}
	return key, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: public})
}

// folder writes ca.pem, and cert.pem with key.pem of one of its own.
func (a *authority) folder(t *testing.T, own bool) string {
	t.Helper()
	dir := t.TempDir()
	write(t, dir+"/"+caFile, string(a.pem))
	if own {
		key, certificate := sign(t, a, &x509.Certificate{
			SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "one of the farm"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
			NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), KeyUsage: x509.KeyUsageDigitalSignature,
			ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
		})
		secret, err := x509.MarshalPKCS8PrivateKey(key)
		if err != nil {
			t.Fatal(err)
		}
		write(t, dir+"/"+certFile, string(certificate))
		write(t, dir+"/"+keyFile, string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret})))
	}
	return dir
}

// TestClientCertificates: a server with certificates lets in whoever has one of
// its authority, and the token, and nobody else; processes on its own machine
// find the certificates by themselves.
func TestClientCertificates(t *testing.T) {
	t.Parallel()
	ctx, store := soon(t), t.TempDir()
	ours, theirs := newAuthority(t, "ours"), newAuthority(t, "theirs")
	q := open(t, Options{Store: store, Listen: "127.0.0.1:0", TLS: ours.folder(t, true)})
	submit(t, q, job(t, "a"))
	at, err := Reach(store)
	if err != nil {
		t.Fatal(err)
	}
	var away *UnreachableError
	for name, folder := range map[string]string{
		"without certificates":     "",
		"that only trusts it":      ours.folder(t, false),
		"of another authority":     theirs.folder(t, true),
		"of another, trusting it":  mixed(t, theirs, ours),
		"trusting another, of its": mixed(t, ours, theirs),
	} {
		if q, err := Open(ctx, Options{URL: at, TLS: folder}); !errors.As(err, &away) {
			if err == nil {
				q.Close()
			}
			t.Errorf("a client %s is let in: %v", name, err)
		}
	}
	if _, err := Open(ctx, Options{URL: strings.Replace(at, "nats://", "nats://wrong", 1), TLS: ours.folder(t, true)}); !errors.As(err, &away) {
		t.Errorf("a client with a wrong token is let in: %v", err)
	}
	friend := open(t, Options{URL: at, TLS: ours.folder(t, true)})
	l := next(t, friend)
	if err := l.Finish(ctx, Done, nothing); err != nil {
		t.Fatal(err)
	}
	if list, err := open(t, Options{Store: store}).List(ctx, Filter{}); err != nil || len(list) != 1 || list[0].State != Done {
		t.Errorf("on the same machine: %v, %v", list, err)
	}
	if err := q.Close(); err != nil {
		t.Fatal(err)
	}
	if servedWith(store) != "" {
		t.Error("the closed store names certificates")
	}
	for folder, says := range map[string]string{t.TempDir(): "cert.pem and key.pem", ours.folder(t, false): "cert.pem and key.pem"} {
		if _, err := Open(ctx, Options{Store: t.TempDir(), TLS: folder}); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("served without a certificate: %v", err)
		}
	}
	if _, err := Open(ctx, Options{URL: at, TLS: t.TempDir()}); err == nil || !strings.Contains(err.Error(), "neither ca.pem nor cert.pem") {
		t.Errorf("an empty folder: %v", err)
	}
}

// mixed is a folder with a certificate of one authority that trusts another.
func mixed(t *testing.T, own, trusts *authority) string {
	dir := own.folder(t, true)
	write(t, dir+"/"+caFile, string(trusts.pem))
	return dir
}

// certify writes a certificate for this machine, signed by itself, and its key.
func certify(t *testing.T) (certificate, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	about := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "the farm"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	public, err := x509.CreateCertificate(rand.Reader, about, about, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	certificate = write(t, dir+"/cert.pem", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: public})))
	return certificate, write(t, dir+"/key.pem", string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret})))
}
