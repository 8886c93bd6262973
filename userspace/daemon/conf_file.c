// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The files of the configuration: who may have written them, includes, folders
 * of drop-ins, runtime.conf.  A wrong line of a drop-in or of runtime.conf is
 * reported and left out: what DHCP or a tool wrote keeps no daemon from
 * starting.  Process context; no global state.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <pwd.h>
#include <sys/auxv.h>
#include <sys/stat.h>
#include <unistd.h>
#include "daemon/conf_priv.h"

#define DEPTH_MAX	8
#define FILES_MAX	1024

/*
 * Root, who started us, and who owns runtime.conf's folder may write it; nobody else.
 * Who started us is the kernel's word (AT_EUID): under a simulator we seem to be root,
 * and what was refused at start is no better when root has become another user.  Of
 * root's files no group may write, its own neither: where an access list lets somebody
 * write, the mode says the same.
 */
static const char *check_writers(const struct stat *st, uid_t also)
{
	uid_t uid = (uid_t)getauxval(AT_EUID);
	gid_t gid = (gid_t)getauxval(AT_EGID);

	if (st->st_uid && st->st_uid != uid && st->st_uid != also)
		return "does not belong to root (chown it)";
	if (st->st_mode & S_IWOTH || (st->st_mode & S_IWGRP && (!uid || st->st_gid != gid)))
		return "may be written by others than root (chmod go-w it)";
	return NULL;
}

static const char *check_folder(const char *path)
{
	struct stat st;

	if (stat(path, &st))
		return strerror(errno);
	return S_ISDIR(st.st_mode) ? check_writers(&st, 0) : strerror(ENOTDIR);
}

static const char *check_folder_of(const char *path)
{
	const char *end = strrchr(path, '/');
	char folder[PATH_MAX];

	if (!end)
		return check_folder(".");
	if (snprintf(folder, sizeof(folder), "%.*s/", (int)(end - path), path) >= PATH_MAX)
		return strerror(ENAMETOOLONG);
	return check_folder(folder);
}

/* Return: NULL with *out open, or the reason why not. */
static const char *open_checked(const char *path, bool regular, bool follow, uid_t also,
				FILE **out)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | (regular ? O_NONBLOCK | O_NOCTTY : 0) |
		      (follow ? 0 : O_NOFOLLOW));
	const char *bad = NULL;
	struct stat st;

	if (fd < 0)
		return strerror(errno);
	if (fstat(fd, &st))
		bad = strerror(errno);
	else if (S_ISDIR(st.st_mode))
		bad = strerror(EISDIR);
	else if (S_ISREG(st.st_mode) && !follow && st.st_nlink != 1)
		bad = "has more than one name (hard link)";
	else if (S_ISREG(st.st_mode))
		bad = check_writers(&st, also);
	else if (regular)
		bad = "is not a regular file";
	*out = bad ? NULL : fdopen(fd, "r");
	if (!bad && !*out)
		bad = strerror(errno);
	if (bad)
		close(fd);
	return bad;
}

/*
 * Who may write the folder chooses what is read there: that of the name, and where this is
 * a link that of the file.  Return: NULL, or the reason why not.
 */
static const char *check_folders_of(const char *path)
{
	const char *bad = check_folder_of(path);
	char *file = bad ? NULL : realpath(path, NULL);

	/* there is none: opening it says why */
	if (file)
		bad = check_folder_of(file);
	free(file);
	return bad;
}

static int read_included(struct conf_parse *p, const struct conf_word *w, const char *path)
{
	struct conf_parse in = {
		.conf = p->conf, .seen = p->seen, .scope = p->scope, .depth = p->depth + 1,
		.follow = true, .line = { .file = path, .diag = p->line.diag },
	};
	const char *bad;
	FILE *f = NULL;

	bad = check_folders_of(path);
	if (bad)
		return conf_line_error(&p->line, w->column, "the folder of %.400s: %s", path, bad);
	bad = p->depth == DEPTH_MAX ? "includes are nested too deeply (a file that includes "
	      "itself?)" : open_checked(path, true, true, 0, &f);
	if (bad)
		return conf_line_error(&p->line, w->column, "%.400s: %s", path, bad);
	conf_text(&in, f);
	fclose(f);
	p->errors += in.errors;
	return 0;
}

