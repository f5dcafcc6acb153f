// The module of somebody who uses this one.
module example.test/consumer

go 1.26.0

require github.com/mangadex-go/mangadex v0.0.0

replace github.com/mangadex-go/mangadex => ../../..
