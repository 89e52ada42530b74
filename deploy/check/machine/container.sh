# The checks of the image, which podman builds and runs. Each prints why it failed.

# The published bases are not at hand: the last stage stands on the same packages of Debian, and takes the binary from
# /check/build, which stands for what the first stage has built.
container_build() {
    packages="base-files netbase tzdata ca-certificates libc6 libgcc-s1 libstdc++6 libssl3"
    # Debian's /lib is a link, of which its packages know nothing.
    { echo lib; echo lib64; dpkg -L $packages | sed -E 's#^/(lib|lib64)(/|$)#/usr/\1\2#; s#^/##; /^(\.|)$/d'; } | sort -u |
        tar -C / --no-recursion -cf /tmp/base.tar -T - || return 1
    base=$(sed -n 's/^FROM \([^ ]*\)$/\1/p' /check/Containerfile)
    podman import -q /tmp/base.tar "$base" && mkdir -p /check/build/state /tmp/context &&
        podman build -q --format docker --pull=never --build-context build=/check/build -f /check/Containerfile \
            -t grantor /tmp/context
}

running() { [ "$(podman inspect -f '{{.State.Running}}' grantor)" = true ]; }
container_run() {
    systemctl stop grantor
    podman run -d --name grantor --read-only --cap-drop=all --security-opt=no-new-privileges -p 8080:8080 \
        -v grantor-data:/var/lib/grantor -v /check/container.toml:/etc/grantor/grantor.toml:ro localhost/grantor &&
        within 30 ready || { podman logs grantor; return 1; }
}

container_user() {
    pid=$(podman inspect -f '{{.State.Pid}}' grantor)
    is uid "$(status "$pid" Uid)" 65532 && is CapEff "$(status "$pid" CapEff)" 0000000000000000 &&
        is CapBnd "$(status "$pid" CapBnd)" 0000000000000000 && is NoNewPrivs "$(status "$pid" NoNewPrivs)" 1 &&
        is Seccomp "$(status "$pid" Seccomp)" 2 && grep -q ' / / ro' "/proc/$pid/mountinfo"
}

healthy() { [ "$(podman inspect -f '{{.State.Health.Status}}' grantor)" = healthy ]; }
container_health() { ready && within 40 healthy; }

container_stop() {
    jwks >/tmp/container-keys
    [ -s /tmp/container-keys ] && running && podman stop -t 20 grantor &&
        is "the exit code" "$(podman inspect -f '{{.State.ExitCode}}' grantor)" 0
}

container_again() {
    podman start grantor && within 30 ready && is "the key set" "$(jwks)" "$(cat /tmp/container-keys)"
}
