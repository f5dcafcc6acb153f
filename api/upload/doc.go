// Package upload publishes chapters and covers.
//
// A chapter is made in a session: its pages are sent, put in order and committed. Pages are checked
// before anything is sent, and sent again where the server lost them.
//
//	session, err := upload.Begin(ctx, client, manga, groups)
//	if err != nil {
//		return err
//	}
//	defer session.Close() // abandons what has not been committed
//
//	if err := session.AddPages(ctx, upload.Folder(os.DirFS("chapter 12"))); err != nil {
//		return err
//	}
//	chapter, err := session.Commit(ctx, api.ChapterDraft{
//		Chapter:            api.Value("12"),
//		TranslatedLanguage: "en",
//	}, upload.TermsAccepted)
//
// An account has one open session at most. Where there is one, such as that of a program that was
// interrupted, [Begin] and [Edit] return an [OpenError], which offers to go on with it or to replace
// it:
//
//	var open *upload.OpenError
//	if errors.As(err, &open) {
//		session, err = open.Resume() // or open.Replace(ctx)
//	}
//
// A resumed session already has pages. AddPages sends only those that it lacks, so a program does
// the same whether it begins or resumes. [Resume] goes on with a session and begins none.
//
// A chapter is published once. Where the answer to a commit is lost, [Session.Commit] looks for the
// chapter; if it cannot tell, it fails with [ErrOutcomeUnknown], and so does every other call with the
// session, until a later Commit or [Find] knows. A program that is to survive an interruption keeps the
// [Record] of its upload ([WithRecord]), so that its next run can find out what became of it; and it
// asks [Published] before it uploads. See examples/upload.
package upload
