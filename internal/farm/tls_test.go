//go:build !noserver

package farm

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
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
		q := open(t, Options{URL: url, Secret: "a secret of theirs", Wait: patient})
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
		authorization { token: "a secret of theirs" }
		tls { cert_file: %q, key_file: %q }
		jetstream { store_dir: %q, max_file_store: 1GB, max_memory_store: 64MB }
	`, certificate, key, t.TempDir()))
	for _, scheme := range []string{"tls://", "nats://"} {
		url := scheme + srv.Addr().String()
		_, err := Open(t.Context(), Options{URL: url, Secret: "a secret of theirs"})
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
