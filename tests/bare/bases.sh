# Base systems for tests/bare/run: one tar file a release, cached in target/bare/.

# Beside the minimal system: what the README asks people to have (git is not used here), a user with
# sudo, and a foreign locale.
BASE_PACKAGES=ca-certificates,locales,make,sudo

# Sets ARCHIVE, and SECURITY if there is one, to the archives that this machine's apt uses.
find_archives() {
    known=$(apt-get indextargets --format '$(ORIGIN) $(LABEL) $(REPO_URI)' 2>/dev/null | sort -u)
    : "${ARCHIVE:=$(echo "$known" | awk '$1 == "Debian" && $2 == "Debian" { sub(/\/+$/, "", $3); print $3; exit }')}"
    : "${SECURITY:=$(echo "$known" | awk '$1 == "Debian" && $2 == "Debian-Security" { sub(/\/+$/, "", $3); print $3; exit }')}"
}

# Makes target/bare/$1.tar if it is missing, or was made in another way.
make_base() {
    mkdir -p target/bare
    recipe=$(cat tests/bare/bases.sh; echo "$ARCHIVE")
    recipe=$(echo "$recipe" | sha256sum | cut -d ' ' -f 1)
    if [ -e "target/bare/$1.tar" ] && [ "$(cat "target/bare/$1.recipe" 2>/dev/null)" = "$recipe" ]; then
        return 0
    fi
    echo "bare: making a base system of $1" >&2
    rm -rf "target/bare/$1.recipe"
    if ! build_base "$1"; then
        rm -rf "target/bare/$1.new"
        return 1
    fi
    echo "$recipe" >"target/bare/$1.recipe"
}

build_base() { # RELEASE
    rm -rf "target/bare/$1.new"
    debootstrap --variant=minbase --include="$BASE_PACKAGES" "$1" "target/bare/$1.new" "$ARCHIVE" \
        >"target/bare/$1.log" 2>&1 || return 1
    # How this machine reaches the archive: proxies, and which dates it trusts.
    apt-config dump | grep -E '^Acquire::(https?::Proxy|Check-)' \
        >"target/bare/$1.new/etc/apt/apt.conf.d/90machine" || true
    chroot "target/bare/$1.new" sh -c '
        set -e
        apt-get clean
        rm -rf /var/lib/apt/lists/*
        localedef -i de_DE -f UTF-8 de_DE.UTF-8
        useradd --create-home --shell /bin/sh tester
        echo "tester ALL=(ALL) NOPASSWD: ALL" >/etc/sudoers.d/tester
        chmod 440 /etc/sudoers.d/tester' >>"target/bare/$1.log" 2>&1 || return 1
    tar -C "target/bare/$1.new" -cf "target/bare/$1.tar" . || return 1
    rm -rf "target/bare/$1.new"
}
