// Package athome reads chapters: it fetches their pages from MangaDex@Home, a network of nodes
// that volunteers run, checks them, and keeps them as files or as a comic book archive.
//
//	chapter, err := athome.Open(ctx, client, id)
//	if err != nil {
//		return err
//	}
//	defer chapter.Close()
//	err = chapter.SaveCBZ(ctx, "chapter.cbz") // or Save, for a folder of files
//
// [Chapter.All] hands the pages out in reading order and fetches ahead while they are used:
//
//	for image, err := range chapter.All(ctx) {
//		if err != nil {
//			return err
//		}
//		show(image.Data)
//	}
//
// # Nodes
//
// A page counts as whole when the status is 200, it is a picture, it is as long as the node said, and
// its SHA-256 is the one in its name; if the name has none, its head and end must belong together.
// Otherwise it is fetched again: at most three times from a node, and from at most three nodes. A node
// that refuses (401, 403, 410), cannot be reached, stays silent or is too slow ([WithSlowest]) is left
// at once, and so is one whose address is older than a quarter of an hour. A node that says when to
// come back is asked again then; if that takes long, another node is asked. Asking the API for another
// node counts towards a limit of 40 a minute, so pages that fail at the same time share the next node.
//
// Redirects of nodes are followed, but into a private network only if the node is in one.
//
// Requests to nodes carry no token: the request editors and the middleware of the [api.Client] do not
// see them. They go through its base transport, the one below the limits, with its User-Agent, unless
// [WithHTTPClient] and [WithUserAgent] say otherwise. So a base transport must not put a token on every
// request; package authn puts it on requests to the API only.
//
// # Files that are there
//
// [Chapter.Save] and [Chapter.SaveCBZ] compare what is there with the pages that the chapter has now: whole
// pages are kept, wherever they are, wrong and missing ones are fetched, and those that the chapter no longer
// has are removed. [Check] only compares, and needs no network. [WithFallback] and [WithGaps] say what to do
// about pages that cannot be had.
//
// # Archives
//
// [Chapter.SaveCBZ] and [Chapter.WriteCBZ] put ComicInfo.xml beside the pages, in the form of its
// schema 2.1: readers such as Komga and Kavita take the series, the number, the volume, the language
// and the groups from it. With [WithTitle] it also names who wrote and who drew the title; if
// [WithDetails] has the groups, that takes no further request. Names and descriptions of titles change
// over the years; the next SaveCBZ updates the archive, without fetching pages that are right.
//
// # Reports
//
// MangaDex asks clients to report how every page arrived from a node that is not its own. Reports
// are sent in the background and never delay or fail a download; see [WithoutReports].
//
// # Covers
//
// [Covers] fetches covers and their thumbnails, with the same checks.
package athome
