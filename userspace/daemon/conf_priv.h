/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the files of the configuration parser share: the run over a text, and
 * the table of directives with a handler per row.  Process context; no global
 * state.
 */
#ifndef NTPKD_CONF_PRIV_H
#define NTPKD_CONF_PRIV_H

#include "daemon/conf.h"
#include "daemon/conf_word.h"

#define CONF_ROWS	46
#define CONF_ROW_FIELDS	3
#define CONF_LOCAL_DISTANCE_NS	1000000000LL
#define CONF_DISTANCE_MAX_NS	(16 * 1000000000LL)	/* of a root distance: MAXDISP of RFC 5905 */

/* Where a text comes from decides which directives it may hold. */
enum conf_scope {
	CONF_SCOPE_FILE,	/* ntpk.conf and what it includes */
	CONF_SCOPE_DROP_IN,	/* of a sourcedir: server and pool */
	CONF_SCOPE_RUNTIME,	/* runtime.conf: what ntpkctl --save keeps */
};

/* Flags of a directive. */
#define CONF_MANY	(1u << 0)	/* may stand more than once */
#define CONF_RUNTIME	(1u << 1)	/* may stand in runtime.conf */
#define CONF_SOURCES	(1u << 2)	/* may stand in a drop-in of sourcedir */
#define CONF_FOLLOWS	(1u << 3)	/* names other files of the configuration */

/* struct conf_field - one member of struct conf */
struct conf_field {
	size_t	 offset;
	size_t	 size;
};

struct conf_parse;

/**
 * struct conf_row - a directive
 * @d: what the man page says
 * @flags: CONF_MANY ...
 * @change: what a change at run time needs
 * @parse: takes the words after the name; 0 or -EINVAL, reported.  Changes
 *	nothing when it fails.
 * @min: smallest value of the plain handlers
 * @max: largest
 * @fields: what it sets; the plain handlers fill the first
 */
struct conf_row {
	struct conf_directive d;
	unsigned int flags;
	enum conf_change change;
	int	 (*parse)(struct conf_parse *p, const struct conf_row *row);
	int64_t	 min;
	int64_t	 max;
	struct conf_field fields[CONF_ROW_FIELDS];
};

/* struct conf_seen - where a directive stood first; @line 0 = nowhere */
struct conf_seen {
	unsigned int line;
	char	 file[CONF_FILE_MAX];
};

/**
 * struct conf_parse - one run over a text
 * @conf: filled
 * @line: being parsed
 * @seen: of each row of the table, shared with included files
 * @errors: lines that were wrong
 * @scope: what the text is
 * @depth: of includes
 * @follow: read the files that are named
 */
struct conf_parse {
	struct conf *conf;
	struct conf_line line;
	struct conf_seen *seen;
	unsigned int errors;
	enum conf_scope scope;
	unsigned int depth;
	bool	 follow;
};

/**
 * conf_rows() - the table of directives
 * @len: out, how many
 */
const struct conf_row *conf_rows(size_t *len);

/**
 * conf_text() - parse all lines of an open text
 * @p: with all but @line.number and @errors set
 * @in: text
 */
void conf_text(struct conf_parse *p, FILE *in);

/**
 * conf_take_acl_name() - the next word of a line as the name of a list
 * @l: line
 * @out: out
 *
 * Return: 0 or -EINVAL, reported.
 */
int conf_take_acl_name(struct conf_line *l, char out[CONF_ACL_NAME_MAX + 1]);

/**
 * conf_acl_same_net() - are two lines of allow or deny, of any list, for the same addresses?
 * @a: a line
 * @b: another
 */
bool conf_acl_same_net(const struct conf_acl_rule *a, const struct conf_acl_rule *b);

/**
 * conf_acl_drop_repeated() - earlier lines for the addresses of later ones count no more
 * @conf: configuration
 * @from: index of the first of the later ones
 */
void conf_acl_drop_repeated(struct conf *conf, size_t from);

/* conf_value.c: handlers of plain values, and of directives with several */
int conf_parse_seconds(struct conf_parse *p, const struct conf_row *row);
int conf_parse_number(struct conf_parse *p, const struct conf_row *row);
int conf_parse_ppm(struct conf_parse *p, const struct conf_row *row);
int conf_parse_file(struct conf_parse *p, const struct conf_row *row);
int conf_parse_folder(struct conf_parse *p, const struct conf_row *row);
int conf_parse_yes(struct conf_parse *p, const struct conf_row *row);
int conf_parse_on_off(struct conf_parse *p, const struct conf_row *row);
int conf_parse_policy(struct conf_parse *p, const struct conf_row *row);
int conf_parse_name(struct conf_parse *p, const struct conf_row *row);
int conf_parse_driftfile(struct conf_parse *p, const struct conf_row *row);
int conf_parse_makestep(struct conf_parse *p, const struct conf_row *row);
int conf_parse_maxchange(struct conf_parse *p, const struct conf_row *row);
int conf_parse_local(struct conf_parse *p, const struct conf_row *row);
int conf_parse_log(struct conf_parse *p, const struct conf_row *row);

/**
 * conf_take_policy() - the next word as what is answered without truth
 * @l: line
 * @name: of the directive or option
 * @out: filled
 *
 * Return: 0 or -EINVAL, reported.
 */
int conf_take_policy(struct conf_line *l, const char *name, enum ntpk_policy *out);

/** conf_is_interface() - may an interface have this name? */
bool conf_is_interface(const char *text);

/* conf_addr.c */
int conf_parse_allow(struct conf_parse *p, const struct conf_row *row);
int conf_parse_deny(struct conf_parse *p, const struct conf_row *row);
int conf_parse_address(struct conf_parse *p, const struct conf_row *row);

/* conf_file.c */
int conf_parse_include(struct conf_parse *p, const struct conf_row *row);
int conf_parse_confdir(struct conf_parse *p, const struct conf_row *row);
int conf_parse_sourcedir(struct conf_parse *p, const struct conf_row *row);

/* conf.c */
int conf_parse_source(struct conf_parse *p, const struct conf_row *row);
int conf_parse_removed(struct conf_parse *p, const struct conf_row *row);

/**
 * conf_take_path() - the next word as an absolute path
 * @p: run
 * @name: of the directive
 * @what: "a path"
 * @max: size of the field that it must fit
 *
 * Return: the word, or NULL, reported.
 */
const struct conf_word *conf_take_path(struct conf_parse *p, const char *name, const char *what,
				       size_t max);

/** conf_row_field() - where a row's first field is */
static inline void *conf_row_field(struct conf *conf, const struct conf_row *row)
{
	return (char *)conf + row->fields[0].offset;
}

#endif /* NTPKD_CONF_PRIV_H */
