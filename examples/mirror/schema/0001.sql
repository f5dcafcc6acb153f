-- What the copy holds. The types are those of PostgreSQL; SQLite gets its own for them. A text that
-- is empty on the server is null, and times are UTC, in SQLite like 2026-01-31T12:30:00Z. The columns named seen are milliseconds since
-- 1970: when the server has last said so.

CREATE TABLE manga (
	id                uuid PRIMARY KEY,
	title             text NOT NULL,   -- the main name, the English one if there is one
	status            text,
	demographic       text,
	content_rating    text,
	original_language text,
	year              bigint,
	last_volume       text,
	last_chapter      text,
	numbers_reset     boolean NOT NULL, -- with every volume
	cover_id          uuid,
	description       text,            -- JSON, by language
	created_at        timestamptz,
	updated_at        timestamptz,
	version           bigint NOT NULL,
	seen              bigint NOT NULL
);
CREATE INDEX manga_seen ON manga (seen);
CREATE INDEX manga_year ON manga (year);
CREATE INDEX manga_title ON manga (title);

-- Main and alternative names in the order of the server. Folded is what a search compares.
CREATE TABLE manga_name (
	manga_id uuid NOT NULL REFERENCES manga (id) ON DELETE CASCADE,
	place    bigint NOT NULL,
	language text NOT NULL,
	name     text NOT NULL,
	folded   text NOT NULL,
	PRIMARY KEY (manga_id, place)
);

CREATE TABLE manga_tag (
	manga_id uuid NOT NULL REFERENCES manga (id) ON DELETE CASCADE,
	tag_id   uuid NOT NULL,
	PRIMARY KEY (manga_id, tag_id)
);
CREATE INDEX manga_tag_tag ON manga_tag (tag_id);

CREATE TABLE manga_author (
	manga_id  uuid NOT NULL REFERENCES manga (id) ON DELETE CASCADE,
	author_id uuid NOT NULL,
	role      text NOT NULL, -- author or artist
	PRIMARY KEY (manga_id, role, author_id)
);
CREATE INDEX manga_author_author ON manga_author (author_id);

CREATE TABLE statistics (
	manga_id             uuid PRIMARY KEY REFERENCES manga (id) ON DELETE CASCADE,
	follows              bigint NOT NULL,
	rating_average       double precision,
	rating_bayesian      double precision,
	comments             bigint,
	unavailable_chapters bigint,
	seen                 bigint NOT NULL
);

CREATE TABLE tag (
	id   uuid PRIMARY KEY,
	name text NOT NULL,
	kind text
);

CREATE TABLE author (
	id         uuid PRIMARY KEY,
	name       text NOT NULL,
	created_at timestamptz,
	updated_at timestamptz,
	version    bigint NOT NULL,
	seen       bigint NOT NULL
);
CREATE INDEX author_seen ON author (seen);

CREATE TABLE scanlation_group (
	id         uuid PRIMARY KEY,
	name       text NOT NULL,
	official   boolean NOT NULL,
	inactive   boolean NOT NULL,
	created_at timestamptz,
	updated_at timestamptz,
	version    bigint NOT NULL,
	seen       bigint NOT NULL
);
CREATE INDEX scanlation_group_seen ON scanlation_group (seen);

CREATE TABLE cover (
	id         uuid PRIMARY KEY,
	manga_id   uuid,
	volume     text,
	language   text,
	file_name  text NOT NULL,
	created_at timestamptz,
	updated_at timestamptz,
	version    bigint NOT NULL,
	seen       bigint NOT NULL
);
CREATE INDEX cover_manga ON cover (manga_id);
CREATE INDEX cover_seen ON cover (seen);

-- Chapters, those included that will be published in the future or cannot be read.
CREATE TABLE chapter (
	id           uuid PRIMARY KEY,
	manga_id     uuid,
	volume       text,
	number       text,
	title        text,
	language     text,
	pages        bigint NOT NULL,
	external_url text,
	unavailable  boolean NOT NULL,
	publish_at   timestamptz,
	readable_at  timestamptz,
	created_at   timestamptz,
	updated_at   timestamptz,
	uploader_id  uuid,
	version      bigint NOT NULL,
	seen         bigint NOT NULL
);
CREATE INDEX chapter_manga ON chapter (manga_id, readable_at);
CREATE INDEX chapter_language ON chapter (language, manga_id);
CREATE INDEX chapter_readable ON chapter (readable_at, language);
CREATE INDEX chapter_seen ON chapter (seen);

CREATE TABLE chapter_group (
	chapter_id uuid NOT NULL REFERENCES chapter (id) ON DELETE CASCADE,
	group_id   uuid NOT NULL,
	PRIMARY KEY (chapter_id, group_id)
);
CREATE INDEX chapter_group_group ON chapter_group (group_id);

CREATE TABLE custom_list (
	id   uuid PRIMARY KEY,
	name text NOT NULL
);

CREATE TABLE custom_list_manga (
	list_id  uuid NOT NULL REFERENCES custom_list (id) ON DELETE CASCADE,
	manga_id uuid NOT NULL,
	PRIMARY KEY (list_id, manga_id)
);

-- How the copy is made. Its server, each run, and what is left to do of the last one.

CREATE TABLE source (
	server text PRIMARY KEY
);

CREATE TABLE run (
	id       bigint PRIMARY KEY,
	began    bigint NOT NULL, -- milliseconds since 1970
	beat     bigint NOT NULL, -- when a process last worked on it
	ended    bigint,
	marks    text NOT NULL,   -- JSON: how new what there was when it began, by list
	requests bigint NOT NULL,
	items    bigint NOT NULL,
	working  bigint NOT NULL  -- milliseconds during which a process worked on it
);

CREATE TABLE task (
	name     text PRIMARY KEY,
	run      bigint NOT NULL REFERENCES run (id),
	stage    bigint NOT NULL, -- those of a stage begin when those before are done
	work     text NOT NULL,   -- JSON: what is to be done
	expected bigint NOT NULL,
	items    bigint NOT NULL,
	done     boolean NOT NULL,
	owner    text NOT NULL,   -- the process that has claimed it
	claim    bigint NOT NULL, -- how often it was claimed; an older claim can write no more
	lease    bigint NOT NULL  -- until when the claim holds, in milliseconds since 1970
);

-- What others refer to and is not there yet. Covers and chapters are wanted
-- by the id of their title.
CREATE TABLE wanted (
	kind text NOT NULL,
	id   uuid NOT NULL,
	PRIMARY KEY (kind, id)
);
