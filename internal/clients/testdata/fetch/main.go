// Fetch makes a call with the defaults of the library.
package main

import (
	"context"
	"fmt"
	"os"

	"github.com/mangadex-go/mangadex/api"
)

func main() {
	client, err := api.New(os.Args[1])
	if err == nil {
		var tags *api.TagList
		if tags, err = client.ListTags(context.Background()); err == nil {
			fmt.Println(len(tags.Data), "tags")
			return
		}
	}
	fmt.Println(err)
	os.Exit(1)
}