int conf_parse_include(struct conf_parse *p, const struct conf_row *row)
{
	const struct conf_word *w = conf_take_path(p, row->d.name, "a path", CONF_PATH_MAX);
	glob_t found;
	int ret = 0;
	size_t i;

	if (!w || !p->follow)
		return w ? 0 : -EINVAL;
	switch (glob(w->text, GLOB_ERR | GLOB_NOMAGIC, NULL, &found)) {
	case 0:
		break;
	case GLOB_NOMATCH:
		return 0;
	default:
		return conf_line_error(&p->line, w->column, "include: '%.60s' cannot be searched: %s",
				       w->text, strerror(errno));
	}
	if (found.gl_pathc > FILES_MAX)
		ret = conf_line_error(&p->line, w->column, "include: more than %d files", FILES_MAX);
	for (i = 0; ret == 0 && i < found.gl_pathc; i++)
		ret = read_included(p, w, found.gl_pathv[i]);
	globfree(&found);
	return ret;
}

/* struct folder - the names of one folder that end as they should, sorted */
struct folder {
	struct dirent **names;
	int	 len;
};

static int is_conf(const struct dirent *d)
{
	size_t n = strlen(d->d_name);

	return d->d_name[0] != '.' && n > 5 && strcmp(d->d_name + n - 5, ".conf") == 0;
}

static int is_sources(const struct dirent *d)
{
	size_t n = strlen(d->d_name);

	return d->d_name[0] != '.' && n > 8 && strcmp(d->d_name + n - 8, ".sources") == 0;
}

/* A folder that is not there is empty.  Return: NULL, or the reason why not. */
static const char *read_folder(const char *path, int (*filter)(const struct dirent *d),
			       struct folder *out)
{
	const char *bad;

	out->len = 0;
	out->names = NULL;
	if (access(path, F_OK) && errno == ENOENT)
		return NULL;
	bad = check_folder(path);
	if (bad)
		return bad;
	out->len = scandir(path, &out->names, filter, alphasort);
	if (out->len >= 0)
		return NULL;
	out->len = 0;
	return strerror(errno);
}

static void free_folder(struct folder *f)
{
	int i;

	for (i = 0; i < f->len; i++)
		free(f->names[i]);
	free(f->names);
}

static int read_confdir(struct conf_parse *p, const struct conf_word *w)
{
	char path[CONF_PATH_MAX + NAME_MAX + 2];
	struct folder folder;
	const char *bad = read_folder(w->text, is_conf, &folder);
	int i, ret = 0;

	if (bad)
		return conf_line_error(&p->line, w->column, "confdir: %.400s: %s", w->text, bad);
	for (i = 0; ret == 0 && i < folder.len; i++) {
		snprintf(path, sizeof(path), "%s/%s", w->text, folder.names[i]->d_name);
		ret = read_included(p, w, path);
	}
	free_folder(&folder);
	return ret;
}

int conf_parse_confdir(struct conf_parse *p, const struct conf_row *row)
{
	int ret = 0;

	do {
		const struct conf_word *w = conf_take_path(p, row->d.name, "a folder",
							   CONF_PATH_MAX);

		if (!w)
			return -EINVAL;
		if (p->follow)
			ret = read_confdir(p, w);
	} while (ret == 0 && p->line.next < p->line.len);
	return ret;
}

/* Only noted here: drop-ins come after the whole file. */
int conf_parse_sourcedir(struct conf_parse *p, const struct conf_row *row)
{
	struct conf *conf = p->conf;

	do {
		const struct conf_word *w = conf_take_path(p, row->d.name, "a folder",
							   sizeof(conf->sourcedirs[0]));
		size_t i;

		if (!w)
			return -EINVAL;
		for (i = 0; i < conf->sourcedirs_len; i++)
			if (strcmp(conf->sourcedirs[i], w->text) == 0)
				return conf_line_error(&p->line, w->column, "sourcedir: '%.60s' is "
						       "given twice", w->text);
		if (i == CONF_DIRS_MAX)
			return conf_line_error(&p->line, w->column, "sourcedir: more than %d folders",
					       CONF_DIRS_MAX);
		snprintf(conf->sourcedirs[conf->sourcedirs_len++], sizeof(conf->sourcedirs[0]), "%s",
			 w->text);
	} while (p->line.next < p->line.len);
	return 0;
}

/* A text whose wrong lines are left out; @bad: why there is none. */
static void read_lenient(struct conf *conf, FILE *in, const char *bad, const char *path,
			 enum conf_scope scope, const struct conf_diag *diag)
{
	struct conf_seen seen[CONF_ROWS] = { 0 };
	struct conf_parse p = {
		.conf = conf, .seen = seen, .scope = scope,
		.line = { .file = path, .diag = diag, .number = 1 },
	};

