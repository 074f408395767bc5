package farm

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// A folder of certificates, in PEM: the authority that both sides trust, and the
// certificate of this side with its key.
const (
	caFile   = "ca.pem"
	certFile = "cert.pem"
	keyFile  = "key.pem"
)

// CertificateError says that a folder of certificates cannot be used.
type CertificateError struct{ Err error }

func (e *CertificateError) Error() string { return e.Err.Error() }
func (e *CertificateError) Unwrap() error { return e.Err }

// clientTLS returns the TLS configuration of a client. ca.pem has the authority to trust,
// by default the system's; cert.pem and key.pem, if present, are the client's certificate.
func clientTLS(folder string) (*tls.Config, error) {
	pool, err := authorities(folder)
	if err != nil {
		return nil, err
	}
	config := &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: pool}
	certificate, err := ownCertificate(folder)
	switch {
	case err == nil:
		config.Certificates = []tls.Certificate{certificate}
	case !errors.Is(err, fs.ErrNotExist):
		return nil, err
	case pool == nil:
		return nil, fmt.Errorf("the folder %q has neither %s nor %s with %s", folder, caFile, certFile, keyFile)
	}
	return config, nil
}

// serverTLS returns the TLS configuration of a server, with cert.pem and key.pem. If there
// is a ca.pem, it accepts only clients whose certificate that authority signed.
func serverTLS(folder string) (*tls.Config, error) {
	certificate, err := ownCertificate(folder)
	if err != nil {
		return nil, err
	}
	pool, err := authorities(folder)
	if err != nil {
		return nil, err
	}
	config := &tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{certificate}}
	if pool != nil {
		config.ClientCAs, config.ClientAuth = pool, tls.RequireAndVerifyClientCert
	}
	return config, nil
}

func ownCertificate(folder string) (tls.Certificate, error) {
	c, err := tls.LoadX509KeyPair(filepath.Join(folder, certFile), filepath.Join(folder, keyFile))
	if err != nil {
		return c, fmt.Errorf("%s and %s of %q cannot be used: %w", certFile, keyFile, folder, err)
	}
	return c, nil
}

// authorities returns the authorities of ca.pem, or nil if there is no such file.
func authorities(folder string) (*x509.CertPool, error) {
	text, err := os.ReadFile(filepath.Join(folder, caFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(text) {
		return nil, fmt.Errorf("%s of %q holds no certificate", caFile, folder)
	}
	return pool, nil
}
