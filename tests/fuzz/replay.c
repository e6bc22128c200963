/* SPDX-License-Identifier: GPL-3.0-or-later */
/* usage: replay_<target> directory ...   Feed every file of the directories to the target. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/check.h"
#include "base/mem.h"
#include "target.h"

#define INPUT_MAX (1u << 20)

static void
replay_file(const char *path)
{
	static uint8_t data[INPUT_MAX];
	FILE *f = fopen(path, "rb");
	uint8_t *exact;
	size_t size;

	CHECK(f != NULL);
	size = fread(data, 1, sizeof(data), f);
	(void)fclose(f);
	/* A block of just that size: a sanitizer sees a step past its end. */
	exact = xmemdup(data, size);
	LLVMFuzzerTestOneInput(exact, size);
	free(exact);
}

static unsigned
replay_directory(const char *path)
{
	DIR *dir = opendir(path);
	unsigned n = 0;

	CHECK(dir != NULL);
	for (struct dirent *e; (e = readdir(dir)) != NULL;) {
		char *file;

		if (e->d_name[0] == '.')
			continue;
		file = xasprintf("%s/%s", path, e->d_name);
		replay_file(file);
		free(file);
		n++;
	}
	(void)closedir(dir);
	return n;
}

int
main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		unsigned n = replay_directory(argv[i]);

		printf("%s: %u inputs\n", argv[i], n);
		CHECK(n > 0);
	}
	return 0;
}
