// Calls everything that the documentation of mangadex-full-api (npm) has, against the emulator.
//
//   node full_api.mjs PACKAGE API-URL REPORT-URL
//
// PACKAGE is the folder of the package. Credentials are those that the emulator prints, as
// EMULATOR_USER, EMULATOR_PASSWORD, EMULATOR_CLIENT and EMULATOR_SECRET. It prints a line for each
// call, and ends with 1 when one that should work does not, or the other way round.

import { createRequire } from 'node:module';

const [, , folder, apiURL, reportURL] = process.argv;
const md = createRequire(import.meta.url)(folder);
const { Author, Chapter, Cover, Group, List, Manga, Tag, UploadSession, User } = md;
const env = process.env;

md.overrideApiOrigin(apiURL);
md.overrideAuthOrigin(apiURL);

// The endpoint for reports on pages has an address of its own that nothing overrides.
const realFetch = globalThis.fetch;
globalThis.fetch = (input, init) => {
    const url = new URL(input.toString());
    return realFetch(url.hostname === 'api.mangadex.network' ? reportURL : url, init);
};

// Why calls fail on MangaDex, too.
const version = 'it sends the version after the current one, which the document does not say';
const terms = 'it does not send termsAccepted, which the document requires since 5.13';
const elsewhere = 'it sends the edit of a title to /author';

let bad = 0;

async function call(name, run, why) {
    let error;
    let result;
    try {
        result = await run();
    } catch (e) {
        error = e;
    }
    const failed = error !== undefined;
    if (failed !== (why !== undefined)) bad++;
    const text = failed ? String(error.message ?? error).split('\n')[0] : '';
    console.log(`${failed ? 'fails' : 'works'}\t${name}${failed ? `\t${why ?? 'NOT EXPECTED'}: ${text}` : why ? '\tNOT EXPECTED to work' : ''}`);
    return result;
}

function check(condition, text) {
    if (!condition) throw new Error(text);
    return condition;
}

// A picture of one pixel.
const png = Buffer.from('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg==', 'base64');
const blob = () => new Blob([png], { type: 'image/png' });

// Without a login.
const found = await call('Manga.search', async () => {
    const list = await Manga.search({ limit: 120, order: { followedCount: 'desc' }, includes: ['author', 'artist', 'cover_art'] });
    check(list.length > 100, `${list.length} titles`);
    return list;
});
const id = found.find((m) => m.availableTranslatedLanguages.includes('en')).id;
const manga = await call('Manga.get', () => Manga.get(id, ['author', 'artist', 'cover_art']));
await call('Manga.getMultiple', async () => check((await Manga.getMultiple(found.slice(0, 110).map((m) => m.id))).length === 110, 'not all'));
await call('Manga.getTotalSearchResults', async () => check((await Manga.getTotalSearchResults({})) > 0, 'none'));
await call('Manga.getByQuery', () => Manga.getByQuery({ title: manga.localTitle }));
await call('Manga.getRandom', () => Manga.getRandom({ contentRating: ['safe'] }));
await call('Manga.getFeed', () => Manga.getFeed(id, { limit: 150 }));
const feed = await call('manga.getFeed', async () => {
    const list = await manga.getFeed({ translatedLanguage: ['en'], order: { volume: 'asc', chapter: 'asc' }, includes: ['scanlation_group'] });
    check(list.length > 0, 'empty');
    return list;
});
await call('Manga.getAggregate', () => Manga.getAggregate(id));
await call('manga.getAggregate', () => manga.getAggregate([], ['en']));
await call('Manga.getRelations', () => Manga.getRelations(id, true));
await call('manga.getRelations', () => manga.getRelations());
await call('Manga.getStatistics', async () => check((await Manga.getStatistics([id]))[id], 'none'));
await call('manga.getStatistics', () => manga.getStatistics());
await call('manga.getCovers', () => manga.getCovers());
await call('Manga.convertLegacyId', async () => check((await Manga.convertLegacyId('manga', [1, 2]))[1], 'none'));
await call('convertLegacyId', () => md.convertLegacyId('tag', [1]));
await call('Tag.getAllTags', async () => check((await Tag.getAllTags()).length === 77, 'not 77'));
await call('Tag.getByName', async () => check((await Tag.getByName('action')).id === '391b0423-d847-456f-aff0-8b0cfc03066b', 'another id'));
await call('Tag.getByNames', async () => check((await Tag.getByNames(['Oneshot', 'thriller'])).length === 2, 'not two'));

