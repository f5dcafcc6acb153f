package reading

// IsLanguage reports whether a text is the code of a language as MangaDex has them: two letters, and
// perhaps two more for a region or a script, such as en, pt-br or ja-ro. MangaDex refuses others.
func IsLanguage(code string) bool {
	if len(code) != 2 && (len(code) != 5 || code[2] != '-') {
		return false
	}
	for i := range len(code) {
		if i != 2 && (code[i] < 'a' || code[i] > 'z') {
			return false
		}
	}
	return true
}
