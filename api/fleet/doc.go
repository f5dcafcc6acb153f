// Package fleet lets several processes share what MangaDex gives to one address, on a Redis server,
// version 6 or newer, or Valkey. It is a module of its own, so that only programs that use it have
// Redis among their dependencies.
//
// MangaDex counts requests by address: the pods of a cluster behind one gateway, a bot beside a web
// site, ten cron jobs have one allowance between them. A [Limiter] hands it out:
//
//	client := redis.NewClient(&redis.Options{Addr: "localhost:6379"}) // of github.com/redis/go-redis/v9
//	limiter, err := fleet.NewLimiter(client)
//	…
//	c, err := api.New(api.Production, api.WithTransport(transport.WithLimiter(limiter)))
//
// And MangaDex gives out a new refresh token with each renewal, and ends the login when an old one
// is used again. A [Store] keeps the token for all, and lets one of them renew it at a time:
//
//	store, err := fleet.NewStore(client, "mangadex-login")
//	…
//	session, err := authn.New(authn.WithStore(store), …)
//
// # How requests are spread
//
// Each process has a queue for every allowance, and only the first of a queue asks Redis for a place:
// one script, one round trip, after which it waits for its time. So processes that are equally busy get
// equal shares. A call whose own allowance is used up gets a place far ahead and leaves the earlier
// ones to others. Each call of its process renews that place; so seconds after a process is killed,
// others get the place, and only the next place of the process is lost. A process that is stopped for
// longer than its place lasts takes another. All times are those of the clock of Redis; those of the
// machines do not matter.
//
// # When Redis is away
//
// Nothing is sent, and the error is an [UnavailableError]; or, with [WithLocalShare], each process goes
// on with its part of the allowance, in turns that were agreed on before. When Redis is back, so is the
// limiter. A local share is for times when Redis is away for all: if only some processes cannot reach
// it, these send their parts on top of what the others send.
//
// # What is in Redis
//
// Under the prefix, which is in braces, so that a cluster keeps all of it in one place: a hash with
// pauses and learned limits, and a sorted set for each allowance with the times of requests. Names
// of operations are in there, and nothing of what is asked for or answered. All of it expires by
// itself. A [Store] has its token in there, in the clear unless [WithKey] is given.
//
// If Redis loses it (it was restarted without its data or with older ones, flushed, its clock was set back,
// or a replica took over), each process tells it with its next call what it was given; the first one has
// all of them wait for that. A token that is lost takes a login with a password: let Redis write to its
// disk (appendonly yes), and evict nothing (maxmemory-policy noeviction). A user of Redis needs the rights
// +@read +@write +@scripting +@connection +time on the keys that begin with the prefix or the key in
// braces.
//
// # Larger fleets
//
// A call costs Redis one command. The allowance is the first limit: of 200 processes behind one
// address, each gets a request every 40 seconds. With several addresses, give each a prefix of its own.
// SCALE.md beside this file has figures of 200 clients.
package fleet
