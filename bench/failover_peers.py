# SPDX-License-Identifier: GPL-3.0-or-later
"""gdnsd and PowerDNS, each as fast as it can be set, for bench/failover.py: a primary and a standby under one name."""
import contextlib
import os
import subprocess
import types

from lab import harness

PORT = 5302
GDNSD = ("/usr/sbin/gdnsd",)
PDNS = ("/usr/sbin/pdns_server",)


def write(path, text):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w") as f:
        f.write(text)


@contextlib.contextmanager
def running(command, directory, name, primary, standby):
    """Until it answers with the primary."""
    server = types.SimpleNamespace(dns=(command[0], PORT), name=name)
    with open(os.path.join(directory, "log"), "wb") as log:
        process = subprocess.Popen(command[1:], stdout=log, stderr=log, stdin=subprocess.DEVNULL)
    try:
        def ready():
            with harness.Asker(server, name, timeout=0.2) as asker:
                return primary.ip in asker.ask()
        harness.eventually(ready, 20, what="%s answers" % command[1])
        yield server
    finally:
        process.terminate()
        process.wait()


# Its checks are never oftener than every two seconds.
GDNSD_CONFIG = """
options => { listen => %(ip)s, dns_port => %(port)d, run_dir => %(dir)s/run, state_dir => %(dir)s/state,
  zones_default_ttl => 60 }
service_types => { t => { plugin => tcp_connect, port => %(check)d, interval => 2, timeout => 1,
  up_thresh => 1, ok_thresh => 1, down_thresh => 1 } }
plugins => { simplefo => { fo => { service_types => t, primary => %(primary)s, secondary => %(standby)s } } }
"""


@contextlib.contextmanager
def gdnsd(directory, zone, primary, standby):
    if not os.path.exists(GDNSD[0]):
        yield None
        return
    ip = harness.loopback()
    write(directory + "/etc/config", GDNSD_CONFIG % {
        "ip": ip, "port": PORT, "dir": directory, "check": primary.port, "primary": primary.ip, "standby": standby.ip})
    write(directory + "/etc/zones/" + zone, "@ SOA ns1 hostmaster 1 3600 600 86400 60\n@ NS ns1\nns1 A 192.0.2.1\n"
          "www 60 DYNA simplefo!fo\n")
    for sub in ("run", "state"):
        os.makedirs(os.path.join(directory, sub), exist_ok=True)
    with running((ip, GDNSD[0], "-c", directory + "/etc", "start"), directory, "www." + zone, primary, standby) as server:
        yield server


# Its checks run every second at the most often; the caches would only slow it down. Of ports it knows no order: all that
# are up answer.
PDNS_CONFIG = """
launch=bind
bind-config=%(dir)s/named.conf
local-address=%(ip)s
local-port=%(port)d
socket-dir=%(dir)s
config-dir=%(dir)s
enable-lua-records=yes
lua-health-checks-interval=1
lua-health-checks-expire-delay=36000
cache-ttl=0
query-cache-ttl=0
negquery-cache-ttl=0
guardian=no
daemon=no
"""


@contextlib.contextmanager
def pdns(directory, zone, primary, standby):
    if not os.path.exists(PDNS[0]):
        yield None
        return
    ip = harness.loopback()
    write(directory + "/pdns.conf", PDNS_CONFIG % {"ip": ip, "port": PORT, "dir": directory})
    write(directory + "/named.conf", 'zone "%s" { type master; file "%s/zone"; };\n' % (zone, directory))
    write(directory + "/zone", "$ORIGIN %s.\n@ 60 SOA ns1 hostmaster 1 3600 600 86400 60\n@ 60 NS ns1\nns1 60 A 192.0.2.1\n"
          "www 60 LUA A \"ifportup(%d, {'%s', '%s'}, {selector='all'})\"\n" % (zone, primary.port, primary.ip, standby.ip))
    with running((ip, PDNS[0], "--config-dir=" + directory), directory, "www." + zone, primary, standby) as server:
        yield server
