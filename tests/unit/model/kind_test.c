/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "model/kind.h"

#include <errno.h>
#include <stdio.h>

#include "model/nouns.h"
#include "spec.h"

#define LABEL63    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define NAME_WORDS "a domain name: labels of 1..63 bytes, at most 255 bytes in all"

#define TARGETS "address/<name>, pool/<name>, domain/<host>/<type>"
#define DIGEST  "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

#define RRSET_WORDS "<owner>/A, <owner>/MX, <owner>/TXT, ..."

static void
name_becomes(enum kind kind, const char *text, const char *want)
{
	char out[KIND_NAME_SIZE];
	struct diag d;

	diag_init(&d);
	if (kind_name(kind, text, out, &d) < 0)
		fail_msg("%s", diag_text(&d));
	assert_string_equal(out, want);
	diag_fini(&d);
}

static void
name_refused(enum kind kind, const char *text, const char *detail, const char *allowed)
{
	char out[KIND_NAME_SIZE];
	struct diag d;

	diag_init(&d);
	assert_int_equal(kind_name(kind, text, out, &d), -EINVAL);
	spec_problem(
	    d.first, "name", detail, strlen(text) <= KIND_NAME_SIZE ? text : NULL, allowed);
	diag_fini(&d);
}

static void
names(void **state)
{
	static const char form[] = "<host>/A, <host>/AAAA, <host>/CNAME";
	static const char *const unlined[] = { "x.org/SOA", "x.org/NS", "x.org/DS", "x.org/DNAME",
		"x.org/DNSKEY", "x.org/RRSIG", "x.org/NSEC", "x.org/NSEC3", "x.org/NSEC3PARAM",
		"x.org/ANY", "x.org/OPT", "x.org/NOPE" };
	static const char objname[] = "1..64 characters of A-Z a-z 0-9 . _ : * - and letters";
	static const char four[] = LABEL63 "." LABEL63 "." LABEL63 "." LABEL63;

	(void)state;
	name_becomes(KIND_ZONE, "Example.COM.", "example.com");
	name_becomes(KIND_ZONE, ".", ".");
	name_becomes(KIND_ZONE, "0/25.2.0.192.in-addr.arpa", "0/25.2.0.192.in-addr.arpa");
	name_becomes(KIND_DOMAIN, "WWW.Cloud-Example.com./a", "www.cloud-example.com/A");
	name_becomes(KIND_DOMAIN, "*.example.com/aaaa", "*.example.com/AAAA");
	name_becomes(KIND_DOMAIN, "example.com/cname", "example.com/CNAME");
	name_becomes(KIND_RRSET, "WWW.Example.com./mx", "www.example.com/MX");
	name_becomes(KIND_RRSET, "a\\.b\\032c.0/25.example.com/type65280",
	    "a\\.b\\032c.0/25.example.com/TYPE65280");
	name_becomes(KIND_POOL, "DC-a", "DC-a");
	name_becomes(KIND_OVERRIDE, "pool/DC-a", "pool/DC-a");
	name_becomes(KIND_OVERRIDE, "domain/WWW.Example.com./aaaa", "domain/www.example.com/AAAA");

	name_refused(KIND_ZONE, "a..b", "has an empty label", NAME_WORDS);
	name_refused(KIND_ZONE, "", "must not be empty", NAME_WORDS);
	name_refused(KIND_ZONE, "*.b", "must not contain '*'", NAME_WORDS);
	name_refused(KIND_ZONE, "a" LABEL63 ".org", "has a label longer than 63 bytes", NAME_WORDS);
	name_refused(KIND_ZONE, four, "is longer than 255 bytes", NAME_WORDS);
	name_refused(KIND_ZONE, "a b", "contains a character that domain names here may not have",
	    NAME_WORDS);
	name_refused(KIND_ZONE, "bücher.example",
	    "is not ASCII: write it in its punycode form (xn--...)", NAME_WORDS);
	name_refused(KIND_DOMAIN, "www.example.com", "must be a host and a type", form);
	name_refused(KIND_DOMAIN, "www.example.com/MX", "has a type that cannot be steered", form);
	name_refused(KIND_DOMAIN, "a.*.com/A", "may have '*' as its first label only", NAME_WORDS);
	name_refused(
	    KIND_DOMAIN, "a" LABEL63 ".org/A", "has a label longer than 63 bytes", NAME_WORDS);
	name_refused(KIND_RRSET, "www.example.com", "must be an owner and a type", RRSET_WORDS);
	name_refused(KIND_RRSET, "a..b/A", "has no domain name as its owner", RRSET_WORDS);
	for (size_t i = 0; i < sizeof(unlined) / sizeof(*unlined); i++)
		name_refused(KIND_RRSET, unlined[i], "has a type whose records cannot have lines",
		    RRSET_WORDS);
	name_refused(KIND_OVERRIDE, "zone/example.com", "must be a kind and a name", TARGETS);
	name_refused(KIND_OVERRIDE, "address", "must be a kind and a name", TARGETS);
	name_refused(KIND_OVERRIDE, "address/", "names no object that there could be", TARGETS);
	name_refused(KIND_OVERRIDE, "domain/www.example.com", "names no object that there could be",
	    TARGETS);
	name_refused(KIND_POOL, "a/b", "contains a character that names may not have", objname);
	name_refused(KIND_POOL, "a" LABEL63 "b", "is longer than 64 characters", objname);
}

