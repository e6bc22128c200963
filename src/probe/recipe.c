/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "probe/recipe.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/mem.h"
#include "base/pattern.h"
#include "probe/protocol.h"
#include "probe/trust.h"

const struct recipe_range recipe_usual = { 200, 399 };

struct addr
recipe_target(const struct recipe *r)
{
	struct addr a;

	addr_set(&a, &r->target.sa,
	    r->target.sa.sa_family == AF_INET6 ? sizeof(r->target.in6) : sizeof(r->target.in4));
	return a;
}

/* The template's own address of the target's family comes first. */
static struct addr *
source_of(const struct recipe *r, const struct template_spec *template,
    const struct recipe_options *options)
{
	const char *const *texts = template->source.items;
	const int family = r->target.sa.sa_family;
	struct addr a;

	for (size_t i = 0; i < template->source.count; i++) {
		if (addr_ip_parse(&a, texts[i], family) == 0)
			return xmemdup(&a, sizeof(a));
	}
	if (options == NULL || options->source[family == AF_INET6].len == 0)
		return NULL;
	return xmemdup(&options->source[family == AF_INET6], sizeof(a));
}

struct recipe *
recipe_new(const struct addr *target, const char *host, const struct template_spec *template,
    const struct recipe_options *options)
{
	struct recipe *r = xcalloc(1, sizeof(*r));

	CHECK(template->interval_ms > 0 && template->timeout_ms > 0);
	CHECK(template->fall > 0 && template->fall <= UINT8_MAX);
	CHECK(template->rise > 0 && template->rise <= UINT8_MAX);
	*r = (struct recipe){
		.protocol = protocol_of(template->protocol),
		.rhythm = { template->interval_ms, template->timeout_ms, template->recheck_ms },
		.rule = { (uint8_t) template->fall, (uint8_t) template->rise },
	};
	CHECK(target->len > 0 && target->len <= sizeof(r->target));
	memcpy(&r->target, &target->sa, target->len);
	r->source = source_of(r, template, options);
	r->script_dir = options != NULL ? options->script_dir : NULL;
	if (!r->protocol->single && (options == NULL || !options->once))
		r->repeat_ms = schedule_repeat_ms(template->timeout_ms);
	if (r->protocol->prepare != NULL)
		r->protocol->prepare(r, host, template);
	return r;
}

void
recipe_free(struct recipe **r)
{
	if (*r == NULL)
		return;
	free((*r)->request);
	free((*r)->source);
	free((*r)->host);
	free((*r)->tls_name);
	free((*r)->rdata);
	pattern_put(&(*r)->pattern);
	trust_put(&(*r)->trust);
	if ((*r)->expect != &recipe_usual)
		free((void *)(uintptr_t)(*r)->expect);
	free(*r);
	*r = NULL;
}

static bool
same(const void *a, size_t a_len, const void *b, size_t b_len)
{
	return a_len == b_len && (a_len == 0 || memcmp(a, b, a_len) == 0);
}

static bool
same_tls(const struct recipe *a, const struct recipe *b)
{
	return a->trust == b->trust && a->full_every == b->full_every &&
	       a->expiry_warn_days == b->expiry_warn_days && a->verify == b->verify &&
	       (a->tls_name == NULL) == (b->tls_name == NULL) &&
	       (a->tls_name == NULL || strcmp(a->tls_name, b->tls_name) == 0);
}

static bool
same_places(const struct recipe *a, const struct recipe *b)
{
	const struct addr to[2] = { recipe_target(a), recipe_target(b) };

	return addr_equal(&to[0], &to[1]) && (a->source == NULL) == (b->source == NULL) &&
	       (a->source == NULL || addr_equal(a->source, b->source));
}

bool
recipe_equal(const struct recipe *a, const struct recipe *b)
{
	return same_tls(a, b) && a->secure == b->secure && a->packets == b->packets &&
	       a->packets_needed == b->packets_needed && a->rcode == b->rcode &&
	       same(a->rdata, a->rdata_len, b->rdata, b->rdata_len) && a->protocol == b->protocol &&
	       a->pattern == b->pattern && a->follow == b->follow && a->reuse == b->reuse &&
	       same_places(a, b) &&
	       same(&a->rhythm, sizeof(a->rhythm), &b->rhythm, sizeof(b->rhythm)) &&
	       same(&a->rule, sizeof(a->rule), &b->rule, sizeof(b->rule)) &&
	       same(a->request, a->request_len, b->request, b->request_len) &&
	       same(a->expect, a->n_expect * sizeof(*a->expect), b->expect,
		   b->n_expect * sizeof(*b->expect));
}
