package main

import (
	"context"

	"github.com/google/uuid"

	"github.com/mangadex-go/mangadex/api"
	"github.com/mangadex-go/mangadex/authn"
)

func login(ctx context.Context, clientID, clientSecret, username, password, tokenFile string, mangaID uuid.UUID) error {
	session, err := authn.New(
		authn.WithPersonalClient(clientID, clientSecret),
		authn.WithPassword(username, password),         // used when there is no refresh token, or it is refused
		authn.WithStore(authn.NewFileStore(tokenFile)), // keeps the refresh token for the next run
	)
	if err != nil {
		return err
	}
	defer session.Close()
	client, err := api.New(api.Production, authn.Use(session))
	if err != nil {
		return err
	}
	err = client.FollowManga(ctx, mangaID)
	return err
}
