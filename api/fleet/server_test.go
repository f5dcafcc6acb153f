package fleet_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/mangadex-go/mangadex/api/fleet"
	"github.com/mangadex-go/mangadex/api/transport"
	"github.com/mangadex-go/mangadex/authn"
)

// A password that is wrong or missing is an error that names the server, and no secret.
func TestPassword(t *testing.T) {
	t.Parallel()
	s := start(t, "--requirepass", "right-secret")
	for password, want := range map[string]string{"right-secret": "", "wrong-secret": "WRONGPASS", "": "auth"} {
		client := redis.NewClient(&redis.Options{Addr: s.addr, Password: password})
		t.Cleanup(func() { client.Close() })
		err := limiter(t, client).Wait(t.Context(), transport.Call{Operation: "GetManga"}, time.Minute)
		_, loadErr := store(t, client).Load(t.Context())
		if want == "" {
			if err != nil || loadErr != nil {
				t.Errorf("the right one: %v, %v", err, loadErr)
			}
			continue
		}
		var away *fleet.UnavailableError
		if !errors.As(err, &away) || away.Server != s.addr {
			t.Errorf("%q: got %v, want an UnavailableError", password, err)
		}
		for _, err := range []error{err, loadErr} {
			if err == nil || !strings.Contains(err.Error(), s.addr) || !strings.Contains(strings.ToLower(err.Error()), strings.ToLower(want)) || strings.Contains(err.Error(), "secret") {
				t.Errorf("%q: got %v", password, err)
			}
		}
	}
}

func TestTLS(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	certFile, keyFile := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	for name, block := range map[string]*pem.Block{certFile: {Type: "CERTIFICATE", Bytes: der}, keyFile: {Type: "PRIVATE KEY", Bytes: private}} {
		if err := os.WriteFile(name, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	addr := freePort(t)
	_, port, _ := net.SplitHostPort(addr)
	start(t, "--tls-port", port, "--tls-cert-file", certFile, "--tls-key-file", keyFile, "--tls-ca-cert-file", certFile, "--tls-auth-clients", "no")
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
	client := redis.NewClient(&redis.Options{Addr: addr, TLSConfig: &tls.Config{RootCAs: pool}})
	t.Cleanup(func() { client.Close() })
	if err := limiter(t, client).Wait(t.Context(), transport.Call{Operation: "GetManga"}, time.Minute); err != nil {
		t.Error(err)
	}
	if err := store(t, client).Save(t.Context(), authn.Token{RefreshToken: "refresh"}); err != nil {
		t.Error(err)
	}
}

// All keys of a budget and of a login lie in one slot, so that a cluster runs the scripts.
func TestCluster(t *testing.T) {
	t.Parallel()
	s := start(t, "--cluster-enabled", "yes")
	single := s.client(t)
	if err := single.ClusterAddSlotsRange(t.Context(), 0, 16383).Err(); err != nil {
		t.Fatal(err)
	}
	client := redis.NewClusterClient(&redis.ClusterOptions{Addrs: []string{s.addr}})
	t.Cleanup(func() { client.Close() })
	for range 100 { // until the cluster is up
		if info, err := single.ClusterInfo(t.Context()).Result(); err == nil && strings.Contains(info, "cluster_state:ok") {
			break
		}
		time.Sleep(50 * time.Millisecond)
	}
	l := limiter(t, client)
	giveBack, err := l.Reserve(t.Context(), transport.Call{Operation: "GetAtHomeServer", Limit: transport.Limit{Requests: 40, Per: time.Minute}}, time.Minute, nil)
	if err != nil {
		t.Fatal(err)
	}
	giveBack()
	l.Learn(transport.Call{Operation: "GetManga"}, transport.Feedback{Pause: time.Minute, All: true})
	st := store(t, client)
	unlock, err := st.Lock(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := st.Save(t.Context(), authn.Token{RefreshToken: "refresh"}); err != nil {
		t.Error(err)
	}
	if err := unlock(); err != nil {
		t.Error(err)
	}
}

// Redis that is away is an error that says so, and one that is back is used without anybody doing
// anything.
func TestRedisAway(t *testing.T) {
	t.Parallel()
	s := start(t)
	client := redis.NewClient(&redis.Options{Addr: s.addr, MaxRetries: -1, DialTimeout: 200 * time.Millisecond})
	t.Cleanup(func() { client.Close() })
	l := limiter(t, client, fleet.WithTimeout(300*time.Millisecond))
	call := transport.Call{Operation: "GetManga"}
	if err := l.Wait(t.Context(), call, time.Minute); err != nil {
		t.Fatal(err)
	}
	s.down(t)
	var away *fleet.UnavailableError
	if err := l.Wait(t.Context(), call, time.Minute); !errors.As(err, &away) || !strings.Contains(err.Error(), "not sent") || !strings.Contains(err.Error(), s.addr) {
		t.Errorf("got %v", err)
	}
	s.up(t)
	for range 200 {
		if err := l.Wait(t.Context(), call, time.Minute); err == nil {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Error("it does not find Redis again")
}

// A call costs one round trip.
func BenchmarkWait(b *testing.B) {
	addr := os.Getenv("FLEET_REDIS")
	if addr == "" {
		b.Skip("give the address of a Redis server in FLEET_REDIS")
	}
	client := redis.NewClient(&redis.Options{Addr: addr})
	defer client.Close()
	call := transport.Call{Operation: "GetManga"}
	b.Run("limiter", func(b *testing.B) {
		l, err := fleet.NewLimiter(client, fleet.WithPrefix("bench"), fleet.WithRate(1000, time.Millisecond))
		if err != nil {
			b.Fatal(err)
		}
		for b.Loop() {
			if err := l.Wait(b.Context(), call, time.Minute); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("an empty script", func(b *testing.B) {
		script := redis.NewScript("return {'place', 0, '0', 0, 0}")
		for b.Loop() {
			if err := script.Run(b.Context(), client, []string{"a", "b"}, "member", 1, 2, 3, 4, 5, 6, 7, 8).Err(); err != nil {
				b.Fatal(err)
			}
		}
	})
}
