// Command one makes one call.
package main

import (
	"context"
	"fmt"
	"os"

	"github.com/mangadex-go/mangadex/api"
)

func main() {
	client, err := api.New(api.Production)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	list, err := client.SearchManga(context.Background(), nil)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println(len(list.Data))
}
