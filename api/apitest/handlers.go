package apitest

// handlers are the operations that know the state, by id. The others, such as those that are new in
// the document, answer with an example that fits the specification.
var handlers = map[string]handler{
	"Ping": func(*call) ([]byte, error) { return []byte("pong"), nil },

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