static void
parse(void **state)
{
	enum kind kind;

	(void)state;
	assert_int_equal(kind_parse("pool", &kind), 0);
	assert_int_equal(kind, KIND_POOL);
	assert_int_equal(kind_parse("addresses", &kind), 0);
	assert_int_equal(kind, KIND_ADDRESS);
	assert_int_equal(kind_parse("nodule", &kind), -EINVAL);
}

static void
becomes(enum kind kind, const char *name, const char *spec, const char *want)
{
	json_t *j = spec_json(spec);
	struct arena a;
	struct diag d;

	arena_init(&a);
	diag_init(&d);
	const void *obj = kind_decode(kind, name, j, &a, &d);

	if (obj == NULL)
		fail_msg("%s", diag_text(&d));
	spec_equal(field_encode(kind_table[kind].fields, obj, true), want);
	json_decref(j);
	diag_fini(&d);
	arena_fini(&a);
}

/* What is echoed is accepted again and gives the same: a GET may be PUT. */
static void
echoes(enum kind kind, const char *name, const char *spec, const char *want)
{
	becomes(kind, name, spec, want);
	becomes(kind, name, want, want);
}

/* What every template echoes of its protocols. */
#define PROTOCOLS                                                                                  \
	"'talk':{'send':'','expect':''},"                                                          \
	"'http':{'method':'GET','host':'','path':'/','headers':{},'body':'',"                      \
	"'follow_redirect':false,'reuse':false,'expect_status':['200-399'],'expect_body':''},"     \
	"'tls':{'sni':'','verify':true,'ca':'','certificate':'','key':'','expiry_warn_days':14,"   \
	"'full_handshake_every':10},'ping':{'packets':1,'loss_rate':50},"                          \
	"'dns':{'name':'','type':'A','expect_rcode':'noerror','expect_answer':''},'grpc':{'"       \
	"service':'','tls':false},'script':{'command':'','args':[]},'push':{'secret':''},"         \
	"'source':[]"

/* And every address. */
#define DAMPING "'damping':{'transitions':6,'window':'10m','hold':'1m','hold_max':'10m'}"

