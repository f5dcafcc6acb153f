package apitest

import "github.com/google/uuid"

// handlers are the operations that know the state, by id. The others, such as those that are new in
// the document, answer with an example that fits the specification.
var handlers = map[string]handler{
	"Ping":         ping,
	"SolveCaptcha": solveCaptcha,

	"Login":               login,
	"RefreshSession":      refreshSession,
	"Logout":              logout,
	"CheckAuth":           checkAuth,
	"GetCurrentUser":      getCurrentUser,
	"ListUsers":           listUsers,
	"GetUser":             getUser,
	"DeleteUser":          deleteUser,
	"ConfirmUserDeletion": confirmUserDeletion,

	"SearchManga":              searchManga,
	"GetManga":                 getManga,
	"GetRandomManga":           getRandomManga,
	"CreateManga":              createManga,
	"UpdateManga":              updateManga,
	"DeleteManga":              deleteManga,
	"ListMangaDrafts":          listMangaDrafts,
	"GetMangaDraft":            getMangaDraft,
	"CommitMangaDraft":         commitMangaDraft,
	"ListTags":                 listTags,
	"GetMangaAggregate":        getMangaAggregate,
	"GetMangaFeed":             getMangaFeed,
	"ListMangaRelations":       listMangaRelations,
	"CreateMangaRelation":      createMangaRelation,
	"DeleteMangaRelation":      deleteMangaRelation,
	"ListMangaRecommendations": listMangaRecommendations,

	"ListChapters":    listChapters,
	"GetChapter":      getChapter,
	"UpdateChapter":   updateChapter,
	"DeleteChapter":   deleteChapter,
	"GetAtHomeServer": getAtHomeServer,

	"ListAuthors":  listAuthors,
	"GetAuthor":    getAuthor,
	"CreateAuthor": createAuthor,
	"UpdateAuthor": updateAuthor,
	"DeleteAuthor": deleteAuthor,

	"ListGroups":  listGroups,
	"GetGroup":    getGroup,
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
	"GetCustomList":             getCustomList,
	"UpdateCustomList":          updateCustomList,
	"DeleteCustomList":          deleteCustomList,
	"GetCustomListFeed":         getCustomListFeed,
	"AddMangaToCustomList":      addMangaToCustomList,
	"RemoveMangaFromCustomList": removeMangaFromCustomList,
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

	"ListMangaStatistics":   listMangaStatistics,
	"GetMangaStatistics":    getMangaStatistics,
	"ListChapterStatistics": listChapterStatistics,
	"GetChapterStatistics":  getChapterStatistics,
	"ListGroupStatistics":   listGroupStatistics,
	"GetGroupStatistics":    getGroupStatistics,
	"CreateForumThread":     createForumThread,

	"ListReportReasons": listReportReasons,
	"ListReports":       listReports,
	"CreateReport":      createReport,

	"ListAPIClients":            listAPIClients,
	"CreateAPIClient":           createAPIClient,
	"GetAPIClient":              getAPIClient,
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
