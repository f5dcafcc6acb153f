package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/mangadex-go/mangadex/api/fleet"
	"github.com/mangadex-go/mangadex/api/transport"
	"github.com/mangadex-go/mangadex/examples/internal/command"
)

// A sharedLimiter shares the allowance with other processes.
type sharedLimiter struct {
	*fleet.Limiter
	redis *redis.Client
}

// shareAllowance connects to the Redis server at an address.
func shareAllowance(ctx context.Context, address string) (sharedLimiter, error) {
	options, err := redis.ParseURL(address)
	if err != nil { // which may have the password in it
		return sharedLimiter{}, command.Usagef("-fleet is not an address like redis://:password@host:6379")
	}
	redis.SetLogger(silence{}) // what it tells is in the errors
	client := redis.NewClient(options)
	asking, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	if err := client.Ping(asking).Err(); err != nil {
		client.Close()
		//nolint:errorlint // a connection in it would be taken for that to MangaDex
		return sharedLimiter{}, fmt.Errorf("the Redis server of -fleet at %s cannot be asked; check that it runs, its password, and whether it wants rediss:// instead of redis://: %v", options.Addr, err)
	}
	limiter, err := fleet.NewLimiter(client)
	return sharedLimiter{limiter, client}, err
}

// Close ends the connections.
func (l sharedLimiter) Close() { _ = l.redis.Close() }

// Reserve implements [transport.Reserver].
func (l sharedLimiter) Reserve(ctx context.Context, call transport.Call, maxWait time.Duration, waiting func(time.Time)) (func(), error) {
	giveBack, err := l.Limiter.Reserve(ctx, call, maxWait, waiting)
	var away *fleet.UnavailableError
	if errors.As(err, &away) {
		err = errors.New(away.Error()) // likewise
	}
	return giveBack, err
}

// silence takes what go-redis would write to the terminal.
type silence struct{}

func (silence) Printf(context.Context, string, ...any) {}