static void
specs(void **state)
{
	(void)state;
	echoes(KIND_ZONE, "example.com",
	    "{'nameservers':['NS1.Example.com.'],'contact':'hostmaster@example.com'}",
	    "{'role':'primary','primaries':[],'nameservers':['ns1.example.com'],"
	    "'contact':'hostmaster@example.com','notify':[],'transfer':[],'update':[],"
	    "'serial':'increment','axfr_view':'fallback','catalog_consumer':false,'remark':'','"
	    "labels':{}}");
	echoes(KIND_ZONE, "example.com",
	    "{'role':'secondary','primaries':[{'address':'192.0.2.1','key':'K.Example.'},"
	    "{'address':'[2001:DB8::1]:5353'}],'notify':[{'address':'192.0.2.9:53'}],"
	    "'transfer':[{'from':'any','key':'k'},{'from':'2001:DB8:0::/32'},"
	    "{'from':'192.0.2.1/32'}],'serial':'unixtime','axfr_view':'zone',"
	    "'catalog':'Cat.Example.'}",
	    "{'role':'secondary','primaries':[{'address':'192.0.2.1:53','key':'k.example'},"
	    "{'address':'[2001:db8::1]:5353'}],'nameservers':[],'contact':'',"
	    "'notify':[{'address':'192.0.2.9:53'}],'transfer':[{'from':'any','key':'k'},"
	    "{'from':'2001:db8::/32'},{'from':'192.0.2.1'}],'update':[],'serial':'unixtime',"
	    "'axfr_view':'zone','catalog':'cat.example','catalog_consumer':false,'remark':'','"
	    "labels':{}}");
	echoes(KIND_ZONE, "example.com",
	    "{'update':[{'key':'k','names':['@','*.Dyn.example.com.','example.com'],"
	    "'types':['a','TYPE65280']},{'key':'l','names':['*.example.com']}]}",
	    "{'role':'primary','primaries':[],'nameservers':[],'contact':'','notify':[],"
	    "'transfer':[],'update':[{'key':'k','names':['@','*.dyn.example.com','example.com'],"
	    "'types':['A','TYPE65280']},{'key':'l','names':['*.example.com'],'types':['any']}],"
	    "'serial':'increment','axfr_view':'fallback','catalog_consumer':false,'remark':'','"
	    "labels':{}}");
	echoes(KIND_TSIG_KEY, "k", "{'secret':'c2VjcmV0'}",
	    "{'algorithm':'hmac-sha256','secret':'c2VjcmV0','remark':'','labels':{}}");
	echoes(KIND_NODE, "shanghai", "{'city':'Shanghai','isp':'telecom'}",
	    "{'city':'Shanghai','isp':'telecom','country':'','enabled':true,'token':'',"
	    "'certificate':'','remark':'','labels':{}}");
	echoes(KIND_NODE, "n", "{'token':'" DIGEST " 12','certificate':'" DIGEST " " DIGEST "'}",
	    "{'city':'','isp':'','country':'','enabled':true,'token':'" DIGEST " 12',"
	    "'certificate':'" DIGEST " " DIGEST "','remark':'','labels':{}}");
	echoes(KIND_TEMPLATE, "tcp", "{'protocol':'tcp'}",
	    "{'protocol':'tcp','interval':'5s','timeout':'2s','recheck':'200ms','fall':3,'rise':2,"
	    "'failure_rate':50,'nodes':[]," PROTOCOLS ",'remark':'','labels':{}}");
	echoes(KIND_TEMPLATE, "fast", "{'protocol':'tcp','interval':'1s'}",
	    "{'protocol':'tcp','interval':'1s','timeout':'500ms','recheck':'200ms','fall':3,"
	    "'rise':2,'failure_rate':50,'nodes':[]," PROTOCOLS ",'remark':'','labels':{}}");
	echoes(KIND_ADDRESS, "a",
	    "{'type':'ipv6','value':'2001:DB8:0:0:0:0:0:1','checks':[{'template':'tcp','port':80},"
	    "{'template':'tcp','port':80,'target':'2001:DB8::0:9'}],'healthy_when':{'percent':50}}",
	    "{'type':'ipv6','value':'2001:db8::1','enabled':true,'mode':'auto',"
	    "'manual_state':'available','checks':[{'template':'tcp','port':80},"
	    "{'template':'tcp','port':80,'target':'2001:db8::9'}],'healthy_when':{'percent':50}"
	    "," DAMPING ",'remark':'','labels':{}}");
	echoes(KIND_ADDRESS, "c", "{'type':'domain','value':'CDN.Example.NET.'}",
	    "{'type':'domain','value':'cdn.example.net','enabled':true,'mode':'auto',"
	    "'manual_state':'available','checks':[],'healthy_when':'any_ok'," DAMPING
	    ",'remark':'','labels':{}}");
	echoes(KIND_OVERRIDE, "address/a",
	    "{'state':'drain','reason':'kernel','until':'2026-12-01T06:00:00+02:00','by':'ops'}",
	    "{'state':'drain','reason':'kernel','until':'2026-12-01T04:00:00.000Z','by':'ops'}");
	echoes(KIND_OVERRIDE, "address/a", "{'state':'up','reason':'x','until':null}",
	    "{'state':'up','reason':'x','by':''}");
	echoes(KIND_MAINTENANCE, "sunday",
	    "{'objects':['pool/p','domain/WWW.Example.com./a'],'starts':'2026-12-01T04:00:00Z',"
	    "'ends':'2026-12-01T05:00:00Z','every':'7d','reason':'patches'}",
	    "{'objects':['pool/p','domain/www.example.com/A'],'state':'drain',"
	    "'starts':'2026-12-01T04:00:00.000Z','ends':'2026-12-01T05:00:00.000Z',"
	    "'every':'168h','reason':'patches','labels':{}}");
	echoes(KIND_POOL, "p",
	    "{'type':'ipv4','addresses':[{'address':'b'},{'address':'a','order':1,'weight':0}],"
	    "'healthy_when':{'at_least':2}}",
	    "{'type':'ipv4','strategy':'round_robin','sequence_mode':'preemptive',"
	    "'failback_delay':'0s','max_answers':0,"
	    "'healthy_when':{'at_least':2},'enabled':true,'addresses':["
	    "{'address':'b','weight':1,'order':1,'lines':['default']},"
	    "{'address':'a','weight':0,'order':1,'lines':['default']}],'remark':'','labels':{}}");
	echoes(KIND_DOMAIN, "www.example.com/A", "{'pools':[{'pool':'p'},{'pool':'q'}]}",
	    "{'type':'A','ttl':60,'enabled':false,'strategy':'round_robin',"
	    "'sequence_mode':'preemptive','failback_delay':'0s','max_answers':0,"
	    "'line_failover':'default','ecs':true,'degraded_ttl':0,'balance':'answers','ttl_min':0,"
	    "'fallback':'fail_open','pools':["
	    "{'pool':'p','weight':1,'order':1,'lines':['default']},"
	    "{'pool':'q','weight':1,'order':2,'lines':['default']}],'remark':'','labels':{}}");
	/* data becomes canonical; no more is said of a record than was */
	echoes(KIND_RRSET, "example.com/MX",
	    "{'zone':'Example.com.','records':['10 mx',{'data':'010 Mx2','line':'default'},"
	    "{'data':'20 mx','line':'internal','weight':1,'enabled':true,'remark':''},"
	    "{'data':'20 mx','enabled':false,'weight':null,'remark':'old'}]}",
	    "{'zone':'example.com','ttl':3600,'records':['10 mx.example.com.',"
	    "'10 Mx2.example.com.',{'data':'20 mx.example.com.','line':'internal','weight':1},"
	    "{'data':'20 mx.example.com.','enabled':false,'remark':'old'}]}");
}

/* Made for this test. */
#define CERTIFICATE                                                                                \
	"-----BEGIN CERTIFICATE-----\\n"                                                           \
	"MIIBbzCCARWgAwIBAgIUWpcE0uXvQO3xqK1seIuKpTPsFpEwCgYIKoZIzj0EAwIw\\n"                      \
	"DDEKMAgGA1UEAwwBdDAgFw0yNjExMjIxODAxMjRaGA8yMTI2MTAyOTE4MDEyNFow\\n"                      \
	"DDEKMAgGA1UEAwwBdDBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABMpOLFcqpbnI\\n"                      \
	"KOmfS2uA5cg0U4UUjLDlYB98H9aCTnKa2UHNpYIB4wOjul3OKFy1yJzz+/FhUPG8\\n"                      \
	"buI1aTu3oaqjUzBRMB0GA1UdDgQWBBTxjujjuTy6D7Sv3pRge9sC/IPF4zAfBgNV\\n"                      \
	"HSMEGDAWgBTxjujjuTy6D7Sv3pRge9sC/IPF4zAPBgNVHRMBAf8EBTADAQH/MAoG\\n"                      \
	"CCqGSM49BAMCA0gAMEUCIQDIFRpuoidHNSwRzIRSGGNNLDTIDIbH+8RSiukE4efc\\n"                      \
	"awIgOzqoYyMJt13jVZ3Htyu9shbar8P8qLW2VhQdVffpz+E=\\n"                                      \
	"-----END CERTIFICATE-----\\n"
