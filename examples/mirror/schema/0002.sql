-- New chapters in a language.
CREATE INDEX chapter_new ON chapter (language, readable_at);
