// Package api is a client for the API of MangaDex, with a typed method for each of its operations.
//
//	client, err := api.New(api.Production, api.WithUserAgent("shelf/1.2 (+https://shelf.example)"))
//	if err != nil {
//		return err
//	}
//	manga, err := client.GetManga(ctx, id, &api.GetMangaParams{
//		Includes: []api.Include{api.IncludeAuthor, api.IncludeCoverArt},
//	})
//	if err != nil {
//		return err
//	}
//	fmt.Println(manga.Data.Attributes.Title.In("en", "ja-ro"))
//	for _, author := range manga.Data.Relationships.Authors() {
//		if author.Attributes != nil { // nil for an author who was deleted
//			fmt.Println(author.Attributes.Name)
//		}
//	}
//
// # Where to begin
//
//   - [New] makes a [Client]; the options begin with With, such as [WithUserAgent] and [WithLogger].
//   - [Client.SearchManga], [Client.GetManga], [Client.GetMangaFeed], [Client.GetChapter]: titles and their
//     chapters. [Client.SearchMangaAll] and its like walk over all pages.
//   - [Client.GetMangaByIDs] and its like take any number of ids.
//   - [Relationships]: authors, cover and groups, with what [Include] asked for.
//   - [Client.FollowManga], [Client.SetReadingStatus], [Client.SetRating], [Client.MarkChapters]: what a user
//     keeps. [Client.EditManga] and its like change what is there.
//   - [Error], [MayBeDone], [Found] and ErrNotFound and its like: what went wrong.
//   - [Client.Do]: operations that this package does not know yet.
//
// Package authn logs in. The packages below this one do what takes many calls: athome reads
// chapters, reading puts them in order, upload publishes them, library reads what a user follows.
// Package apitest is a fake MangaDex for tests.
//
// # Calls
//
// A method takes a context, the parameters of the path, those of the query as a pointer to a struct
// (nil for none), and the body. A field of the query that is nil or empty is not sent; [Ptr] makes the
// pointers. A method returns the decoded answer, or only an error where the answer says nothing.
// Request editors at the end of a call change that request; those of [WithRequestEditorFn] change every
// request.
//
// A field of an edit that can be cleared tells three things apart: its zero value leaves it as it
// is, [Null] clears it, and [Value] sets it. A list that is nil is left as it is, and an empty one
// clears it. What has a version must be edited with the current one; [Client.EditCustomList] and
// its like read it, and try again once if it was no longer current.
//
// What may be null in an answer is a pointer, and has a getter that returns the value, or its zero
// value for null: chapter.Attributes.GetTitle(). Answers, parameters and bodies print as JSON.
//
// # Lists
//
// An operation that answers in pages also has a method that ends in All and walks over every
// result:
//
//	for chapter, err := range client.GetMangaFeedAll(ctx, id, nil) {
//		if err != nil {
//			return err
//		}
//		…
//	}
//
// The server shows at most 10,000 results of a list; if there are more, the error is
// [ErrTooManyResults]. [Client.GetMangaByIDs] and its like take any number of ids.
//
// Searches leave out pornographic titles, and lists of chapters leave out their chapters, unless the
// parameter ContentRating says otherwise.
//
// # Limits and repetitions
//
// MangaDex allows about five requests a second for each address, and less for some operations. A
// client waits as long as it must, and repeats what failed and is safe to repeat. See package
// transport for the rules, [WithTransport] for its options, [WithoutRateLimit] and [WithoutRetry].
// Programs that run beside each other should share one limiter.
//
// # Errors
//
// An answer that is not a success is an *[Error], with the reasons of the server and the id of the
// request. [errors.Is] tells what it is: [ErrNotFound], [ErrForbidden] and the others. An answer that
// is not JSON is an *[Error], too ([ErrNotJSON]).
//
// # What the server may send
//
// Answers are decoded with patience. Members that this package does not know are kept in Extra, and
// written again by [encoding/json]. Unknown values of enums and unknown types of relationships are kept
// as they are. An empty map may come as [], a list with holes as an object. A null becomes the zero
// value of a time, an id, an enum, a list or a map, and nil for everything else.
//
// # Names
//
// Operations have the names of the methods. A type XList is a page, XResponse is one resource in its
// envelope, XAttributes is what the server says of it; XCreate and XEdit are bodies of requests. Types
// and methods are generated from the document of MangaDex and our corrections to it, with oapi-codegen.
// For an operation that this package does not know yet, [Client.Do] sends the caller's own request in
// the same way.
package api
