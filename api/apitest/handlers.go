package apitest

import "github.com/google/uuid"

// handlers are the operations that know the state, by id. The others, such as those that are new in
// the document, answer with an example that fits the specification.
var handlers = map[string]handler{
	"Ping":         ping,
	"SolveCaptcha": solveCaptcha,

	"LegacyLogin":         login,
	"LegacyRefresh":       refreshSession,
	"LegacyLogout":        logout,
	"CheckAuth":           checkAuth,
	"GetCurrentUser":      getCurrentUser,
	"ListUsers":           listUsers,
	"GetUser":             show((*call).userOf),
	"DeleteUser":          deleteUser,
	"ConfirmUserDeletion": confirmUserDeletion,

	"SearchManga":              searchManga,
	"GetManga":                 show((*call).mangaOf),
	"GetRandomManga":           getRandomManga,
	"CreateManga":              createManga,
	"UpdateManga":              updateManga,
	"DeleteManga":              deleteManga,
	"ListMangaDrafts":          listMangaDrafts,
	"GetMangaDraft":            show((*call).draftOf),
	"CommitMangaDraft":         commitMangaDraft,
	"ListTags":                 listTags,
	"GetMangaAggregate":        getMangaAggregate,
	"GetMangaFeed":             getMangaFeed,
	"ListMangaRelations":       listMangaRelations,
	"CreateMangaRelation":      createMangaRelation,
	"DeleteMangaRelation":      deleteMangaRelation,
	"ListMangaRecommendations": listMangaRecommendations,

	"ListChapters":    listChapters,
	"GetChapter":      show((*call).chapterOf),
	"UpdateChapter":   updateChapter,
	"DeleteChapter":   deleteChapter,
	"GetAtHomeServer": getAtHomeServer,

	"ListAuthors":  listAuthors,
	"GetAuthor":    show((*call).authorOf),
	"CreateAuthor": createAuthor,
	"UpdateAuthor": updateAuthor,
	"DeleteAuthor": deleteAuthor,

	"ListGroups":  listGroups,
	"GetGroup":    show((*call).groupOf),
	"CreateGroup": createGroup,
	"UpdateGroup": updateGroup,
	"DeleteGroup": deleteGroup,

	"ListCovers":  listCovers,
	"GetCover":    getCover,
	"UploadCover": uploadCover,
	"UpdateCover": updateCover,
	"DeleteCover": deleteCover,

	"FollowManga":             followManga(true),
	"UnfollowManga":           followManga(false),
	"FollowGroup":             followGroup(true),
	"UnfollowGroup":           followGroup(false),
	"FollowCustomList":        followCustomList(true),
	"UnfollowCustomList":      followCustomList(false),
	"ListFollowedManga":       listFollowedManga,
	"ListFollowedGroups":      listFollowedGroups,
	"ListFollowedUsers":       listFollowedUsers,
	"ListFollowedCustomLists": listFollowedCustomLists,
	"GetFollowedMangaFeed":    getFollowedMangaFeed,
	"CheckFollowedManga":      checkFollowed(func(l *Library) []uuid.UUID { return l.Manga }),
	"CheckFollowedGroup":      checkFollowed(func(l *Library) []uuid.UUID { return l.Groups }),
	"CheckFollowedUser":       checkFollowed(func(l *Library) []uuid.UUID { return l.Users }),
	"CheckFollowedCustomList": checkFollowed(func(l *Library) []uuid.UUID { return l.Lists }),

	"ListReadingStatuses": listReadingStatuses,
	"GetReadingStatus":    getReadingStatus,
	"SetReadingStatus":    setReadingStatus,
	"ListRatings":         listRatings,
	"SetRating":           setRating,
	"DeleteRating":        deleteRating,
	"ListReadMarkers":     listReadMarkers,
	"GetMangaReadMarkers": getMangaReadMarkers,
	"SetMangaReadMarkers": setMangaReadMarkers,
	"GetReadingHistory":   getReadingHistory,

	"CreateCustomList":          createCustomList,
	"GetCustomList":             show((*call).listOf),
	"UpdateCustomList":          updateCustomList,
	"DeleteCustomList":          deleteCustomList,
	"GetCustomListFeed":         getCustomListFeed,
	"AddMangaToCustomList":      putInCustomList(true),
	"RemoveMangaFromCustomList": putInCustomList(false),
	"ListOwnCustomLists":        listOwnCustomLists,
	"ListUserCustomLists":       listUserCustomLists,

	"GetUploadSession":    getUploadSession,
	"BeginUpload":         beginUpload,
	"BeginChapterEdit":    beginChapterEdit,
	"CheckUploadApproval": checkUploadApproval,
	"UploadPages":         uploadPages,
	"DeleteUploadedPage":  deleteUploadedPage,
	"DeleteUploadedPages": deleteUploadedPages,
	"CommitUpload":        commitUpload,
	"AbandonUpload":       abandonUpload,

	"ListMangaStatistics":   listStatistics("manga[]", mangaStatistics(false)),
	"GetMangaStatistics":    getStatistics("Manga", mangaStatistics(true)),
	"ListChapterStatistics": listStatistics("chapter[]", (*call).chapterStatistics),
	"GetChapterStatistics":  getStatistics("Chapter", (*call).chapterStatistics),
	"ListGroupStatistics":   listStatistics("group[]", (*call).groupStatistics),
	"GetGroupStatistics":    getStatistics("Scanlation group", (*call).groupStatistics),
	"CreateForumThread":     createForumThread,

	"ListReportReasons": listReportReasons,
	"ListReports":       listReports,
	"CreateReport":      createReport,

	"ListAPIClients":            listAPIClients,
	"CreateAPIClient":           createAPIClient,
	"GetAPIClient":              show((*call).clientOf),
	"UpdateAPIClient":           updateAPIClient,
	"DeleteAPIClient":           deleteAPIClient,
	"GetAPIClientSecret":        getAPIClientSecret,
	"RegenerateAPIClientSecret": regenerateAPIClientSecret,

	"GetSettings":                getSettings,
	"UpdateSettings":             updateSettings,
	"GetSettingsTemplate":        getSettingsTemplate,
	"GetSettingsTemplateVersion": getSettingsTemplateVersion,
	"CreateSettingsTemplate":     createSettingsTemplate,

	"MapLegacyIDs": mapLegacyIDs,
}

func ping(c *call) ([]byte, error) {
	c.contentType = contentPlain
	return []byte("pong"), nil
}
