// Command login makes one call with a session.
package main

import (
	"context"
	"fmt"
	"os"

	"github.com/mangadex-go/mangadex/api"
	"github.com/mangadex-go/mangadex/authn"
)

func main() {
	if err := run(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	session, err := authn.New(authn.FromEnv())
	if err != nil {
		return err
	}
	client, err := api.New(api.Production, authn.Use(session))
	if err != nil {
		return err
	}
	me, err := client.GetCurrentUser(ctx)
	if err != nil {
		return err
	}
	fmt.Println(me.Data.Attributes.Username)
	return nil
}
