/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The clients of the module as a list, with the names of their addresses.
 */
#ifndef NTPKCTL_CLIENTS_H
#define NTPKCTL_CLIENTS_H

#include <stddef.h>
#include "nl/ntpk_nl.h"

/**
 * struct client_row - one of them
 * @c: what the module says
 * @key: what it is sorted by, the highest first
 * @name: of its address, malloc()ed; NULL where it has none, or that was not asked
 */
struct client_row {
	struct ntpk_nl_client c;
	double	 key;
	char	 *name;
};

/**
 * struct client_list - the first ones of them in some order
 * @rows: array
 * @len: its length
 * @room: of it
 * @total: how many there were
 * @most: so many are kept
 * @full: none is that comes behind @rows[@most - 1]
 * @key_of: what they are sorted by
 */
struct client_list {
	struct client_row *rows;
	size_t	 len;
	size_t	 room;
	size_t	 total;
	size_t	 most;
	bool	 full;
	double	 (*key_of)(const struct ntpk_nl_client *c);
};

/**
 * client_list_begin() - an empty list
 * @list: out
 * @key: "requests", "dropped", "last", "first", "interval", "error", "drift" or "address":
 *	by address the lowest first, by an age or an interval the shortest, else the
 *	highest; what is not known comes last
 * @most: so many are to be kept, at least 1
 *
 * Return: 0, or -EINVAL for another key.
 */
int client_list_begin(struct client_list *list, const char *key, size_t most);

/**
 * client_list_add() - one more
 * @list: begun
 * @c: client, copied where it may be one of the first
 *
 * Return: 0 or -ENOMEM.
 */
int client_list_add(struct client_list *list, const struct ntpk_nl_client *c);

/**
 * client_list_end() - put the list in order
 * @list: all were added
 */
void client_list_end(struct client_list *list);

/**
 * client_list_clean() - free it
 * @list: list
 */
void client_list_clean(struct client_list *list);

/**
 * client_names() - look up the names of whole addresses
 * @rows: clients; their name is set where there is one
 * @len: how many
 * @timeout_s: for all together
 *
 * What is not answered in time has no name.
 */
void client_names(struct client_row *rows, size_t len, int timeout_s);

#endif /* NTPKCTL_CLIENTS_H */