#define OTHER_KEY                                                                                  \
	"-----BEGIN PRIVATE KEY-----\\n"                                                           \
	"MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgXVym4umUL1/j0YWw\\n"                      \
	"OWE8Mklc3zK2pdYXiEEayuxDZZihRANCAAQrJHV+RcDx4sv7IhsJD2mKJmHGNIqf\\n"                      \
	"KXjvK9IRREOH+kOWKZNRIrs6dR+PbJlHCbjjNaVfs2fqPyxGw9BMc57y\\n"                              \
	"-----END PRIVATE KEY-----\\n"

#define PATTERN_ALLOWED "POSIX extended, without back-references: \"^220 \", \"all (good|well)\""

#define CIDR_ALLOWED "a range such as 192.0.2.0/24 or 2001:db8::/32, or one address"

#define WINDOW "'starts':'2026-12-01T04:00:00Z','ends':'2026-12-01T05:00:00Z','reason':'x',"

static const struct {
	enum kind kind;
	const char *spec, *where, *detail, *got, *allowed;
} wrong[] = {
	{ KIND_ZONE, "{'nameservers':['ns1..x']}", "nameservers[0]", "has an empty label", "ns1..x",
	    NAME_WORDS },
	{ KIND_ZONE, "{'contact':'a b@c'}", "contact",
	    "is neither a mail address nor a domain name", "a b@c",
	    "\"hostmaster@example.com\", \"hostmaster.example.com\"" },
	{ KIND_ZONE, "{'role':'secondary'}", "primaries", "is required: a secondary is fed by them",
	    NULL, NULL },
	{ KIND_ZONE, "{'primaries':[{'address':'192.0.2.1'}]}", "primaries",
	    "must be empty: the role is primary", NULL, NULL },
	{ KIND_ZONE, "{'notify':[{'address':'ns.example'}]}", "notify[0].address",
	    "is not an IP address with an optional port", "ns.example",
	    "\"192.0.2.1\", \"192.0.2.1:5353\", \"[2001:db8::1]:53\"" },
	{ KIND_ZONE, "{'transfer':[{'from':'192.0.2.1/24'}]}", "transfer[0].from",
	    "is not a range of addresses", "192.0.2.1/24",
	    "any, \"192.0.2.1\", \"192.0.2.0/24\", \"2001:db8::/32\"" },
	{ KIND_ZONE, "{'update':[{'key':'k','names':['www.example.com']}]}", "update[0].names[0]",
	    "is not in the zone", "www.example.com",
	    "names in the zone: \"host.example.com\", \"*.example.com\", \"@\"" },
	{ KIND_ZONE, "{'update':[{'key':'k','names':['@'],'types':['AXFR']}]}",
	    "update[0].types[0]", "is not a type of records", "AXFR", "any, A, AAAA, TXT, ..." },
	{ KIND_ZONE, "{'catalog':'x'}", "catalog", "cannot be the zone itself", "x", NAME_WORDS },
	{ KIND_TSIG_KEY, "{}", "secret", "is required", NULL, NULL },
	{ KIND_NODE, "{'token':'x'}", "token", "is not of this server's making", NULL, NULL },
	{ KIND_NODE, "{'certificate':'" DIGEST " '}", "certificate",
	    "is not of this server's making", NULL, NULL },
	{ KIND_TSIG_KEY, "{'secret':'c2VjcmV0cw'}", "secret", "is not base64", NULL,
	    "base64 with padding, as tsig-keygen and keymgr print it" },
	{ KIND_TSIG_KEY, "{'secret':'c2VjcmV0','algorithm':'hmac-sha1'}", "algorithm",
	    "is not an allowed value", "\"hmac-sha1\"", "hmac-sha256, hmac-sha384, hmac-sha512" },
	{ KIND_TEMPLATE, "{'protocol':'smtp'}", "protocol", "is not an allowed value", "\"smtp\"",
	    "tcp, http, https, tls, ping, udp, dns, grpc, script, push" },
	{ KIND_TEMPLATE, "{'protocol':'tcp','interval':'99ms','timeout':'50ms'}", "interval",
	    "is out of range", "\"99ms\"", "100ms..1h" },
	{ KIND_TEMPLATE, "{'protocol':'tcp','interval':'1s','timeout':'1s'}", "timeout",
	    "must be shorter than interval (1s)", "1s", "less than 1s" },
	{ KIND_TEMPLATE, "{'protocol':'tcp','fall':11}", "fall", "is out of range", "11", "1..10" },
	{ KIND_TEMPLATE, "{'protocol':'tcp','failure_rate':101}", "failure_rate", "is out of range",
	    "101", "0..100" },
	{ KIND_TEMPLATE, "{'protocol':'http','http':{'path':'x'}}", "http.path",
	    "must start with '/', without space or '#'", "x", "\"/healthz\", \"/status?full=1\"" },
	{ KIND_TEMPLATE, "{'protocol':'http','http':{'path':'/a\\r\\nb'}}", "http.path",
	    "must not contain control characters", "\"/a\\r\\nb\"", "1..2048 bytes" },
	{ KIND_TEMPLATE, "{'protocol':'http','http':{'headers':{'X-A':'1\\r\\nEvil: 1'}}}",
	    "http.headers.X-A", "must not contain control characters", "\"1\\r\\nEvil: 1\"",
	    "0..1024 bytes" },
	{ KIND_TEMPLATE, "{'protocol':'http','http':{'headers':{'X A':'1'}}}", "http.headers.X A",
	    "is not a valid header name", "X A", "a token of RFC 9110: letters, digits, '-', ..." },
	{ KIND_TEMPLATE, "{'protocol':'http','http':{'headers':{'host':'x'}}}", "http.headers.host",
	    "is set by the prober; use http.host", NULL, NULL },
	{ KIND_TEMPLATE, "{'protocol':'http','http':{'expect_status':['200','399-200']}}",
	    "http.expect_status[1]", "is not a status or a range of statuses", "399-200",
	    "\"200\", \"200-399\" (100..599)" },
	{ KIND_TEMPLATE, "{'protocol':'tcp','talk':{'send':'a\\\\q'}}", "talk.send",
	    "has an unknown escape", "a\\q", "\\r \\n \\t \\0 \\xHH \\\\" },
	{ KIND_TEMPLATE, "{'protocol':'tcp','talk':{'expect':'(ab'}}", "talk.expect",
	    "is not a usable regular expression: Unmatched ( or \\(", "(ab", PATTERN_ALLOWED },
	{ KIND_TEMPLATE, "{'protocol':'http','http':{'expect_body':'(a)\\\\1'}}",
	    "http.expect_body",
	    "is not a usable regular expression: back-references are not allowed", "(a)\\1",
	    PATTERN_ALLOWED },
	{ KIND_TEMPLATE, "{'protocol':'http','http':{'body':'x'}}", "http.body",
	    "needs another method", "GET", "method POST, PUT" },
	{ KIND_TEMPLATE, "{'protocol':'http','http':{'method':'POST','follow_redirect':true}}",
	    "http.follow_redirect", "needs another method", "POST", "method GET, HEAD" },
	{ KIND_TEMPLATE, "{'protocol':'http','http':{'method':'HEAD','expect_body':'x'}}",
	    "http.expect_body", "a reply to HEAD has no body", "HEAD",
	    "method GET, OPTIONS, POST, PUT" },
	{ KIND_TEMPLATE, "{'protocol':'https','tls':{'ca':'x'}}", "tls.ca",
	    "is not made of PEM certificates", NULL,
	    "-----BEGIN CERTIFICATE----- ... -----END CERTIFICATE-----" },
	{ KIND_TEMPLATE, "{'protocol':'https','tls':{'certificate':'" CERTIFICATE "'}}", "tls.key",
	    "is not a PEM private key without a password", NULL,
	    "-----BEGIN PRIVATE KEY----- ..." },
	{ KIND_TEMPLATE,
	    "{'protocol':'https','tls':{'certificate':'" CERTIFICATE "','key':'" OTHER_KEY "'}}",
	    "tls.key", "does not belong to tls.certificate", NULL, NULL },
	{ KIND_TEMPLATE, "{'protocol':'https','tls':{'sni':'https://x/'}}", "tls.sni",
	    "must be a host name or an IP address", "https://x/", "\"www.example.com\"" },
	{ KIND_TEMPLATE, "{'protocol':'https','tls':{'full_handshake_every':0}}",
	    "tls.full_handshake_every", "is out of range", "0", "1..1000" },
	{ KIND_TEMPLATE, "{'protocol':'udp'}", "talk.send",
	    "is required: somebody must speak first", NULL, NULL },
	{ KIND_TEMPLATE, "{'protocol':'ping','ping':{'packets':101}}", "ping.packets",
	    "is out of range", "101", "1..100" },
	{ KIND_TEMPLATE, "{'protocol':'script'}", "script.command",
	    "is required: what shall be run?", NULL, NULL },
	{ KIND_TEMPLATE, "{'protocol':'script','script':{'command':'../sh'}}", "script.command",
	    "must be the plain name of a file in the server's probe.scripts", "../sh",
	    "\"check_shop\"" },
	{ KIND_TEMPLATE, "{'protocol':'script','script':{'command':'..'}}", "script.command",
	    "must be the plain name of a file in the server's probe.scripts", "..",
	    "\"check_shop\"" },
	{ KIND_TEMPLATE, "{'protocol':'push'}", "push.secret", "is required", NULL,
	    "16..255 characters" },
	{ KIND_TEMPLATE, "{'protocol':'push','push':{'secret':'short'}}", "push.secret",
	    "is too short to be a secret", NULL, "16..255 characters" },
	{ KIND_TEMPLATE, "{'protocol':'tcp','source':['192.0.2.1','localhost']}", "source[1]",
	    "must be an IP address", "localhost", "one IPv4 and one IPv6 address" },
	{ KIND_TEMPLATE, "{'protocol':'tcp','source':['192.0.2.1','192.0.2.2']}", "source[1]",
	    "is a second address of its family", "192.0.2.2", "one IPv4 and one IPv6 address" },
	{ KIND_TEMPLATE, "{'protocol':'dns'}", "dns.name", "is required: what shall be asked for?",
	    NULL, NULL },
	{ KIND_TEMPLATE, "{'protocol':'dns','dns':{'name':'a..b'}}", "dns.name",
	    "is not a domain name", "a..b", NAME_WORDS },
	{ KIND_TEMPLATE, "{'protocol':'dns','dns':{'name':'a','type':'AX'}}", "dns.type",
	    "is not a record type", "AX", "\"A\", \"SOA\", \"TYPE65280\"" },
	{ KIND_TEMPLATE, "{'protocol':'dns','dns':{'name':'a','expect_rcode':'bad'}}",
	    "dns.expect_rcode", "is not an allowed value", "\"bad\"",
	    "noerror, formerr, servfail, nxdomain, notimp, refused" },
	{ KIND_TEMPLATE, "{'protocol':'http','http':{'method':'BREW'}}", "http.method",
	    "is not an allowed value", "\"BREW\"", "GET, HEAD, OPTIONS, POST, PUT" },
	{ KIND_ADDRESS, "{'type':'ipv4','value':'192.0.2.256'}", "value", "is not an IPv4 address",
	    "192.0.2.256", "an IPv4 address such as 192.0.2.1" },
	{ KIND_ADDRESS, "{'type':'ipv4','value':'2001:db8::1'}", "value", "is not an IPv4 address",
	    "2001:db8::1", "an IPv4 address such as 192.0.2.1" },
	{ KIND_ADDRESS, "{'type':'ipv6','value':'fe80::1%eth0'}", "value", "is not an IPv6 address",
	    "fe80::1%eth0", "an IPv6 address such as 2001:db8::1" },
	{ KIND_ADDRESS, "{'type':'domain','value':'a" LABEL63 ".org'}", "value",
	    "has a label longer than 63 bytes", "a" LABEL63 ".org", NAME_WORDS },
	{ KIND_ADDRESS, "{'type':'domain','value':'.'}", "value", "must not be the root", ".",
	    NAME_WORDS },
	{ KIND_ADDRESS, "{'value':'192.0.2.1'}", "type", "is required", NULL, NULL },
	{ KIND_ADDRESS, "{'type':'ipv4','value':'192.0.2.1','checks':[{'template':'t','port':0}]}",
	    "checks[0].port", "is out of range", "0", "1..65535" },
	{ KIND_ADDRESS,
	    "{'type':'ipv4','value':'192.0.2.1','checks':[{'template':'t','port':65536}]}",
	    "checks[0].port", "is out of range", "65536", "1..65535" },
	{ KIND_ADDRESS,
	    "{'type':'ipv4','value':'192.0.2.1','checks':[{'template':'t','port':1,"
	    "'target':'localhost'}]}",
	    "checks[0].target", "is not a numeric IP address", "localhost",
	    "an IPv4 or IPv6 address" },
	{ KIND_ADDRESS, "{'type':'domain','value':'x.org','checks':[{'template':'t','port':1}]}",
	    "checks[0].target",
	    "is required: an address of type domain is probed at a numeric IP only", NULL,
	    "an IPv4 or IPv6 address" },
	{ KIND_ADDRESS,
	    "{'type':'ipv4','value':'192.0.2.1','checks':[{'template':'t','port':1},"
	    "{'template':'t','port':1}]}",
	    "checks[1]", "is the same check as checks[0]", NULL, NULL },
	{ KIND_ADDRESS, "{'type':'ipv4','value':'192.0.2.1','healthy_when':'most'}", "healthy_when",
	    "is not an allowed value", "\"most\"",
	    "any_ok, p30_ok, p50_ok, p70_ok, all_ok, {\"at_least\": n}, {\"percent\": 1..100}" },
	{ KIND_ADDRESS, "{'type':'ipv4','value':'192.0.2.1','healthy_when':{'percent':0}}",
	    "healthy_when.percent", "is out of range", "0", "1..100" },
	{ KIND_ADDRESS, "{'type':'ipv4','value':'192.0.2.1','healthy_when':{'at_least':'2'}}",
	    "healthy_when.at_least", "must be an integer", "\"2\"", "1..65535" },
	{ KIND_ADDRESS, "{'type':'ipv4','value':'192.0.2.1','damping':{'transitions':31}}",
	    "damping.transitions", "is out of range", "31", "0..30" },
	{ KIND_ADDRESS, "{'type':'ipv4','value':'192.0.2.1','damping':{'hold':'11m'}}",
	    "damping.hold_max", "must not be shorter than hold (11m)", "10m", "at least 11m" },
	{ KIND_OVERRIDE, "{'state':'sideways','reason':'x'}", "state", "is not an allowed value",
	    "\"sideways\"", "up, down, drain" },
	{ KIND_OVERRIDE, "{'state':'up','reason':''}", "reason", "must not be empty", "\"\"",
	    "1..1024 bytes" },
	{ KIND_OVERRIDE, "{'state':'up','reason':' '}", "reason", "must not be blank", " ",
	    "a sentence for whoever comes across it" },
	{ KIND_OVERRIDE, "{'state':'up','reason':'x','until':'tomorrow'}", "until", "is not a time",
	    "\"tomorrow\"", "RFC 3339, such as 2026-12-01T04:00:00Z" },
	{ KIND_MAINTENANCE, "{" WINDOW "'objects':[]}", "objects", "has too few items", "[]",
	    "1..1000 items" },
	{ KIND_MAINTENANCE, "{" WINDOW "'objects':['pool/p','zone/z']}", "objects[1]",
	    "must be a kind and a name", "zone/z", TARGETS },
	{ KIND_MAINTENANCE, "{" WINDOW "'objects':['pool/p','pool/p']}", "objects[1]",
	    "is in the list twice", "pool/p", TARGETS },
	{ KIND_MAINTENANCE, "{" WINDOW "'objects':['pool/p'],'every':'59m'}", "every",
	    "must not be shorter than the window itself", "59m", "at least 1h, or 0s for once" },
	{ KIND_MAINTENANCE,
	    "{'objects':['pool/p'],'starts':'2026-12-01T05:00:00Z','ends':'2026-12-01T05:00:00Z',"
	    "'reason':'x'}",
	    "ends", "must be after starts", "2026-12-01T05:00:00.000Z",
	    "later than 2026-12-01T05:00:00.000Z" },
	{ KIND_MAINTENANCE,
	    "{'objects':['pool/p'],'starts':'2026-12-01T05:00:00Z','ends':'2026-12-01T06:00:00Z',"
	    "'reason':' '}",
	    "reason", "must not be blank", " ", "a sentence for whoever comes across it" },
	{ KIND_POOL, "{'type':'ipv4','addresses':[{'address':'a','weight':65536}]}",
	    "addresses[0].weight", "is out of range", "65536", "0..65535" },
	{ KIND_POOL, "{'type':'ipv4','addresses':[{'address':'a','weight':-1}]}",
	    "addresses[0].weight", "is out of range", "-1", "0..65535" },
	{ KIND_POOL, "{'type':'ipv4','addresses':[{'address':'a','order':0}]}",
	    "addresses[0].order", "is out of range", "0", "1..65535" },
	{ KIND_POOL, "{'type':'ipv4','addresses':[{'address':'a','lines':['cn','internal']}]}",
	    "addresses[0].lines[1]", "is the same line as lines[0], 'cn'", "internal", NULL },
	{ KIND_LINE, "{'cidrs':['192.0.2.0/24','192.0.2.1/24']}", "cidrs[1]",
	    "has bits set after its prefix", "192.0.2.1/24", "192.0.2.0/24" },
	{ KIND_LINE, "{'cidrs':['2001:DB8::1/33']}", "cidrs[0]", "has bits set after its prefix",
	    "2001:DB8::1/33", "2001:db8::/33" },
	{ KIND_LINE, "{'cidrs':['any']}", "cidrs[0]", "is not a range of addresses", "any",
	    CIDR_ALLOWED },
	{ KIND_LINE, "{'cidrs':['192.0.2.0/33']}", "cidrs[0]", "is not a range of addresses",
	    "192.0.2.0/33", CIDR_ALLOWED },
	{ KIND_LINE, "{'cidrs':['2001:DB8:0::/32','192.0.2.1','2001:db8::/32']}", "cidrs[2]",
	    "is the same range as cidrs[0], '2001:DB8:0::/32'", "2001:db8::/32", NULL },
	{ KIND_LINE, "{'cidrs':['192.0.2.128/25','10.0.0.0/8','192.0.2.0/24']}", "cidrs[0]",
	    "lies inside cidrs[2], '192.0.2.0/24'", "192.0.2.128/25", NULL },
	{ KIND_POOL, "{'type':'ipv4','addresses':[{'address':'a'},{'address':'a'}]}",
	    "addresses[1].address", "address 'a' is linked twice, first by addresses[0]", "a",
	    NULL },
	{ KIND_POOL, "{'type':'ipv4','strategy':'geo'}", "strategy", "is not an allowed value",
	    "\"geo\"", "round_robin, weight, sequence, source_nearest, hash" },
	{ KIND_POOL, "{'type':'ipv4','max_answers':257}", "max_answers", "is out of range", "257",
	    "0..256" },
	{ KIND_POOL, "{'type':'ipv4','adresses':[]}", "adresses", "unknown field", NULL,
	    "type, strategy, sequence_mode, failback_delay, max_answers, healthy_when, enabled, "
	    "addresses, remark, labels" },
	{ KIND_DOMAIN, "{'ttl':0}", "ttl", "is out of range", "0", "1..86400" },
	{ KIND_DOMAIN, "{'ttl':86401}", "ttl", "is out of range", "86401", "1..86400" },
	{ KIND_DOMAIN, "{'enabled':'yes'}", "enabled", "must be true or false", "\"yes\"",
	    "true, false" },
	{ KIND_DOMAIN, "{'fallback':'nxdomain'}", "fallback", "is not an allowed value",
	    "\"nxdomain\"", "fail_open, fallback_pool, last_good, public_zone, nodata" },
	{ KIND_DOMAIN, "{'fallback':'fallback_pool'}", "fallback_pool",
	    "must be given for fallback fallback_pool", NULL, NULL },
	{ KIND_DOMAIN, "{'fallback_pool':'p'}", "fallback_pool",
	    "is of fallback fallback_pool only", "p", NULL },
	{ KIND_DOMAIN, "{'ttl':30,'ttl_min':31}", "ttl_min", "is higher than the ttl", NULL,
	    "0..30" },
	{ KIND_DOMAIN, "{'balance':'even'}", "balance", "is not an allowed value", "\"even\"",
	    "answers, traffic" },
	{ KIND_DOMAIN, "{'degraded_ttl':86401}", "degraded_ttl", "is out of range", "86401",
	    "0..86400" },
	{ KIND_DOMAIN, "{'type':'AAAA'}", "type",
	    "differs from the type in the name 'www.example.com/A'", "AAAA", "A" },
	{ KIND_DOMAIN, "{'labels':{'" LABEL63 "b':'x'}}", "labels." LABEL63 "b",
	    "is not a valid key", NULL, "1..63 bytes without control characters" },
};

