package fleet_test

import (
	"context"
	"fmt"
	"log"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"

	"github.com/mangadex-go/mangadex/api"
	"github.com/mangadex-go/mangadex/api/apitest"
	"github.com/mangadex-go/mangadex/api/fleet"
	"github.com/mangadex-go/mangadex/api/transport"
	"github.com/mangadex-go/mangadex/authn"
)

// Each process does this, and all of them have one allowance and one login between them. Where nothing is
// kept yet, the first one logs in with the password.
func Example() {
	server, account, address, stop := exampleServers() // a program for MangaDex uses api.Production, and redis://host:6379
	defer stop()

	options, err := redis.ParseURL(address) // with a password redis://:password@host:6379, with TLS rediss://…
	if err != nil {
		log.Fatal(err)
	}
	shared := redis.NewClient(options)
	defer shared.Close()
	limiter, err := fleet.NewLimiter(shared, fleet.WithPrefix("mangadex-203-0-113-7")) // the address that MangaDex sees
	if err != nil {
		log.Fatal(err)
	}
	store, err := fleet.NewStore(shared, "mangadex-login")
	if err != nil {
		log.Fatal(err)
	}
	session, err := authn.New(account, authn.WithStore(store))
	if err != nil {
		log.Fatal(err)
	}
	client, err := api.New(server, authn.Use(session), api.WithTransport(transport.WithLimiter(limiter)))
	if err != nil {
		log.Fatal(err)
	}
	me, err := client.GetCurrentUser(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(me.Data.Attributes.Username)
	// Output: reader
}

// exampleServers are servers that an example can talk to.
func exampleServers() (server string, account authn.Option, address string, stop func()) {
	fake, err := apitest.NewServer()
	if err != nil {
		log.Fatal(err)
	}
	memory, err := miniredis.Run()
	if err != nil {
		log.Fatal(err)
	}
	a := fake.Account
	account = authn.Options(authn.WithAPIServer(fake.URL), authn.WithAuthServer(fake.AuthURL),
		authn.WithPersonalClient(a.ClientID, a.ClientSecret), authn.WithPassword(a.Username, a.Password))
	return fake.URL, account, "redis://" + memory.Addr(), func() { memory.Close(); fake.Close() }
}