	if (bad) {
		conf_line_error(&p.line, 1, "this file is left out: %s", bad);
		conf->skipped++;
		return;
	}
	conf_text(&p, in);
	fclose(in);
	conf->skipped += p.errors;
}

static void read_sourcedir(struct conf *conf, const char *dir, const struct conf_diag *diag)
{
	struct conf_line l = { .file = dir, .diag = diag, .number = 1 };
	char path[CONF_PATH_MAX + NAME_MAX + 2];
	struct folder folder;
	const char *bad = read_folder(dir, is_sources, &folder);
	FILE *in = NULL;
	int i;

	if (bad) {
		conf_line_error(&l, 1, "sourcedir is left out: %s", bad);
		conf->skipped++;
		return;
	}
	for (i = 0; i < folder.len; i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, folder.names[i]->d_name);
		bad = open_checked(path, true, true, 0, &in);
		read_lenient(conf, in, bad, path, CONF_SCOPE_DROP_IN, diag);
	}
	free_folder(&folder);
}

const char *conf_runtime_path(const struct conf *conf, char *buf, size_t len)
{
	snprintf(buf, len, "%s/runtime.conf", conf->savedir);
	return buf;
}

/* Return: NULL with *in open, or the reason why not. */
static const char *open_runtime(struct conf *conf, const char *path, FILE **in)
{
	uid_t owner = conf->runtime_uid;
	const struct passwd *pw;

	if (conf->runtime_text) {
		*in = fmemopen((void *)conf->runtime_text, conf->runtime_len, "r");
		conf->runtime_text = NULL;
		return *in ? NULL : strerror(ENOMEM);
	}
	/* at start: a name service may take its time, which a loop does not have */
	if (owner == CONF_UID_UNKNOWN) {
		pw = getpwnam(conf->user[0] ? conf->user : "ntpk");
		owner = pw ? pw->pw_uid : 0;
	}
	return open_checked(path, true, false, owner, in);
}

/* @places: the places of this configuration will be at work. */
static void read_runtime(struct conf *conf, bool places, const struct conf_diag *diag)
{
	char path[CONF_PATH_MAX + sizeof("/runtime.conf")];
	struct conf_parse p = { .conf = conf, .line = { .diag = diag } };
	struct conf_listens before;
	FILE *in = NULL;
	const char *bad;

	before.len = conf->listens_len;
	memcpy(before.of, conf->listens, sizeof(before.of));
	memcpy(before.at, conf->listen_at, sizeof(before.at));
	conf_runtime_path(conf, path, sizeof(path));
	if (!conf->runtime_text && access(path, F_OK) && errno == ENOENT)
		return;
	bad = open_runtime(conf, path, &in);
	read_lenient(conf, in, bad, path, CONF_SCOPE_RUNTIME, diag);
	if (places)
		conf->skipped += conf_listen_check_saved(&p, &before);
}

int conf_load(struct conf *conf, const char *path, const struct conf_diag *diag)
{
	struct conf_seen *seen = calloc(CONF_ROWS, sizeof(*seen));
	struct conf_parse p = {
		.conf = conf, .seen = seen, .follow = true, .line = { .file = path, .diag = diag },
	};
	FILE *in = NULL;
	const char *bad = seen ? open_checked(path, false, true, 0, &in) : strerror(ENOMEM);
	size_t i;

	if (bad) {
		conf_line_error(&p.line, 0, "%s", bad);
		free(seen);
		return -EINVAL;
	}
	conf_text(&p, in);
	fclose(in);
	free(seen);
	if (p.errors || conf_listen_check(&p) < 0)
		return -EINVAL;
	for (i = 0; i < conf->sourcedirs_len; i++)
		read_sourcedir(conf, conf->sourcedirs[i], diag);
	read_runtime(conf, true, diag);
	return 0;
}

int conf_load_sources(struct conf *fresh, const struct conf *running,
		      const struct conf_diag *diag)
{
	size_t i, n = 0;

	*fresh = *running;
	fresh->acl = NULL;
	fresh->acl_len = 0;
	fresh->skipped = 0;
	fresh->upstreams_len = 0;
	fresh->upstreams = calloc(running->upstreams_len + 1, sizeof(*fresh->upstreams));
	if (!fresh->upstreams)
		return -ENOMEM;
	for (i = 0; i < running->upstreams_len; i++)
		if (!running->upstreams[i].drop_in)
			fresh->upstreams[n++] = running->upstreams[i];
	fresh->upstreams_len = n;
	for (i = 0; i < fresh->sourcedirs_len; i++)
		read_sourcedir(fresh, fresh->sourcedirs[i], diag);
	read_runtime(fresh, false, diag);
	return 0;
}
