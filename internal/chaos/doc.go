// Package chaos tests calls through everything that can go wrong on the way to MangaDex: with HTTP/1.1
// and HTTP/2, through proxies, in fake time, and once on real sockets.
package chaos