const readable = feed.find((c) => !c.isExternal && c.pages > 0);
const chapter = await call('Chapter.get', () => Chapter.get(readable.id, ['manga', 'scanlation_group', 'user']));
await call('Chapter.getMultiple', () => Chapter.getMultiple(feed.map((c) => c.id)));
await call('Chapter.search', async () => check((await Chapter.search({ manga: id, chapter: [readable.chapter] })).length > 0, 'none'));
await call('Chapter.getByQuery', () => Chapter.getByQuery({ manga: id }));
await call('Chapter.getStatistics', () => Chapter.getStatistics([chapter.id]));
await call('chapter.getStatistics', () => chapter.getStatistics());
const pages = await call('chapter.getReadablePages', async () => {
    const list = await chapter.getReadablePages();
    check(list.length === chapter.pages && (await fetch(list[0])).ok, 'no page');
    return list;
});
await call('chapter.getReadablePages (data saver)', async () => check((await fetch((await chapter.getReadablePages(true, true))[0])).ok, 'no page'));
await call('Chapter.reportPageURL', () => Chapter.reportPageURL({ url: pages[0], success: true, bytes: 1, duration: 1, cached: false }));

const authors = await call('Author.search', () => Author.search({ limit: 20 }));
await call('Author.get', () => Author.get(authors[0].id));
await call('Author.getByQuery', () => Author.getByQuery({ name: authors[0].name }));
await call('Author.getMultiple', () => Author.getMultiple(authors.map((a) => a.id)));
await call('Author.get of a bad id', () => Author.get('apple'), 'there is no such author');
const covers = await call('Cover.search', () => Cover.search({ limit: 20 }));
await call('Cover.get', () => Cover.get(covers[0].id, ['manga', 'user']));
await call('Cover.getByQuery', () => Cover.getByQuery({ manga: [id] }));
await call('Cover.getMultiple', () => Cover.getMultiple(covers.map((c) => c.id)));
await call('Cover.getMangaCovers', () => Cover.getMangaCovers(id));
const groups = await call('Group.search', () => Group.search({ limit: 10 }));
await call('Group.get', () => Group.get(groups[0].id));
await call('Group.getByQuery', () => Group.getByQuery({ name: groups[0].name }));
await call('Group.getMultiple', () => Group.getMultiple(groups.map((g) => g.id)));
await call('Group.getStatistics', () => Group.getStatistics([groups[0].id]));
await call('group.getStatistics', () => groups[0].getStatistics());
await call('resolveArray', () => md.resolveArray(manga.authors));
await call('relationship.resolve', () => manga.mainCover.resolve());

// Logged in.
await call('login', async () => {
    const client = await md.login(env.EMULATOR_USER, env.EMULATOR_PASSWORD);
    await client.refreshTokens();
    check(await client.checkSessionToken(), 'the token does not hold');
    md.logout();
});
await call('loginPersonal with a wrong secret', () => md.loginPersonal({ username: env.EMULATOR_USER, password: env.EMULATOR_PASSWORD, clientId: env.EMULATOR_CLIENT, clientSecret: 'wrong' }), 'it must not log in');
await call('loginPersonal', async () => {
    const client = await md.loginPersonal({ username: env.EMULATOR_USER, password: env.EMULATOR_PASSWORD, clientId: env.EMULATOR_CLIENT, clientSecret: env.EMULATOR_SECRET });
    await client.refreshTokens();
    check(await client.getSessionToken(), 'there is no token');
    check(md.getCurrentAuthClient() === client, 'it is not active');
});
const me = await call('User.getLoggedInUser', () => User.getLoggedInUser());
await call('User.get', () => User.get(me.id));
await call('User.search', () => User.search({ username: me.username }));
await call('User.getByQuery', () => User.getByQuery({ username: me.username }));
await call('User.getMultiple', () => User.getMultiple([me.id]));
await call('User.getFollowedUsers', () => User.getFollowedUsers());