static void
wrong_specs(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
		const char *name = wrong[i].kind == KIND_DOMAIN ? "www.example.com/A" : "x";
		json_t *j = spec_json(wrong[i].spec);
		struct arena a;
		struct diag d;

		arena_init(&a);
		diag_init(&d);
		assert_null(kind_decode(wrong[i].kind, name, j, &a, &d));
		if (d.count != 1)
			fail_msg("%s: %s", wrong[i].spec, diag_text(&d));
		spec_problem(
		    d.first, wrong[i].where, wrong[i].detail, wrong[i].got, wrong[i].allowed);
		json_decref(j);
		diag_fini(&d);
		arena_fini(&a);
	}
}

static void
tables_are_sound(void **state)
{
	(void)state;
	for (int k = 0; k < KIND_COUNT; k++) {
		json_t *schema = field_schema(kind_table[k].fields);

		for (const struct field *f = kind_table[k].fields; f->name != NULL; f++) {
			assert_true(f->offset < kind_table[k].size);
			assert_non_null(f->prose);
		}
		assert_true(json_is_object(schema));
		json_decref(schema);
	}
}

/* Within a struct too; a key goes with its certificate. */
static void
nested_secrets(void **state)
{
	struct template_spec old = { .tls = { .certificate = "c", .key = "k" } };
	json_t *tls = spec_json("{'tls':{'certificate':'c'}}"), *bare = spec_json("{'remark':'x'}");
	struct arena a;

	(void)state;
	spec_equal(
	    kind_keep_secrets(KIND_TEMPLATE, tls, &old), "{'tls':{'certificate':'c','key':'k'}}");
	spec_equal(kind_keep_secrets(KIND_TEMPLATE, bare, &old), "{'remark':'x'}");
	spec_equal(tls, "{'tls':{'certificate':'c'}}");
	json_decref(bare);
	arena_init(&a);
	old.tls.certificate = "";
	kind_table[KIND_TEMPLATE].settle("t", &old, &a);
	assert_string_equal(old.tls.key, "");
	arena_fini(&a);
}

