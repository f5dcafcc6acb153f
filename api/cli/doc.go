// Package cli has what programs at a terminal need with this library: they say what went wrong, ask for
// secrets, show how far something has come, and print what users of MangaDex have written without doing
// what it says.
//
//	client, err := api.New(api.Production, authn.Use(session))
//	…
//	if err := run(ctx, client); err != nil {
//		fmt.Fprintln(os.Stderr, "shelf:", cli.Explain(err, cli.Hints{LogIn: "with shelf login"}))
//		os.Exit(1)
//	}
//
// What there is:
//
//   - errors: [Explain], [OneLine]
//   - texts: [Linef] for a line, [Output] for all that a program prints, [WriteJSON], [WriteCSV]
//   - what a user gives: [Prompt], [ParseLanguages], [ReadCSV], [UTF8]
//   - progress: [Bar]
package cli
