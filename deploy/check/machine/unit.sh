# The checks of the unit of systemd. Each prints why it failed.

ISSUER=http://localhost:8080
BOB='correct horse battery'

property() { systemctl show --value -p "$1" grantor; }
main() { property MainPID; }
ready() { curl -sf -m 3 $ISSUER/health/ready; }
another() { [ "$(main)" != "$1" ] && [ "$(main)" != 0 ] && ready; }
jwks() { curl -sf -m 5 $ISSUER/jwks; }
grantor() { GRANTOR_MASTER_KEY_FILE=/etc/credstore/grantor.master-key \
    /usr/bin/grantor "$@" --config /etc/grantor/grantor.toml --data /var/lib/grantor; }

unit_is_active() { within 60 systemctl -q is-active grantor && is Type "$(property Type)" notify; }
unit_is_ready() { within 30 ready; }

unit_has_a_user() {
    uid=$(status "$(main)" Uid)
    # What systemd keeps for these.
    [ "$uid" -ge 61184 ] && [ "$uid" -le 65519 ] || { echo "uid $uid"; return 1; }
}

unit_is_confined() {
    pid=$(main)
    for set in CapInh CapPrm CapEff CapBnd CapAmb; do is $set "$(status "$pid" $set)" 0000000000000000 || return 1; done
    is NoNewPrivs "$(status "$pid" NoNewPrivs)" 1 && is Seccomp "$(status "$pid" Seccomp)" 2
}

unit_state() {
    is "the state's mode" "$(stat -Lc %a /var/lib/grantor)" 700 || return 1
    is "its owner" "$(stat -Lc %u /var/lib/grantor)" "$(status "$(main)" Uid)" || return 1
    is "the database's mode" "$(stat -c %a /var/lib/grantor/grantor.db)" 600 || return 1
    [ ! -e /var/lib/grantor/master.key ] || { echo "it made a master key of its own"; return 1; }
}

unit_master_key() {
    is "the mode of root's" "$(stat -c %a:%u /etc/credstore/grantor.master-key)" 600:0 || return 1
    key=/run/credentials/grantor.service/master-key
    ! setpriv --reuid=65534 --regid=65534 --clear-groups cat $key 2>/dev/null || { echo "nobody reads $key"; return 1; }
}

unit_apply() { grantor apply /check/shop.toml >/tmp/applied || { cat /tmp/applied; return 1; }; }

token() {
    secret=$(sed -n 's/^ *\(gr_cs_.*\)/\1/p' /tmp/applied)
    curl -s -m 10 -u "night-job:$secret" -d grant_type=client_credentials $ISSUER/token
}
# What was applied beside it is known to it when it next looks, five times a second.
has_token() { token | grep '"access_token":"ey.*"token_type":"Bearer"'; }
unit_token() { within 3 has_token || { token; return 1; }; }

sign_in() {
    rm -f /tmp/jar
    csrf=$(curl -s -m 10 -c /tmp/jar $ISSUER/signin | grep -o 'name="csrf" value="[^"]*"' | cut -d'"' -f4)
    curl -s -m 20 -b /tmp/jar -c /tmp/jar -o /tmp/answer -w '%{http_code}' \
        -d "csrf=$csrf" -d username=bob --data-urlencode "password=$BOB" $ISSUER/signin
}
# The nice value and the scheduling class of each thread of it, once somebody has signed in: 5 is that for idle time.
unit_hash() {
    code=$(sign_in)
    cut -d' ' -f19,41 /proc/"$(main)"/task/*/stat | sort | uniq -c >/tmp/classes
    is "the answer" "$code" 303 && grep -q ' 10 0$' /tmp/classes && grep -q ' 0 5$' /tmp/classes \
        || { cat /tmp/classes /tmp/answer; return 1; }
}

unit_killed() {
    pid=$(main)
    kill -KILL "$pid"
    within 30 another "$pid"
}

unit_stopped() {
    pid=$(main)
    kill -STOP "$pid"
    within 60 another "$pid" && journalctl -qb -u grantor | grep -q 'Watchdog timeout' || { echo no watchdog; return 1; }
}

unit_restart() {
    before=$(jwks)
    systemctl restart grantor && within 30 ready && [ -n "$before" ] && is "the key set" "$(jwks)" "$before"
}

unit_stop() {
    begun=$(date +%s)
    systemctl stop grantor
    echo "$(($(date +%s) - begun)) s"
    is result "$(property Result)" success && is "how it ended" "$(property ExecMainCode) $(property ExecMainStatus)" "1 0" &&
        [ "$(($(date +%s) - begun))" -le 10 ]
}

unit_after_root() {
    grantor user create eve && systemctl start grantor && within 30 ready && grantor user revoke eve
}

unit_before_first_start() {
    systemctl stop grantor && rm -rf /var/lib/private/grantor /var/lib/grantor && unit_apply &&
        systemctl start grantor && within 30 ready && unit_token && unit_state
}

drop_in() {
    mkdir -p /run/systemd/system/grantor.service.d
    cat >/run/systemd/system/grantor.service.d/check.conf
    systemctl daemon-reload && systemctl restart grantor
}

certificate() {
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -noenc -days 9 -subj "/CN=$1" \
        -addext subjectAltName=DNS:localhost -keyout /tmp/tls.key -out /tmp/tls.pem &&
        install -m 0640 -g tls /tmp/tls.key /etc/grantor/tls.key && install -m 0644 /tmp/tls.pem /etc/grantor/tls.pem
}
shows() { curl -sfk -m 3 -v https://localhost:8080/health/ready 2>&1 | grep -q "subject: CN=$1"; }
unit_certificate() {
    groupadd --system tls && certificate first || return 1
    drop_in <<'END'
[Service]
SupplementaryGroups=tls
Environment=GRANTOR_ISSUER=https://localhost:8080
Environment=GRANTOR_TLS_CERTIFICATE=/etc/grantor/tls.pem GRANTOR_TLS_KEY=/etc/grantor/tls.key
END
    pid=$(main)
    within 30 shows first && certificate second && within 30 shows second && is "the process" "$(main)" "$pid"
}

# What the filter refuses is an error that the program may swallow: here it is its end.
unit_denied_nothing() {
    printf '[Service]\nSystemCallErrorNumber=\n' | drop_in && within 30 ready || return 1
    pid=$(main)
    token >/dev/null
    is "the answer to signing in" "$(sign_in)" 303 && is "the process" "$(main)" "$pid" || { dmesg | tail -n 3; return 1; }
    systemctl stop grantor && is result "$(property Result)" success
}

unit_journal() {
    ! journalctl -qb -u grantor | grep -iE 'denied|not permitted|EPERM|SIGSYS|status=31' || return 1
    ! journalctl -qkb | grep -E 'type=1326|SIGSYS' || return 1
    is "how often it was killed" "$(journalctl -qb -u grantor | grep -c 'status=9/KILL')" 1
}

unit_exposure() { systemd-analyze security --no-pager grantor | sed -n 's/.*exposure level/exposure level/p'; }