/* Left out of a PUT a secret stays; it is never shown, but that it changed is. */
static void
secrets(void **state)
{
	const struct tsig_key_spec old = { .secret = "b2xk", .remark = "" };
	const struct field *fields = kind_table[KIND_TSIG_KEY].fields;
	json_t *bare = spec_json("{'remark':'x'}"), *other = spec_json("{'secret':'bmV3'}");
	json_t *before = spec_json("{'secret':'b2xk'}");

	(void)state;
	spec_equal(kind_keep_secrets(KIND_TSIG_KEY, bare, &old), "{'remark':'x','secret':'b2xk'}");
	spec_equal(kind_keep_secrets(KIND_TSIG_KEY, bare, NULL), "{'remark':'x'}");
	spec_equal(kind_keep_secrets(KIND_TSIG_KEY, other, &old), "{'secret':'bmV3'}");
	spec_equal(field_encode(fields, &old, false),
	    "{'algorithm':'hmac-sha256','remark':'','labels':{}}");
	field_mask(fields, other, before);
	field_mask(fields, before, NULL);
	spec_equal(other, "{'secret':'(new secret)'}");
	spec_equal(before, "{'secret':'(secret)'}");
	json_decref(bare);
}

static void
split(void **state)
{
	char host[KIND_NAME_SIZE];
	uint16_t type;

	(void)state;
	assert_int_equal(domain_name_split("www.example.com/AAAA", host, &type), 0);
	assert_string_equal(host, "www.example.com");
	assert_int_equal(type, 28);
	assert_int_equal(domain_name_split("www.example.com", host, &type), -EINVAL);
}

