// Package apitest is a fake MangaDex: for tests, demonstrations, and work without a network.
//
//	srv := apitest.Start(t)
//	client, err := api.New(srv.URL, api.WithoutRateLimit())
//	list, err := client.SearchManga(ctx, &api.SearchMangaParams{Title: api.Ptr("kettle")})
//
// [Start] is for tests. A test fails when a request does not fit the specification, with the name of
// the parameter, or is for something that MangaDex does not have. [NewServer] is for everything else;
// examples/emulator is a program around it, for clients in any language.
//
// # What there is
//
// Every operation answers as MangaDex does, with its habits and its errors, and keeps its state: the
// catalogue (invented, the same for the same seed), follows, ratings, lists, drafts, uploads that end
// in chapters that can be read, and all the rest. An operation that the server knows from the document
// alone answers with an example that fits the document.
//
// The API, the auth server, the covers, the at-home nodes and the endpoint for reports on their
// pages are hosts of their own, as with MangaDex; [WithAddr] puts them on one address.
// [Server.Account] can log in:
//
//	session, err := authn.New(
//		authn.WithAPIServer(srv.URL), authn.WithAuthServer(srv.AuthURL),
//		authn.WithPersonalClient(srv.Account.ClientID, srv.Account.ClientSecret),
//		authn.WithPassword(srv.Account.Username, srv.Account.Password))
//
// [Server.Requests] shows what has arrived, [Server.State] and [Server.Tokens] look behind the
// answers and change what is there. [Server.Fail] makes things go wrong:
//
//	srv.Fail(apitest.Fault{Operation: "GetManga", Count: 2, Status: 503})
//
// The server goes by the clock that [WithClock] gives it. Within a bubble of [testing/synctest],
// use [WithoutNetwork] and [Server.Transport].
//
// # From the command line
//
// With go run ./examples/emulator -addr localhost:8931 in another terminal, this is a search:
//
//	$ curl -sg 'http://localhost:8931/manga?limit=1&title=kettle'
//	{"result":"ok","response":"collection","data":[{"id":"72dd3ddd-753b-43f8-9a53-bfb1587d2319","type":"manga",…"title":{"en":"Kurunu and the Midnight Kettle"},…],"limit":1,"offset":0,"total":…}
//
// The answer to a request that does not fit says what is wrong:
//
//	$ curl -sg 'http://localhost:8931/manga?limit=101'
//	{"errors":[{"context":null,"detail":"Error validating /limit: Must have a maximum value of 100","id":"…","status":400,"title":"validation_exception"}],"result":"error"}
//
// A login, and who has logged in:
//
//	$ curl -s http://localhost:8931/realms/mangadex/protocol/openid-connect/token -o token.json -w '%{http_code}\n' \
//	    -d grant_type=password -d username=reader -d password=password-of-reader \
//	    -d client_id=personal-client-02ff18f2-e90e-401b-af06-d065c74d2360-f1e2d3c4 -d client_secret=secret-of-reader
//	200
//	$ token=$(sed -E 's/.*"access_token":"([^"]*)".*/\1/' token.json)
//	$ curl -s http://localhost:8931/user/me -H "Authorization: Bearer $token"
//	{"result":"ok","response":"entity","data":{"id":"…","type":"user","attributes":{…"username":"reader",…},"relationships":[]}}
//
// The first page of a chapter:
//
//	$ curl -sg 'http://localhost:8931/chapter?limit=1&manga=72dd3ddd-753b-43f8-9a53-bfb1587d2319&order[chapter]=asc' -o chapter.json
//	$ chapter=$(sed -E 's/.*"data":\[\{"id":"([^"]*)".*/\1/' chapter.json)
//	$ curl -s http://localhost:8931/at-home/server/$chapter -o pages.json
//	$ page=$(sed -E 's|.*"baseUrl":"([^"]*)".*"hash":"([^"]*)","data":\["([^"]*)".*|\1/data/\2/\3|' pages.json)
//	$ curl -s $page -o 1.png -w '%{http_code} %{content_type}\n'
//	200 image/png
package apitest
