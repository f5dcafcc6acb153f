package fleet_test

import (
	"context"
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
	for password, want := range map[string]string{"right-secret": "", "wrong-secret": "WRONGPASS", "": "NOAUTH"} {
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
	const slots, servers = 16384, 3
	var addrs []string
	var all []*redis.Client
	for i := range servers {
		s := start(t, "--cluster-enabled", "yes")
		one := s.client(t)
		all, addrs = append(all, one), append(addrs, s.addr)
		if err := one.ClusterAddSlotsRange(t.Context(), i*slots/servers, (i+1)*slots/servers-1).Err(); err != nil {
			t.Fatal(err)
		}
		host, port, _ := net.SplitHostPort(addrs[0])
		if err := one.ClusterMeet(t.Context(), host, port).Err(); i > 0 && err != nil {
			t.Fatal(err)
		}
	}
	for _, one := range all {
		eventually(t, "the cluster comes up", func() bool {
			info, err := one.ClusterInfo(t.Context()).Result()
			return err == nil && strings.Contains(info, "cluster_state:ok") && strings.Contains(info, "cluster_known_nodes:3")
		})
	}
	client := redis.NewClusterClient(&redis.ClusterOptions{Addrs: addrs})
	t.Cleanup(func() { client.Close() })
	for _, prefix := range []string{"a", "b", "c", "d", "e"} { // which lie on different servers
		useAll(t, client, prefix)
	}
}

// useAll runs every script once.
func useAll(t *testing.T, client redis.UniversalClient, prefix string) {
	t.Helper()
	l := limiter(t, client, fleet.WithPrefix(prefix))
	giveBack, err := l.Reserve(t.Context(), transport.Call{Operation: "GetAtHomeServer", Limit: transport.Limit{Requests: 40, Per: time.Minute}}, time.Minute, nil)
	if err != nil {
		t.Fatal(err)
	}
	giveBack()
	l.Learn(transport.Call{Operation: "GetManga"}, transport.Feedback{Pause: time.Minute, All: true})
	var limited *transport.RateLimitError
	if err := l.Wait(t.Context(), transport.Call{Operation: "GetManga"}, time.Second); !errors.As(err, &limited) {
		t.Errorf("what was learned is not there: %v", err)
	}
	st, err := fleet.NewStore(client, prefix)
	if err != nil {
		t.Fatal(err)
	}
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
	if token, err := st.Load(t.Context()); err != nil || token.RefreshToken != "refresh" {
		t.Errorf("the store holds %q, %v", token.RefreshToken, err)
	}
}

func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	for range 600 {
		if is() {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Fatalf("it does not happen that %s", what)
}

// When the server that Sentinels watch is gone, the one that takes its place is used, with what was
// there.
func TestSentinel(t *testing.T) {
	t.Parallel()
	master := start(t)
	host, port, _ := net.SplitHostPort(master.addr)
	replica := start(t, "--replicaof", host+" "+port)
	config := filepath.Join(t.TempDir(), "sentinel.conf") // which it rewrites
	text := "sentinel monitor fleet " + host + " " + port + " 1\nsentinel down-after-milliseconds fleet 500\nsentinel failover-timeout fleet 5000\n"
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	sentinel := startEngine(t, "redis-server") // whose address it takes
	sentinel.down(t)
	_, sentinelPort, _ := net.SplitHostPort(sentinel.addr)
	sentinel.args = []string{sentinel.args[0], config, "--port", sentinelPort, "--bind", "127.0.0.1", "--sentinel"}
	sentinel.up(t)

	client := redis.NewFailoverClient(&redis.FailoverOptions{MasterName: "fleet", SentinelAddrs: []string{sentinel.addr}})
	t.Cleanup(func() { client.Close() })
	l, st := limiter(t, client), store(t, client)
	call := transport.Call{Operation: "GetManga"}
	if err := l.Wait(t.Context(), call, time.Minute); err != nil {
		t.Fatal(err)
	}
	if err := st.Save(t.Context(), authn.Token{RefreshToken: "refresh"}); err != nil {
		t.Fatal(err)
	}
	watcher := redis.NewSentinelClient(&redis.Options{Addr: sentinel.addr})
	t.Cleanup(func() { watcher.Close() })
	eventually(t, "the sentinel knows the replica, which has everything", func() bool {
		known, err := watcher.Replicas(t.Context(), "fleet").Result()
		there, _ := replica.client(t).Exists(t.Context(), "{login}:token").Result()
		return err == nil && len(known) == 1 && there == 1
	})
	master.down(t)
	eventually(t, "the replica takes over", func() bool { return l.Wait(t.Context(), call, time.Minute) == nil })
	if token, err := st.Load(t.Context()); err != nil || token.RefreshToken != "refresh" {
		t.Errorf("the store holds %q, %v", token.RefreshToken, err)
	}
	sentinel.down(t)
	replica.down(t)
	var away *fleet.UnavailableError
	if err := l.Wait(t.Context(), call, time.Minute); !errors.As(err, &away) || strings.Contains(err.Error(), "FailoverClient") {
		t.Errorf("got %v", err)
	}
	if _, err := st.Load(t.Context()); err == nil || strings.Contains(err.Error(), "FailoverClient") || strings.Contains(err.Error(), "at ,") {
		t.Errorf("got %v", err)
	}
}

// Redis that is away is an error that says so, and one that is back is used without anybody doing
// anything.
func TestRedisAway(t *testing.T) {
	t.Parallel()
	s := start(t)
	client := redis.NewClient(&redis.Options{Addr: s.addr, MaxRetries: -1})
	t.Cleanup(func() { client.Close() })
	l := limiter(t, client, fleet.WithTimeout(time.Minute)) // a connection that is refused is told at once
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

// A call costs one script, and of one core of Redis, on which thousands of them fit, this.
func BenchmarkCall(b *testing.B) {
	const calls = 20_000
	client := start(b).client(b)
	l, err := fleet.NewLimiter(client, fleet.WithRate(1000, time.Millisecond))
	if err != nil {
		b.Fatal(err)
	}
	processor := func() float64 { return usage(b, client, "cpu", `used_cpu_(?:user|sys)_main_thread:([0-9.]+)`) }
	for b.Loop() {
		if err := client.ConfigResetStat(b.Context()).Err(); err != nil {
			b.Fatal(err)
		}
		before := processor()
		for range calls {
			if err := l.Wait(b.Context(), transport.Call{Operation: "GetManga"}, time.Minute); err != nil {
				b.Fatal(err)
			}
		}
		took := (processor() - before) / calls
		b.ReportMetric(usage(b, client, "commandstats", `cmdstat_eval(?:sha)?:calls=([0-9]+)`)/calls, "scripts/call")
		b.ReportMetric(took*1e6, "Redis-µs/call")
		b.ReportMetric(1/took, "calls/s-of-a-core")
	}
	b.ReportMetric(0, "ns/op")
}

// BenchmarkLocal is what a call costs beside the round trip, which is left out here.
func BenchmarkLocal(b *testing.B) {
	client := redis.NewClient(&redis.Options{Addr: "127.0.0.1:1"})
	defer client.Close()
	client.AddHook(answerer{})
	l, err := fleet.NewLimiter(client)
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if err := l.Wait(b.Context(), transport.Call{Operation: "GetManga"}, time.Minute); err != nil {
			b.Fatal(err)
		}
	}
}

// An answerer answers in the place of Redis that a request may be sent at once.
type answerer struct{ passing }

// passing is what hooks have in common that look at single commands alone.
type passing struct{}

func (passing) DialHook(next redis.DialHook) redis.DialHook { return next }
func (passing) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return next
}

func (answerer) ProcessHook(redis.ProcessHook) redis.ProcessHook {
	return func(_ context.Context, cmd redis.Cmder) error {
		cmd.(*redis.Cmd).SetVal([]any{"place", int64(0), "1700000000000000", int64(-1), int64(0), "1"})
		return nil
	}
}