await call('Manga.changeFollowship', () => Manga.changeFollowship(id));
await call('Manga.getFollowedManga', async () => check((await Manga.getFollowedManga()).some((m) => m.id === id), 'not among them'));
await call('Manga.getFollowedFeed', async () => check((await Manga.getFollowedFeed({ limit: 50 })).length > 0, 'empty'));
await call('manga.changeFollowship', () => manga.changeFollowship(false));
await call('Manga.giveRating', () => Manga.giveRating(id, 7));
await call('manga.giveRating', () => manga.giveRating(8));
await call('Manga.getUserRatings', () => Manga.getUserRatings([id]));
await call('manga.getUserRating', async () => check((await manga.getUserRating()) === 8, 'another rating'));
await call('manga.removeRating', () => manga.removeRating());
await call('Manga.removeRating', () => Manga.removeRating(id));
await call('manga.getUserRating without one', async () => check((await manga.getUserRating()) === null, 'a rating'));
await call('Manga.setReadingStatus', () => Manga.setReadingStatus(id, 'reading'));
await call('manga.getReadingStatus', async () => check((await manga.getReadingStatus()) === 'reading', 'another status'));
await call('Manga.getAllReadingStatus', async () => check((await Manga.getAllReadingStatus('reading'))[id], 'none'));
await call('manga.setReadingStatus', () => manga.setReadingStatus(null));
await call('Manga.getReadingStatus', async () => check((await Manga.getReadingStatus(id)) === null, 'a status'));
await call('Manga.updateReadChapters', () => Manga.updateReadChapters(id, { read: [chapter] }, true));
await call('Manga.getReadChapters', async () => check((await Manga.getReadChapters([id, found[0].id]))[id].length === 1, 'not one'));
await call('manga.getReadChapters', async () => check((await manga.getReadChapters())[0].id === chapter.id, 'another'));
await call('manga.updateReadChapters', () => manga.updateReadChapters({ unread: [chapter.id] }));

const list = await call('List.create', () => List.create({ name: 'Mine', visibility: 'public', manga: [id], version: 1 }));
await call('List.get', () => List.get(list.id));
await call('List.follow', () => List.follow(list.id));
await call('list.follow', () => list.follow());
await call('List.getFollowedLists', async () => check((await List.getFollowedLists()).length === 1, 'not one'));
await call('List.unfollow', () => List.unfollow(list.id));
await call('list.unfollow', () => list.unfollow());
await call('List.removeManga', () => List.removeManga(list.id, id));
await call('list.addManga', () => list.addManga(manga));
await call('list.removeManga', () => list.removeManga(manga));
await call('List.addManga', () => List.addManga(list.id, id));
await call('List.getFeed', () => List.getFeed(list.id));
await call('list.getFeed', async () => check((await list.getFeed({ limit: 10 })).length > 0, 'empty'));
await call('List.getLoggedInUserLists', async () => check((await List.getLoggedInUserLists()).length === 1, 'not one'));
await call('List.getUserLists', async () => check((await List.getUserLists(me)).length === 1, 'not one'));
await call('list.update', () => list.update({ name: 'Other' }), version);
await call('list.rename', () => list.rename('Other'), version);
await call('list.changeVisibility', () => list.changeVisibility('private'), version);
await call('list.updateMangaList', () => list.updateMangaList([id]), version);
await call('list.delete', () => list.delete());
const second = await List.create({ name: 'Second' });
await call('List.delete', () => List.delete(second.id));

