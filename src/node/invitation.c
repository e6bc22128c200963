/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "node/invitation.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/mem.h"
#include "net/addr.h"

#define DIR_MAX 1024

int
invitation_check_dir(const char *dir, struct diag *d)
{
	bool good = dir == NULL || (dir[0] == '/' && strlen(dir) <= DIR_MAX);

	for (const char *p = dir; good && p != NULL && *p != '\0'; p++)
		good = (unsigned char)*p >= ' ' && *p != 0x7f;
	if (good)
		return 0;
	diag_add(d, DIAG_INVALID, "dir", "is no directory of the node");
	diag_detail(d, dir, "an absolute path, such as " INVITATION_DIR);
	return -EINVAL;
}

/* As one word of a shell: plain if nothing in it means anything there, else in single quotes. */
static void
put_word(struct buf *b, const char *word)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
				    "/._-+,:=@%";

	if (word[strspn(word, plain)] == '\0') {
		buf_puts(b, word);
		return;
	}
	buf_puts(b, "'");
	for (; *word != '\0'; word++) {
		if (*word == '\'')
			buf_puts(b, "'\\''");
		else
			buf_put(b, word, 1);
	}
	buf_puts(b, "'");
}

char *
invitation_command(const char *dir, const char *token)
{
	struct buf b;
	char *command;

	buf_init(&b, 1 << 16);
	buf_puts(&b, "gtmd --data-dir ");
	put_word(&b, dir != NULL ? dir : INVITATION_DIR);
	buf_puts(&b, " --join ");
	put_word(&b, token);
	command = xstrdup(buf_str(&b));
	buf_fini(&b);
	return command;
}

bool
invitation_is_loopback(const char *server)
{
	static const uint8_t one[16] = { [15] = 1 };
	struct addr a;
	size_t len;

	if (strncasecmp(server, "localhost:", strlen("localhost:")) == 0)
		return true;
	if (addr_parse(&a, server, 0) < 0)
		return false;

	const uint8_t *ip = addr_ip(&a, &len);

	return len == 4 ? ip[0] == 127 : len == 16 && memcmp(ip, one, sizeof(one)) == 0;
}
