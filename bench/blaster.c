/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * blaster -- asks a DNS server as fast as it answers, or at a rate, and says what came of it.
 *
 *	blaster [OPTION VALUE]... ADDRESS PORT
 *
 *	--name PATTERN --of N    '%' is a random number below N, as wide as the greatest
 *	--file FILE              names, one a line, in turns
 *	--type A|AAAA|TXT|N      --edns 0|1    --ecs 0|1: a random /24
 *	--sockets N --window N   questions under way on each, or
 *	--rate N                 a second, over all of them; --sleeps 1: gives its core away
 * meanwhile
 *	--tcp 1                  connections instead of sockets
 *	--seconds S --warm S     or --count N questions in all
 *	--timeout MS             after which a reply is lost
 *	--rcode R --answers N    what every reply must have; -1: anything
 *	--pids N,N               whose CPU time (of all threads) to tell
 *	--seed N
 *
 * One line of JSON on standard output.
 */
#include <arpa/inet.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>

#include "blaster.h"

uint64_t
blaster_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t); /* what replies are stamped with */
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

/* -- counting -- */

void
histogram_add(struct histogram *h, uint64_t ns)
{
	const uint64_t v = ns < HISTOGRAM_STEPS ? HISTOGRAM_STEPS : ns;
	const unsigned octave = 63 - (unsigned)__builtin_clzll(v);
	const unsigned step = (unsigned)(v >> (octave - 5)) & (HISTOGRAM_STEPS - 1);

	h->counts[octave * HISTOGRAM_STEPS + step]++;
	h->n++;
	if (ns > h->max)
		h->max = ns;
}

uint64_t
histogram_at(const struct histogram *h, double q)
{
	const uint64_t want = (uint64_t)((double)h->n * q);
	uint64_t seen = 0;

	for (unsigned i = 0; i < 64 * HISTOGRAM_STEPS; i++) {
		const unsigned octave = i / HISTOGRAM_STEPS;

		seen += h->counts[i];
		if (seen > want)
			return (UINT64_C(32) + i % HISTOGRAM_STEPS + 1) << (octave - 5);
	}
	return h->max;
}

void
blaster_judge(struct blast *b, const uint8_t *reply, size_t len, uint64_t sent_ns, uint64_t now)
{
	const int answers = reply[6] << 8 | reply[7];
	const bool good = len >= 12 && (reply[2] & 0x80) != 0 &&
			  (b->want_rcode < 0 || (reply[3] & 15) == b->want_rcode) &&
			  (b->want_answers < 0 || answers == b->want_answers);

	if (!good && b->wrong++ == 0)
		fprintf(stderr, "blaster: wrong reply: flags %02x%02x, %d answers\n", reply[2],
		    reply[3], answers);
	b->answered++;
	histogram_add(&b->latency, now > sent_ns ? now - sent_ns : 0);
	if (b->last_ns != 0 && now > b->last_ns && now - b->last_ns > b->gap_ns)
		b->gap_ns = now - b->last_ns;
	if (now > b->last_ns)
		b->last_ns = now;
}

/* What has been under way since the warm-up is counted when it comes. */
static void
forget(struct blast *b)
{
	b->sent = b->answered = b->lost = b->late = b->wrong = b->unsent = 0;
	b->turns = b->empty = b->last_ns = b->gap_ns = 0;
	memset(&b->latency, 0, sizeof(b->latency));
}

bool
blaster_goes_on(struct blast *b, uint64_t now)
{
	static uint64_t started;

	if (started == 0)
		started = now;
	if (b->begin_ns == 0 && now >= started + b->warm_ns) {
		forget(b);
		b->begin_ns = now;
		b->edge(b, true);
	}
	if (b->count > 0 ? b->total_sent < b->count
			 : b->begin_ns == 0 || now < b->begin_ns + b->run_ns)
		return true;
	b->end_ns = now;
	b->edge(b, false);
	return false;
}

/* -- CPU time of the server -- */

static const char *pids = "";
static uint64_t cpu_ns;
static uint64_t answered_by_end;

static uint64_t
thread_ns(const char *pid, const char *thread)
{
	char path[64];
	unsigned long ns = 0;

	snprintf(path, sizeof(path), "/proc/%.16s/task/%.16s/schedstat", pid, thread);

	FILE *f = fopen(path, "r");

	if (f != NULL) {
		if (fscanf(f, "%lu", &ns) != 1)
			ns = 0;
		fclose(f);
	}
	return ns;
}

static uint64_t
process_ns(const char *pid)
{
	char path[64];
	uint64_t sum = 0;

	snprintf(path, sizeof(path), "/proc/%.16s/task", pid);

	DIR *d = opendir(path);

	if (d == NULL)
		return 0;
	for (const struct dirent *e; (e = readdir(d)) != NULL;)
		sum += e->d_name[0] != '.' ? thread_ns(pid, e->d_name) : 0;
	closedir(d);
	return sum;
}

static void
edge(struct blast *b, bool begins)
{
	char *list = strdup(pids), *rest = list;
	uint64_t sum = 0;

	for (char *pid; (pid = strsep(&rest, ",")) != NULL;)
		sum += *pid != '\0' ? process_ns(pid) : 0;
	free(list);
	cpu_ns = sum - cpu_ns;
	if (begins)
		cpu_ns = sum;
	answered_by_end = b->answered;
}

