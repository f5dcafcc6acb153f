package apitest_test

import (
	"errors"
	"testing"

	"github.com/google/uuid"

	"github.com/mangadex-go/mangadex/api"
	"github.com/mangadex-go/mangadex/api/apitest"
)

// What an account without a group uploads waits for a moderator.
func TestModeration(t *testing.T) {
	t.Parallel()
	srv := apitest.Start(t, apitest.WithoutNetwork(), apitest.WithAccount(apitest.Account{Username: "newcomer", Permissions: []string{"chapter.upload.external"}}))
	c, _ := login(t, srv, "newcomer")
	guest, ctx := newClient(t, srv), t.Context()
	manga := srv.State().Manga()[4].ID // has no chapters
	if !must[*api.UploadApproval](t)(c.CheckUploadApproval(ctx, api.UploadApprovalCheck{Manga: manga, Locale: "en"})).RequiresApproval {
		t.Error("no approval is required")
	}
	session := must[*api.UploadSessionResponse](t)(c.BeginUpload(ctx, nil, api.UploadSessionCreate{Manga: manga, Groups: []uuid.UUID{}}))
	chapter := must[*api.ChapterResponse](t)(c.CommitUpload(ctx, session.Data.ID, api.UploadSessionCommit{
		ChapterDraft: api.ChapterDraft{Volume: api.Null[string](), Chapter: api.Value("1"), Title: api.Null[string](), TranslatedLanguage: "en", ExternalURL: api.Value("https://reader.example/1")},
		PageOrder:    []uuid.UUID{}, TermsAccepted: true,
	}))
	if _, err := guest.GetChapter(ctx, chapter.Data.ID, nil); !errors.Is(err, api.ErrNotFound) {
		t.Errorf("a guest sees the chapter before it is approved: %v", err)
	}
	if _, err := c.GetChapter(ctx, chapter.Data.ID, nil); err != nil {
		t.Errorf("the uploader does not see the chapter: %v", err)
	}
	if err := srv.State().Approve(chapter.Data.ID); err != nil {
		t.Fatal(err)
	}
	server := must[*api.AtHomeServer](t)(guest.GetAtHomeServer(ctx, chapter.Data.ID, nil))
	if server.Chapter.Hash != "" || len(server.Chapter.Data) != 0 {
		t.Errorf("a chapter that is read elsewhere has the pages %+v", server.Chapter)
	}
	// An account that is banned may read, no more.
	must[apitest.Account](t)(srv.State().AddAccount(apitest.Account{Username: "banned", Roles: []string{"ROLE_MEMBER", "ROLE_BANNED"}}))
	banned, _ := login(t, srv, "banned")
	if _, err := banned.CreateAuthor(ctx, api.AuthorCreate{Name: "x"}); !errors.Is(err, api.ErrForbidden) {
		t.Errorf("a banned account creates: %v", err)
	}
	must[apitest.Account](t)(srv.State().AddAccount(apitest.Account{Username: "deputy", Permissions: []string{"author.delete"}}))
	deputy, _ := login(t, srv, "deputy")
	author := must[*api.AuthorResponse](t)(c.CreateAuthor(ctx, api.AuthorCreate{Name: "y"})).Data.ID
	if err := deputy.DeleteAuthor(ctx, author); err != nil {
		t.Errorf("a permission of its own does not count: %v", err)
	}
	if _, err := guest.GetAuthor(ctx, author, nil); !errors.Is(err, api.ErrNotFound) {
		t.Errorf("the author is still there: %v", err)
	}
}

func TestReports(t *testing.T) {
	t.Parallel()
	srv := apitest.Start(t, apitest.WithoutNetwork(), apitest.WithAccount(apitest.Account{Username: "other"}))
	c, _ := login(t, srv, srv.Account.Username)
	other, _ := login(t, srv, "other")
	ctx, manga := t.Context(), srv.State().Manga()[0].ID
	reasons := must[*api.ReportReasonList](t)(c.ListReportReasons(ctx, "manga")).Data
	if len(reasons) == 0 || reasons[0].Attributes.Category != "manga" {
		t.Fatalf("the reasons are %v", reasons)
	}
	if err := c.CreateReport(ctx, api.ReportCreate{Category: "manga", Reason: reasons[0].ID, ObjectID: manga, Details: "It is invented."}); err != nil {
		t.Fatal(err)
	}
	list := must[*api.ReportList](t)(c.ListReports(ctx, &api.ListReportsParams{ObjectID: &manga, Includes: []api.Include{"reason", "user"}}))
	if len(list.Data) != 1 || list.Data[0].Attributes.Details != "It is invented." || list.Data[0].Attributes.Status != "waiting" {
		t.Fatalf("the reports are %+v", list.Data)
	}
	if reason, _ := list.Data[0].Relationships.Reason(); reason.ID != reasons[0].ID || reason.Attributes == nil {
		t.Errorf("the reason is %+v", reason)
	}
	if list := must[*api.ReportList](t)(other.ListReports(ctx, nil)); list.Total != 0 {
		t.Errorf("another account sees %d reports", list.Total)
	}
}
