/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * message -- what travels between control and engine.
 *
 *   control                                               engine
 *      | <---------------------- HELLO {revision, ...} ----- |  which revision of which lineage it
 * has | -- CHANGE ..., CURRENT  or  RESET, CHANGE ..., CURRENT -> |  what it misses, or everything
 *      | -- CHANGE (as they are committed) ----------------> |
 *      | <---------------------- APPLIED, STATUS, NEWS ----- |  served; health; edges
 *      | -- ASK (id) --------------------------------------> |
 *      | <---------------------------------- REPLY (id) ---- |
 *      | <-------------------------------- FORWARD (id) ---- |  UPDATE, NOTIFY
 *      | -- FORWARDED (id) --------------------------------> |
 *
 * A frame on the wire: u32 length of what follows, u8 type, body. Bodies are JSON unless said
 * otherwise.
 */
#pragma once

enum message_type {
	MESSAGE_HELLO = 1, /* up: {"protocol":2,"revision":n,"lineage":"..","serving":bool} */
	MESSAGE_CHANGE,    /* down: codec */
	MESSAGE_RESET,     /* down: {}: the CHANGEs up to CURRENT are the whole model */
	MESSAGE_CURRENT,   /* down: {"revision":n,"lineage":".."}: the engine is up to date */
	MESSAGE_APPLIED,   /* up: {"revision":n}: served */
	MESSAGE_STATUS,    /* up: feed/told: of an object */
	MESSAGE_EVENT, /* up: {"kind":..,"object":{..},"severity":..,"text":..,"at":..,"data":..} */
	MESSAGE_ASK,   /* down: u32 id, then {"verb":..,"request":{..}} */
	MESSAGE_REPLY, /* up: u32 id, then {"reply":..} or {"problems":[..]} */
	MESSAGE_SERVING,   /* up: {}: DNS is answered from now on */
	MESSAGE_FORWARD,   /* up: feed/forward: a DNS message that control answers */
	MESSAGE_FORWARDED, /* down: u32 id, then the whole response; empty: there is none */

	/* Of probe nodes. A node's engine sends them up without "node"; control sends them down to
	 * the server's engine with it. */
	MESSAGE_VOTES, /* {"node":..,"votes":[{"key":..,"verdict":"up"|"down","cause":..}]} */
	MESSAGE_BEAT,  /* once a second:
			  {"node":..,"seq":n,"clock_skew_ms":..,"rtt_ms":..,"lag_ms":..,
			  "checks":n,"late":[key],"stalled":bool,"version":..} */
	MESSAGE_NODE,  /* to the server's engine: {"node":..,"connected":bool,"address":..} */
	MESSAGE_ROLL,  /* to a node's engine: {}: tell all votes */
	MESSAGE_ECHO,  /* to a node's engine: {"seq":n,"clock":ms} of a BEAT */
	/* Between a node and its server alone. */
	MESSAGE_ENROL,    /* up: {"node":..,"secret":..,"csr":pem} or, to renew, {"csr":pem} */
	MESSAGE_ENROLLED, /* down: {"certificate":pem,"ca":pem} or {"problem":..} */

	MESSAGE_NEWS, /* up: feed/told: an event of an object */
};

#define MESSAGE_PROTOCOL 2
#define MESSAGE_MAX      (1u << 30)
