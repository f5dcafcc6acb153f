// Package jsonio reads and writes JSON for the generated decoders and encoders of package api.
//
// [Reader] is a pull parser over one body in memory. Its errors are sticky: after the first one
// every method returns a zero value and every loop ends, so that generated code needs no error
// handling of its own and the caller asks once, with [Reader.Err].
//
// The MangaDex backend is written in PHP and encodes an empty map as [] and a list with holes as
// an object. The reader therefore accepts [] where an object belongs, takes the values of an
// object where a list belongs, null for anything, and a number where a text belongs and the other
// way round. Apart from that it decodes what encoding/json decodes, with the same result.
//
// A value of another kind than the one that is wanted does not end the reading: it is skipped, what
// is read is a zero value, and [Reader.Odd] says so until [Iter.TakeOdd] has taken its bytes. A
// reader that is [Reader.Strict] takes it for an error, as any reader does with what is not JSON.
//
// What a document makes the reader and its caller allocate is counted, and is an error once it
// passes 8 times the size of the document and 16 MB: see [Reader.Spend].
//
// It is our own because a general decoder cannot be that tolerant without being told at every
// field, and because the decoding of a page of search results is most of what a client computes.
package jsonio
