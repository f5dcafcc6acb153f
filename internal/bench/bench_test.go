package main

import "testing"

func BenchmarkSearchList(b *testing.B) {
	b.Run("api", searchList)
	b.Run("plain", searchListPlain)
}

func BenchmarkOneManga(b *testing.B) {
	b.Run("api", oneManga)
	b.Run("bare", oneMangaBare)
}

func BenchmarkBuildRequest(b *testing.B) {
	b.Run("api", buildRequest)
	b.Run("plain", buildRequestPlain)
}

func BenchmarkEncodeEdit(b *testing.B) {
	b.Run("api", encodeEdit)
	b.Run("plain", encodeEditPlain)
}