/* -- options -- */

static struct blast blast = {
	.sockets = 16,
	.window = 32,
	.warm_ns = 0,
	.run_ns = 1000000000,
	.timeout_ns = 1000000000,
	.want_rcode = 0,
	.want_answers = -1,
	.edge = edge,
};
static const char *name = "www.example.com", *file;
static uint64_t of = 1, seed = 1;
static uint16_t type = 1;
static bool edns = true, ecs, tcp;

static void
usage(const char *what)
{
	fprintf(stderr, "blaster: %s\nusage: blaster [OPTION VALUE]... ADDRESS PORT\n", what);
	exit(2);
}

static uint16_t
type_of(const char *text)
{
	return (uint16_t)(strcmp(text, "A") == 0      ? 1
			  : strcmp(text, "AAAA") == 0 ? 28
			  : strcmp(text, "TXT") == 0  ? 16
						      : atoi(text));
}

static bool
set_text(const char *o, const char *v)
{
	const struct {
		const char *option, **to;
	} all[] = { { "--name", &name }, { "--file", &file }, { "--pids", &pids } };

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		if (strcmp(o, all[i].option) == 0) {
			*all[i].to = v;
			return true;
		}
	}
	return false;
}

static bool
set_flag(const char *o, const char *v)
{
	const struct {
		const char *option;
		bool *to;
	} all[] = { { "--edns", &edns }, { "--ecs", &ecs }, { "--tcp", &tcp },
		{ "--sleeps", &blast.sleeps } };

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		if (strcmp(o, all[i].option) == 0) {
			*all[i].to = atoi(v) != 0;
			return true;
		}
	}
	return false;
}

static bool
set_number(const char *o, const char *v)
{
	const struct {
		const char *option;
		uint64_t *to;
		double unit;
	} all[] = { { "--of", &of, 1 }, { "--rate", &blast.rate, 1 },
		{ "--count", &blast.count, 1 }, { "--seed", &seed, 1 },
		{ "--seconds", &blast.run_ns, 1e9 }, { "--warm", &blast.warm_ns, 1e9 },
		{ "--timeout", &blast.timeout_ns, 1e6 } };

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		if (strcmp(o, all[i].option) == 0) {
			*all[i].to = (uint64_t)(atof(v) * all[i].unit);
			return true;
		}
	}
	return false;
}

static void
set(const char *o, const char *v)
{
	if (set_text(o, v) || set_flag(o, v) || set_number(o, v))
		return;
	if (strcmp(o, "--sockets") == 0)
		blast.sockets = (unsigned)atoi(v);
	else if (strcmp(o, "--window") == 0)
		blast.window = (unsigned)atoi(v);
	else if (strcmp(o, "--rcode") == 0)
		blast.want_rcode = atoi(v);
	else if (strcmp(o, "--answers") == 0)
		blast.want_answers = atoi(v);
	else if (strcmp(o, "--type") == 0)
		type = type_of(v);
	else
		usage(o);
}

static void
report(const struct blast *b)
{
	const double s = (double)(b->end_ns - b->begin_ns) / 1e9;
	const struct histogram *h = &b->latency;

	printf(
	    "{\"seconds\": %.4f, \"qps\": %.0f, \"sent\": %lu, \"answered\": %lu, \"lost\": %lu, "
	    "\"late\": %lu, \"wrong\": %lu, \"unsent\": %lu, \"idle\": %.3f, ",
	    s, (double)answered_by_end / s, (unsigned long)b->sent, (unsigned long)b->answered,
	    (unsigned long)b->lost, (unsigned long)b->late, (unsigned long)b->wrong,
	    (unsigned long)b->unsent, (double)b->empty / (double)(b->turns + !b->turns));
	printf("\"cpu_us\": %.4f, \"busy\": %.3f, ",
	    (double)cpu_ns / 1e3 / (double)(answered_by_end + !answered_by_end),
	    (double)cpu_ns / 1e9 / s);
	printf("\"p50_us\": %.2f, \"p90_us\": %.2f, \"p99_us\": %.2f, \"p999_us\": %.2f, "
	       "\"max_us\": %.2f, \"gap_us\": %.2f}\n",
	    (double)histogram_at(h, .5) / 1e3, (double)histogram_at(h, .9) / 1e3,
	    (double)histogram_at(h, .99) / 1e3, (double)histogram_at(h, .999) / 1e3,
	    (double)h->max / 1e3, (double)b->gap_ns / 1e3);
}

int
main(int argc, char **argv)
{
	int i = 1;

	for (; i + 1 < argc && argv[i][0] == '-'; i += 2)
		set(argv[i], argv[i + 1]);
	if (argc - i != 2 || inet_pton(AF_INET, argv[i], &blast.to.sin_addr) != 1)
		usage("wants an IPv4 address and a port");
	if (of == 0 || blast.sockets == 0 || blast.window == 0 || blast.window > FLIGHTS / 2)
		usage("out of range");
	blast.to.sin_family = AF_INET;
	blast.to.sin_port = htons((uint16_t)atoi(argv[i + 1]));
	prctl(PR_SET_TIMERSLACK, 1000);
	blast.questions = questions_new(name, file, of, seed);
	questions_set(blast.questions, type, edns, ecs);
	(tcp ? blast_tcp : blast_udp)(&blast);
	report(&blast);
	return 0;
}
