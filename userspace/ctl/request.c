// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * One question to the daemon.  Blocking, with a time limit.  A daemon that sends nonsense is an error, not
 * a reason to crash.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>
#include "ctl/ctl.h"
#include "ctl/fmt.h"
#include "daemon/control.h"

#define ANSWER_MAX	(4u << 20)

int ctl_set_error(struct ctl_error *err, enum ctl_exit exit, const char *code, const char *fmt,
		  ...)
{
	va_list ap;

	err->exit = exit;
	snprintf(err->code, sizeof(err->code), "%s", code);
	va_start(ap, fmt);
	vsnprintf(err->text, sizeof(err->text), fmt, ap);
	va_end(ap);
	return exit;
}

static int no_daemon(const struct ctl *ctl, int error, struct ctl_error *err)
{
	if (error == EACCES || error == EPERM)
		return ctl_set_error(err, CTL_NO_DAEMON, "no-permission", "no permission to use %s: "
				     "run ntpkctl as root or as a member of the group ntpk",
				     ctl->socket);
	if (error == ENOENT || error == ENOTDIR)
		return ctl_set_error(err, CTL_NO_DAEMON, "no-daemon", "ntpkd is not running (no "
				     "%s): start it with 'systemctl start ntpkd' or 'ntpkd -f "
				     "/etc/ntpk.conf'", ctl->socket);
	if (error == ECONNREFUSED)
		return ctl_set_error(err, CTL_NO_DAEMON, "no-daemon", "ntpkd is not running any "
				     "more (nobody answers at %s): start it with 'systemctl start "
				     "ntpkd' or 'ntpkd -f /etc/ntpk.conf'", ctl->socket);
	return ctl_set_error(err, CTL_NO_DAEMON, "no-daemon", "%s: %s", ctl->socket,
			     strerror(error));
}

static int connect_daemon(const struct ctl *ctl, struct ctl_error *err)
{
	const struct timeval tv = { .tv_sec = ctl->timeout_s };
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd;

	if (strlen(ctl->socket) >= sizeof(addr.sun_path)) {
		no_daemon(ctl, ENAMETOOLONG, err);
		return -1;
	}
	memcpy(addr.sun_path, ctl->socket, strlen(ctl->socket) + 1);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv)) < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof(tv)) < 0 ||
	    connect(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0) {
		no_daemon(ctl, errno, err);
		if (fd >= 0)
			close(fd);
		return -1;
	}
	return fd;
}

/* Return: 0 or -errno. */
static int send_all(int fd, const char *s, size_t len)
{
	ssize_t n;

	while (len) {
		n = send(fd, s, len, MSG_NOSIGNAL);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		s += n;
		len -= (size_t)n;
	}
	return 0;
}

/* One line of any length up to ANSWER_MAX, malloc()ed, or NULL with errno. */
static char *receive_line(int fd)
{
	size_t len = 0, room = 4096;
	char *buf = malloc(room), *grown;
	ssize_t n;

	while (buf) {
		n = recv(fd, buf + len, room - len - 1, 0);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			errno = n ? errno : ECONNRESET;
			break;
		}
		len += (size_t)n;
		buf[len] = '\0';
		if (memchr(buf + len - n, '\n', (size_t)n))
			return buf;
		if (len + 1 < room)
			continue;
		room *= 2;
		grown = room <= ANSWER_MAX ? realloc(buf, room) : NULL;
		if (!grown) {
			errno = EMSGSIZE;
			break;
		}
		buf = grown;
	}
	free(buf);
	return NULL;
}

static char *exchange(const struct ctl *ctl, int fd, struct json_object *req,
		      struct ctl_error *err)
{
	const char *s = json_object_to_json_string_ext(req, JSON_C_TO_STRING_PLAIN);
	char *line = NULL;
	int ret;