const author = await call('Author.create', () => Author.create({ name: 'Somebody' }));
await call('author.update', () => author.update({ name: 'Somebody else' }), version);
await call('author.delete', () => author.delete());
const other = await Author.create({ name: 'Nobody' });
await call('Author.delete', () => Author.delete(other.id));
const group = await call('Group.create', () => Group.create({ name: `Group ${Date.now()}` }));
await call('group.changeFollowship', () => group.changeFollowship());
await call('Group.getFollowedGroups', async () => check((await Group.getFollowedGroups()).length === 1, 'not one'));
await call('Group.changeFollowship', () => Group.changeFollowship(group.id, false));
await call('group.update', () => group.update({ name: 'Renamed' }), version);
const draft = await call('Manga.create', () => Manga.create({ title: { en: 'Draft' }, status: 'ongoing', originalLanguage: 'ja', contentRating: 'safe', artists: [authors[0].id], authors: [authors[0].id] }));
await call('Manga.getDraft', () => Manga.getDraft(draft.id, ['author']));
await call('Manga.searchDrafts', async () => check((await Manga.searchDrafts({ state: 'draft' })).length === 1, 'not one'));
const cover = await call('Cover.create', () => Cover.create(draft, { file: blob(), volume: '1', description: 'x', locale: 'en' }));
await call('cover.update', () => cover.update({ volume: '2' }), version);
await call('Manga.commitDraft', () => Manga.commitDraft(draft.id, { version: draft.version }));
await call('manga.update', () => draft.update({ title: { en: 'Renamed' } }), elsewhere);
await call('cover.delete', () => cover.delete());
await call('Cover.delete', async () => Cover.delete((await Cover.create(draft, { file: blob(), volume: '1', description: '', locale: 'ja' })).id));
await call('Manga.addRelation', () => Manga.addRelation(draft.id, id, 'sequel'));
await call('manga.addRelation', () => draft.addRelation(found[0].id, 'based_on'));
await call('manga.removeRelation', async () => {
    const relations = await (await fetch(`${apiURL}/manga/${draft.id}/relation`, { headers: { authorization: `Bearer ${await md.getCurrentAuthClient().getSessionToken()}`, 'user-agent': 'test' } })).json();
    await draft.removeRelation(relations.data[0].id);
    await Manga.removeRelation(draft.id, relations.data[1].id);
});
await call('manga.delete', () => draft.delete());
await call('Manga.delete', async () => Manga.delete((await Manga.create({ title: { en: 'Draft' }, status: 'ongoing', originalLanguage: 'ja', contentRating: 'safe', artists: [authors[0].id], authors: [authors[0].id] })).id));

const session = await call('UploadSession.begin', () => UploadSession.begin(id, [group], true));
await call('session.uploadPages', async () => {
    await session.uploadPages(Array.from({ length: 12 }, blob));
    check(session.pages.length === 12, `${session.pages.length} pages`);
});
await call('UploadSession.getCurrentSession', async () => check((await UploadSession.getCurrentSession()).pages.length === 12, 'not 12 pages'));
await call('session.deletePages', () => session.deletePages([session.pages[0].id]));
await call('session.commit', () => session.commit({ volume: null, chapter: '1', title: null, translatedLanguage: 'en' }), terms);
await call('session.close', () => session.close());
await call('UploadSession.cancelCurrentSession', () => UploadSession.cancelCurrentSession());
const made = await call('UploadSession.beginChapterEdit', () => UploadSession.beginChapterEdit(chapter, true));
await call('session.close of an edit', () => made.close());
await call('chapter.update', () => chapter.update({ title: 'Renamed' }), version);
await call('chapter.delete', () => chapter.delete());
await call('Chapter.delete', () => Chapter.delete(feed.find((c) => c.id !== chapter.id).id));
await call('group.delete', () => group.delete());
await call('Group.delete', async () => Group.delete((await Group.create({ name: `Group ${Date.now()} again` })).id));
await call('logout', () => md.logout());

console.log(bad ? `${bad} calls are not as expected` : 'as expected');
process.exit(bad ? 1 : 0);
