# The layouts of apt's sources. Each of these has broken the installation, or might break it.

# Lays /etc/apt out in one way, and for some layouts the keys or the identity of the system.
write_layout() { # LAYOUT
    # shellcheck source=/dev/null
    . /etc/os-release
    suite=$VERSION_CODENAME
    keyring=/usr/share/keyrings/debian-archive-keyring.gpg
    rm -f /etc/apt/sources.list /etc/apt/sources.list.d/*
    case $1 in
        # As in the official container images.
        official | service | offline | no-sudo)
            stanza "$ARCHIVE" "$suite $suite-updates" main "Signed-By: $keyring"
            [ -z "${SECURITY:-}" ] || stanza "$SECURITY" "$suite-security" main "Signed-By: $keyring" ;;
        plain) echo "deb $ARCHIVE $suite main" >/etc/apt/sources.list ;;
        signed-by) echo "deb [arch=$(dpkg --print-architecture) signed-by=$keyring] $ARCHIVE $suite main" >/etc/apt/sources.list ;;
        # A mirror of somebody's own, whose signature nobody here can check.
        trusted)
            hide_keys
            echo "deb [trusted=yes] $ARCHIVE $suite main" >/etc/apt/sources.list ;;
        # The key is in the source, and nowhere else.
        inline-key)
            key=$(cat "/etc/apt/trusted.gpg.d/debian-archive-$suite-automatic.asc" \
                "/etc/apt/trusted.gpg.d/debian-archive-$suite-stable.asc" | armor_field)
            hide_keys
            stanza "$ARCHIVE" "$suite" main "Signed-By:
$key" ;;
        mirror-list)
            echo "$ARCHIVE" >/etc/apt/mirrors.txt
            echo "deb [signed-by=$keyring] mirror+file:/etc/apt/mirrors.txt $suite main" >/etc/apt/sources.list ;;
        trailing-slash) stanza "$ARCHIVE/" "$suite" main "Signed-By: $keyring" ;;
        components) stanza "$ARCHIVE" "$suite" "main contrib" "Signed-By: $keyring" ;;
        # A third party's archive that is gone: nobody listens on this port.
        stale)
            stanza "$ARCHIVE" "$suite" main "Signed-By: $keyring"
            echo "deb http://127.0.0.1:9/gone $suite main" >/etc/apt/sources.list.d/gone.list ;;
        # As Linux Mint's Debian edition: a name and a release that Debian's archive does not know.
        derivative)
            stanza "$ARCHIVE" "$suite" main "Signed-By: $keyring"
            rm /etc/os-release
            printf 'ID=linuxmint\nID_LIKE=debian\nVERSION_CODENAME=faye\n' >/etc/os-release ;;
        *) echo "no layout $1" >&2; return 1 ;;
    esac
    case $1 in
        no-sudo) rm /usr/bin/sudo ;;
        # Packages start their services only where there is an init system that tells its runlevel.
        service)
            ln -s /bin/true /sbin/init
            printf '#!/bin/sh\necho N 2\n' >/sbin/runlevel
            chmod +x /sbin/runlevel ;;
    esac
}

stanza() { # URI SUITES COMPONENTS TRUST
    printf 'Types: deb\nURIs: %s\nSuites: %s\nComponents: %s\n%s\n\n' "$@" >>/etc/apt/sources.list.d/debian.sources
}

hide_keys() { rm -rf /etc/apt/trusted.gpg.d/* /usr/share/keyrings/debian-*; }

# Armoured keys as a field of several lines: indented, with a point on empty lines.
armor_field() { sed -e 's/^$/./' -e 's/^/ /'; }
