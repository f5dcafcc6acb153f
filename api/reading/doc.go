// Package reading says what a chapter is: how its number is understood, in which order chapters are
// read, which of them are versions of each other, and what they are called in a file, on a terminal and
// on the web site. It asks no server: it has functions and small types for what package api returns.
//
//	list := reading.NewList(chapters, reading.Prefer("Kettle Scans"))
//	for _, entry := range list.Entries {
//		fmt.Println(list.FileName(entry.Chosen().ID), len(entry.Versions))
//	}
//	next, ok := list.Next(id)           // whichever version id is of
//	next, ok = list.Continue(func(id uuid.UUID) bool { return read[id] })
//
// # Numbers
//
// A [Number] is the number of a chapter or a volume. MangaDex sends it as text, and uploaders write
// more into it than digits: 10.5, 30e, v1.5, １２, 第3話, or nothing at all. Numbers compare by value, in
// any script. Digits after a point are a count, as uploaders use them: 3.9 comes before 3.10. With a
// zero in front they are a fraction: 3.05 comes before 3.1. After the numbers come words such as Extra,
// and last what has no number, as MangaDex lists them.
//
// # Reading order
//
// A [List] is in reading order. Where numbers go on from volume to volume, the number decides, and the
// volume only orders chapters of the same number: volumes are often set late, so the newest chapters
// have none. Where numbers begin anew with each volume, the volume decides first, and chapters of
// no volume are the last. Whether numbers begin anew is told by the title ([WithReset]), or else seen in
// the chapters ([List.Resets]). Chapters of the same number that are not versions of each other are in
// the order in which they appeared.
//
// # Versions
//
// Several groups translate the same chapter. Chapters of one language, volume and number are versions
// of each other and make one [Entry]; if only one volume has its number, a chapter without a volume
// belongs to that one. There are two exceptions.
//
//   - An anthology: if one group (or, without groups, one uploader) has two of them with different
//     titles, then only those with equal titles are versions. A missing title counts as a title of its
//     own.
//   - Without a number, two by one group are never versions. Two by different groups are, if their
//     titles are equal, or if each group has only one in that language and volume.
//
// [Version.Behind] says why a version was not chosen; the constants of [Reason] stand in the order in
// which they count. No version is lost.
//
// # Text of users
//
// Titles, names of groups and descriptions are written by anybody. [Line], [Text], [FileName] and
// [WebAddress] make them fit for where they go. Every function here takes time in proportion to the
// length of its input.
package reading
