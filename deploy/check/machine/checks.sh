# Every check of the machine, a line for each: "ok NAME", or "not ok NAME" and why. The functions are in the other files.
. /check/unit.sh
. /check/container.sh

# NAME FUNCTION: the end of what the function prints says why it failed.
check() {
    if said=$("$2" 2>&1); then echo "ok $1"; else echo "not ok $1: $(echo "$said" | tail -n 3 | tr '\n' ' ')"; fi
}
# SECONDS COMMAND...: until it succeeds.
within() {
    end=$(($(date +%s) + $1))
    shift
    until "$@" >/dev/null 2>&1; do
        [ "$(date +%s)" -lt "$end" ] || { echo "not in time: $*"; return 1; }
        sleep 0.5
    done
}
# WHAT FOUND WANTED
is() { [ "$2" = "$3" ] || { echo "$1 is $2 and not $3"; return 1; }; }
# PID FIELD: of its status.
status() { sed -n "s/^$2:\t*\([^\t]*\).*/\1/p" "/proc/$1/status"; }

stty -F /dev/ttyS0 -onlcr
check "the unit is active, as enabled at boot" unit_is_active
check "it is ready" unit_is_ready
check "it runs as a user that exists while it runs" unit_has_a_user
check "it has no capability, can gain none, and system calls are filtered" unit_is_confined
check "its state is its own alone, with the database in it" unit_state
check "nobody but root and itself reads the master key" unit_master_key
check "root applies a manifest beside it" unit_apply
check "it issues a token" unit_token
check "hashing a password steps back behind everything else" unit_hash
check "killed, it is started anew" unit_killed
check "standing still, it is started anew by the watchdog" unit_stopped
check "restarted, it has the same keys" unit_restart
check "it stops by itself" unit_stop
check "after work of root on its stopped database it starts" unit_after_root
check "what root declared before its first start is there" unit_before_first_start
check "a certificate and its key, which its group may read, are read again when they change" unit_certificate
check "it makes no system call that is denied" unit_denied_nothing
check "the journal has no refusal and no dead process but those" unit_journal
check "the image is built of the Containerfile" container_build
check "it is ready on a root that cannot be written, without capabilities" container_run
check "it runs as nobody" container_user
check "podman finds it healthy" container_health
check "told to stop, it ends by itself" container_stop
check "started anew on its volume, it has the same keys" container_again
unit_exposure
