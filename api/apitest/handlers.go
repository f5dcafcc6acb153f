package apitest

// handlers are the operations that know the state, by id. The others, such as those that are new in
// the document, answer with an example that fits the specification.
var handlers = map[string]handler{
	"Ping": ping,

	"Login":          login,
	"RefreshSession": refreshSession,
	"Logout":         logout,
	"CheckAuth":      checkAuth,
	"GetCurrentUser": getCurrentUser,

	"SearchManga":        searchManga,
	"GetManga":           getManga,
	"GetRandomManga":     getRandomManga,
	"ListTags":           listTags,
	"GetMangaAggregate":  getMangaAggregate,
	"GetMangaFeed":       getMangaFeed,
	"ListMangaRelations": listMangaRelations,

	"ListChapters":    listChapters,
	"GetChapter":      getChapter,
	"ListAuthors":     listAuthors,
	"GetAuthor":       getAuthor,
	"ListGroups":      listGroups,
	"GetGroup":        getGroup,
	"ListCovers":      listCovers,
	"GetCover":        getCover,
	"GetAtHomeServer": getAtHomeServer,

	"ListMangaStatistics":   listMangaStatistics,
	"GetMangaStatistics":    getMangaStatistics,
	"ListChapterStatistics": listChapterStatistics,
	"GetChapterStatistics":  getChapterStatistics,
	"ListGroupStatistics":   listGroupStatistics,
	"GetGroupStatistics":    getGroupStatistics,
}

func ping(c *call) ([]byte, error) {
	c.contentType = contentPlain
	return []byte("pong"), nil
}