	ret = send_all(fd, s, strlen(s));
	if (ret == 0)
		ret = send_all(fd, "\n", 1);
	/* A daemon that refuses says why before it closes: read in any case. */
	line = receive_line(fd);
	if (line)
		return line;
	if (errno == EAGAIN)
		ctl_set_error(err, CTL_NO_DAEMON, "no-answer", "ntpkd did not answer within %d "
			      "seconds (%s)", ctl->timeout_s, ctl->socket);
	else
		ctl_set_error(err, CTL_NO_DAEMON, "no-answer", "ntpkd closed the connection "
			      "without an answer (%s): %s", ctl->socket,
			      strerror(ret ? -ret : errno));
	return NULL;
}

/* The envelope as it must be, or an error. */
static int check_answer(struct json_object *answer, struct ctl_error *err)
{
	struct json_object *error = NULL, *data;
	int64_t schema;
	const char *code, *text;

	if (!json_object_is_type(answer, json_type_object) ||
	    !fmt_int(answer, "schema", &schema))
		return ctl_set_error(err, CTL_ERROR, "bad-answer", "what answers at the socket is "
				     "not ntpkd");
	if (schema != CONTROL_SCHEMA)
		return ctl_set_error(err, CTL_ERROR, "bad-answer", "ntpkd speaks schema %d, this "
				     "ntpkctl %d: install both from one version", (int)schema,
				     CONTROL_SCHEMA);
	if (fmt_bool(answer, "ok")) {
		if (json_object_object_get_ex(answer, "data", &data) &&
		    json_object_is_type(data, json_type_object))
			return CTL_OK;
		return ctl_set_error(err, CTL_ERROR, "bad-answer", "ntpkd sent no data");
	}
	json_object_object_get_ex(answer, "error", &error);
	code = fmt_str(error, "code");
	text = fmt_str(error, "text");
	return ctl_set_error(err, CTL_ERROR, code ? code : "internal", "%s",
			     text ? text : "ntpkd refused and did not say why");
}

static struct json_object *make_request(const struct ctl *ctl, const char *cmd, const char *key,
					const char *value)
{
	struct json_object *req = json_object_new_object();

	json_object_object_add(req, "cmd", json_object_new_string(cmd));
	if (key)
		json_object_object_add(req, key, value ? json_object_new_string(value) :
				       json_object_new_boolean(true));
	if (ctl->options & CTL_O_SAVE)
		json_object_object_add(req, "save", json_object_new_boolean(true));
	return req;
}

int ctl_request(const struct ctl *ctl, const char *cmd, const char *key, const char *value,
		struct json_object **answer, struct ctl_error *err)
{
	struct json_object *req;
	int fd, ret;
	char *line;

	*answer = NULL;
	fd = connect_daemon(ctl, err);
	if (fd < 0)
		return err->exit;
	req = make_request(ctl, cmd, key, value);
	line = exchange(ctl, fd, req, err);
	json_object_put(req);
	close(fd);
	if (!line)
		return err->exit;
	*answer = json_tokener_parse(line);
	free(line);
	ret = check_answer(*answer, err);
	if (ret != CTL_OK) {
		json_object_put(*answer);
		*answer = NULL;
	}
	return ret;
}

int ctl_show(const struct ctl *ctl, const char *cmd, const char *key, const char *value,
	     void (*print)(const struct ctl *ctl, struct json_object *data))
{
	struct json_object *answer, *data;
	struct ctl_error err;

	if (ctl_request(ctl, cmd, key, value, &answer, &err) != CTL_OK)
		return ctl_fail(ctl, &err, NULL);
	json_object_object_get_ex(answer, "data", &data);
	if (ctl->json)
		ctl_print_json(answer);
	else
		print(ctl, data);
	json_object_put(answer);
	return CTL_OK;
}

struct json_object *ctl_list(struct json_object *data, const char *key)
{
	struct json_object *list;

	if (!json_object_object_get_ex(data, key, &list) ||
	    !json_object_is_type(list, json_type_array) || !json_object_array_length(list))
		return NULL;
	return list;
}
