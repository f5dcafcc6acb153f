// Command agent says what a program calls itself.
package main

import (
	"fmt"

	"github.com/mangadex-go/mangadex/api/transport"
)

func main() { fmt.Println(transport.Product()) }