static void
detection(void **state)
{
	const struct template_spec t = { .protocol = PROTOCOL_TCP,
		.interval_ms = 5000,
		.timeout_ms = 2000,
		.recheck_ms = 200,
		.fall = 3 };
	struct template_spec slow = t, once = t, push = t;
	uint32_t worst, typical;

	(void)state;
	assert_true(template_detection(&t, &worst, &typical));
	assert_int_equal(worst, 5000 + 2 * 2000 + 2000);
	assert_int_equal(typical, 2500 + 2 * 200);
	slow.recheck_ms = 60000; /* never later than the next slot */
	assert_true(template_detection(&slow, &worst, &typical));
	assert_int_equal(worst, 5000 + 2 * 5000 + 2000);
	assert_int_equal(typical, 2500 + 2 * 5000);
	once.fall = 1;
	assert_true(template_detection(&once, &worst, &typical));
	assert_int_equal(worst, 7000);
	assert_int_equal(typical, 2500);
	push.protocol = PROTOCOL_PUSH;
	assert_false(template_detection(&push, &worst, &typical));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names),
		cmocka_unit_test(parse),
		cmocka_unit_test(specs),
		cmocka_unit_test(detection),
		cmocka_unit_test(wrong_specs),
		cmocka_unit_test(tables_are_sound),
		cmocka_unit_test(secrets),
		cmocka_unit_test(nested_secrets),
		cmocka_unit_test(split),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
